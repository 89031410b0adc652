/** The table in README.md: every promise, what holds it, and the faults that show it. `npx tsx` this file writes it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NamedTest } from './mutant.ts'
import { MUTANTS } from './mutants/index.ts'
import { PROMISES, type PromiseName } from './promises/index.ts'

export const README = fileURLToPath(new URL('../README.md', import.meta.url))
const BEGIN = '<!-- promises: npx tsx test/simulation/mutations/promise-table.ts -->\n\n'
const END = '\n\n<!-- end of the promises -->'

const cell = (text: string): string => text.replaceAll('|', '\\|')

function heldBy(tests: readonly NamedTest[], simulated: boolean): string {
  const files = new Map<string, string[]>()
  for (const { file, test } of tests) files.set(file, [...(files.get(file) ?? []), test])
  const named = [...files].map(
    ([file, names]) => `[${basename(file, '.test.ts')}](../../${file}): ${names.join(' · ')}`,
  )
  return [...(simulated ? ['the simulation'] : []), ...named].map(cell).join('<br>')
}

export function promiseTable(): string {
  const rows = Object.entries(PROMISES).map(([name, { says, simulated, tests }]) => {
    const faults = MUTANTS.filter(({ breaks }) => breaks === name).map((mutant) => cell(mutant.name))
    return `| **${name}**: ${cell(says)} | ${heldBy(tests, simulated)} | ${faults.join('<br>')} |`
  })
  return ['| promise | held by | faults that break it |', '|---|---|---|', ...rows].join('\n')
}

/** README.md with the table of today. */
export function withTable(readme: string): string {
  const [head, rest = ''] = readme.split(BEGIN)
  const [, tail = ''] = rest.split(END)
  return `${head}${BEGIN}${promiseTable()}${END}${tail}`
}

export const promiseNames = Object.keys(PROMISES) as readonly PromiseName[]

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(README, withTable(readFileSync(README, 'utf8')))
