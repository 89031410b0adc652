/**
 * The table of `bench:relay` in the README above, made from `results/relay.json`, which `npm run bench:relay -- --docs`
 * writes. By itself, `npx tsx test/bench/relay/results.ts`, it writes table and picture anew from what is there.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Figure, Report } from '../figure.ts'
import type { Machine } from '../machine.ts'
import { linesOf, pictureOf } from '../picture.ts'
import { README } from '../results-table.ts'
import { ROOM_SIZE, ROOMS } from './growth.ts'

/** When a part ran, and the load then: mean numbers of runnable processes, of the minutes before and at its end. */
export interface PartRun {
  readonly at: string
  readonly loadBefore: number
  readonly loadAfter: number
}

export type RelayReport = Omit<Report, 'machine'> & {
  readonly machine: Omit<Machine, 'chromium'>
  readonly parts: Readonly<Record<string, PartRun>>
}

const RESULTS = new URL('../results/relay.json', import.meta.url)
const PICTURE = new URL('../results/relay.svg', import.meta.url)
const BEGIN = '<!-- relay results -->'
const END = '<!-- /relay results -->'

const same = (value: number): number => value

/** How the cost of a delivery grows with the members of a room, and with rooms. */
export const relayPicture = (figures: readonly Figure[]): string =>
  pictureOf('How the cost of a delivery grows with the members of a room, and with rooms', [
    {
      title: 'Processor time of a delivery (µs), one room',
      xTitle: 'members of the room',
      lines: linesOf(figures, ROOM_SIZE, 'members', same),
    },
    {
      title: 'Processor time of a delivery (µs), rooms of 2',
      xTitle: 'rooms',
      lines: linesOf(figures, ROOMS, 'rooms', same),
    },
  ])

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value)
    ? '–'
    : value.toLocaleString('en', { maximumFractionDigits: 3 })

function row({ name, unit, ours, bare, peers, ratio, spread, goal, holds }: Figure): string {
  const recovery = peers['socket.io with recovery']
  const near = spread === undefined ? '' : ` ± ${shown(((ratio ?? 0) * spread) / 2)}`
  const cells = [
    `${name} (${unit})`,
    shown(ours),
    shown(bare),
    shown(peers.ws),
    `${shown(peers['socket.io'])}${recovery === undefined ? '' : `; with recovery ${shown(recovery)}`}`,
    shown(peers.peerjs),
    shown(peers['ours by sse']),
    shown(peers['ours by long-poll']),
    ratio === null ? '–' : `${shown(ratio)}${near}`,
    goal ?? '–',
    holds === null ? '–' : holds ? 'yes' : '**no**',
  ]
  return `| ${cells.join(' | ')} |`
}

/** What was measured now in the place of what was before; parts that were not measured now stay. */
export const mergedReports = (older: RelayReport, newer: RelayReport): RelayReport => {
  const named = new Map(newer.figures.map((figure) => [figure.name, figure]))
  const known = new Set(older.figures.map(({ name }) => name))
  return {
    ...newer,
    seconds: { ...older.seconds, ...newer.seconds },
    parts: { ...older.parts, ...newer.parts },
    figures: [
      ...older.figures.map((figure) => named.get(figure.name) ?? figure),
      ...newer.figures.filter(({ name }) => !known.has(name)),
    ],
  }
}

export function relayTable({ machine, parts, effort, figures }: RelayReport): string {
  const { processor, cores, memoryGb, node, at } = machine
  const loads = Object.entries(parts).map(
    ([part, run]) => `${part} ${run.loadBefore} to ${run.loadAfter} (${run.at.slice(11, 16)} UTC)`,
  )
  // What ran before it is in the mean at a part's beginning: it is the one at the end that says what ran beside.
  const busiest = Math.max(...Object.values(parts).map(({ loadAfter }) => loadAfter))
  const notes = new Map<string, string[]>()
  for (const { name, note } of figures) {
    if (note !== undefined) notes.set(note, [...(notes.get(note) ?? []), name])
  }
  const promised = figures.filter(({ holds }) => holds !== null)
  return [
    `${processor}, ${cores} cores, ${memoryGb} GB, Node.js ${node.slice(1)}, ${at.slice(0, 10)}.`,
    `Load before and at the end of each part: ${loads.join('; ')}.`,
    ...(busiest > 2 * cores
      ? ['**The machine had much else to do: rates, times and round trips say little, processor times more.**']
      : []),
    ...(effort === 'full' ? [] : ['**Of a quick run, which shows only roughly how things stand.**']),
    `${promised.filter(({ holds }) => holds).length} of ${promised.length} goals hold.`,
    '',
    '| figure | ours | bare uWS | ws | socket.io | peerjs-server | ours by SSE | ours by long-poll | ratio | goal | holds |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|',
    ...figures.map(row),
    '',
    ...[...notes].map(([note, names]) => `- *${names.join('; ')}*: ${note}`),
  ].join('\n')
}

/** Results, picture and the README's table. Of the same effort, parts that were not measured now stay. */
export async function writeRelayForDocs(now: RelayReport): Promise<void> {
  const before = await readFile(RESULTS, 'utf8').catch(() => undefined)
  const older = before === undefined ? undefined : (JSON.parse(before) as RelayReport)
  const report = older?.effort === now.effort ? mergedReports(older, now) : now
  await mkdir(new URL('.', RESULTS), { recursive: true })
  await writeFile(RESULTS, `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(PICTURE, relayPicture(report.figures))
  const text = await readFile(README, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`there is no ${BEGIN} … ${END}`)
  await writeFile(README, `${text.slice(0, begin)}${BEGIN}\n${relayTable(report)}\n${text.slice(end)}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeRelayForDocs(JSON.parse(await readFile(RESULTS, 'utf8')) as RelayReport)
}
