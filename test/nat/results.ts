import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `PARTYLINE_NAT_RESULTS=docs`: into the folder that is committed, for the documentation. */
const FOLDER = process.env.PARTYLINE_NAT_RESULTS === 'docs' ? './results/' : '../results/'

/** Writes NAME.json and NAME.svg. */
export async function writeResults(name: string, results: readonly object[], picture: string): Promise<void> {
  const folder = fileURLToPath(new URL(FOLDER, import.meta.url))
  await mkdir(folder, { recursive: true })
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ machine, results }, undefined, 2)}\n`)
  await writeFile(join(folder, `${name}.svg`), picture)
}
