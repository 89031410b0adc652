/** Opens files of history that may be damaged, one after another, and uses them; says what came of each. */
import { createInterface } from 'node:readline'
import { FileCells, HistoryFileError } from '../../../signaling/history/file-cells.ts'

/** What became of it: `used`, the message of what was refused, or of what was thrown otherwise. */
async function tried(path: string): Promise<object> {
  let cells: FileCells
  try {
    cells = await FileCells.open(path)
  } catch (error) {
    return error instanceof HistoryFileError ? { refused: error.message } : { thrown: String(error) }
  }
  let rows = 0
  for (const table of ['log', 'entry', 'writer']) rows += cells.list(table).length
  await cells.commit([{ key: ['log', 999], value: new Uint8Array(20_000) }])
  await cells.close()
  return { used: rows }
}

for await (const path of createInterface({ input: process.stdin })) console.log(JSON.stringify(await tried(path)))
