import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './lab/command.ts'
import { writeTables } from './results-table.ts'

/** `PARTYLINE_NAT_RESULTS=docs`: what is whole goes into the folder that is committed, for the documentation. */
export const FOR_THE_DOCS = process.env.PARTYLINE_NAT_RESULTS === 'docs'

/** What is committed is formatted as everything else is. */
const BIOME = fileURLToPath(new URL('../../node_modules/@biomejs/biome/bin/biome', import.meta.url))

/** Writes NAME.json and NAME.svg; NAME-part for some of the tests, picked by name. */
export async function writeResults(
  test: string,
  results: readonly object[],
  picture: string,
  { whole }: { readonly whole: boolean },
): Promise<void> {
  const name = whole ? test : `${test}-part`
  const folder = fileURLToPath(new URL(FOR_THE_DOCS && whole ? './results/' : '../results/', import.meta.url))
  await mkdir(folder, { recursive: true })
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify({ machine, results }, undefined, 2)}\n`)
  await writeFile(join(folder, `${name}.svg`), picture)
  if (!FOR_THE_DOCS || !whole) return
  await run(process.execPath, [BIOME, 'format', '--write', folder])
  await writeTables()
}
