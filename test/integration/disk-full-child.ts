/** Fills a file of cells until the disk refuses, as `ulimit -f` makes it do, and says how it went on. */
import { FileCells } from '../../signaling/history/file-cells.ts'

// Without a listener the limit would end the process; a full disk only refuses.
process.on('SIGXFSZ', () => undefined)
const cells = await FileCells.open(process.argv[2] as string)
const batch = (name: number) =>
  Array.from({ length: 100 }, (_, index) => ({ key: ['entry', name, index] as const, value: new Uint8Array(5_000) }))
const told = { stored: 0, refused: 0, small: false, there: 0 }
for (let name = 1; name <= 30 && told.refused < 3; name += 1) {
  try {
    await cells.commit(batch(name))
    told.stored += 1
  } catch {
    told.refused += 1
    if (cells.get(['entry', name, 0]) !== undefined) throw new Error('half of it is there')
  }
}
await cells.commit([{ key: ['log', 1], value: new Uint8Array(9) }])
told.small = true
for (let name = 1; name <= told.stored; name += 1) told.there += cells.list('entry', name).length
await cells.close()
console.log(JSON.stringify(told))
