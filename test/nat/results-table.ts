/**
 * The tables in this folder's README, made from `results/*.json`, which `PARTYLINE_NAT_RESULTS=docs npm run test:nat`
 * writes. By itself, `npx tsx test/nat/results-table.ts`, it writes the tables anew from what is there.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { FaultResult } from './fault-run.ts'
import type { PairResult } from './pairs.test.ts'

export const README = new URL('README.md', import.meta.url)
export const RESULTS = new URL('results/', import.meta.url)

interface File<Result> {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string }
  readonly results: readonly Result[]
}

type Cell = string | number | undefined

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.map(shown).join(' | ')} |`
  const left = head.map((_, column) => (rows.some((row) => typeof row[column] === 'string') ? '---' : '--:'))
  return [line(head), `|${left.join('|')}|`, ...rows.map(line)].join('\n')
}

const shown = (cell: Cell): string => (typeof cell === 'number' ? cell.toLocaleString('en') : (cell ?? '–'))

const wrongs = ({ lost, repeated, outOfOrder }: FaultResult | PairResult): string =>
  `${lost} / ${repeated} / ${outOfOrder}`

const aim = (most: number | undefined, holds: boolean | undefined): string | undefined =>
  most === undefined ? undefined : `≤ ${shown(most)}: ${holds ? 'yes' : '**no**'}`

const on = ({ cpu, cores, node }: File<unknown>['machine']): string =>
  `${cpu}, ${cores} cores, Node.js ${node.slice(1)}.`

export function faultResults({ machine, results }: File<FaultResult>): string {
  const rows = results.map((result) => {
    const { fault, before, after, delivered, silenceMs, longestGapMs, recoveryMs, aims, holds } = result
    return [
      fault,
      before === after ? before : `${before}, ${after}`,
      delivered,
      wrongs(result),
      Math.max(0, longestGapMs - silenceMs),
      aim(aims.gapMs, holds.gap),
      recoveryMs,
      aim(aims.recoveryMs, holds.recovery),
    ]
  })
  const verdicts = results.flatMap(({ holds }) => [holds.gap, holds.recovery]).filter((one) => one !== undefined)
  return [
    `${on(machine)} ${verdicts.filter(Boolean).length} of ${verdicts.length} goals hold.`,
    '',
    table(
      ['fault', 'path', 'delivered', 'lost / repeated / out of order', 'gap, ms', 'goal', 'back after, ms', 'goal'],
      rows,
    ),
  ].join('\n')
}

export function pairResults({ machine, results }: File<PairResult>): string {
  const rows = results.map((result) => [
    result.a,
    result.together ? 'the same NAT' : result.b,
    [...new Set(result.finalPaths)].join(' / '),
    result.delivered,
    wrongs(result),
    result.firstMessageMs,
    result.upgradeMs,
    result.rttMs,
    result.longestGapMs,
  ])
  const head = ['network', 'network', 'path', 'delivered', 'lost / repeated / out of order']
  return [
    on(machine),
    '',
    table([...head, 'first message, ms', 'final path, ms', 'round trip, ms', 'longest gap, ms'], rows),
  ].join('\n')
}

/** The text with fresh tables between their marks. */
export async function withResults(text: string): Promise<string> {
  const read = async (name: string) => JSON.parse(await readFile(new URL(`${name}.json`, RESULTS), 'utf8'))
  const tables = {
    'nat-pairs': pairResults(await read('nat-pairs')),
    'nat-faults': faultResults(await read('nat-faults')),
  }
  let fresh = text
  for (const [name, made] of Object.entries(tables)) {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
    const [from, to] = [fresh.indexOf(begin), fresh.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`there is no ${begin} … ${end}`)
    fresh = `${fresh.slice(0, from)}${begin}\n${made}\n${fresh.slice(to)}`
  }
  return fresh
}

export async function writeTables(): Promise<void> {
  await writeFile(README, await withResults(await readFile(README, 'utf8')))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeTables()
