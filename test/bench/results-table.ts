/**
 * The table of results in this folder's README, made from `results/direct.json`, which `npm run bench:direct -- --docs`
 * writes. By itself, `npx tsx test/bench/results-table.ts`, it writes table and picture anew from what is there.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Figure, Report } from './figure.ts'
import { costPicture } from './picture.ts'

export const README = new URL('README.md', import.meta.url)
export const RESULTS = new URL('results/direct.json', import.meta.url)
const PICTURE = new URL('results/direct.svg', import.meta.url)
const BEGIN = '<!-- results -->'
const END = '<!-- /results -->'

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value)
    ? '–'
    : value.toLocaleString('en', { maximumFractionDigits: 3 })

const VERDICTS = new Map([
  [true, 'yes'],
  [false, '**no**'],
])

function row({ name, unit, ours, bare, peers, ratio, spread, goal, holds }: Figure): string {
  const peer = (which: string): string => shown(peers[which])
  const near = spread === undefined ? '' : ` ± ${shown(((ratio ?? 0) * spread) / 2)}`
  const cells = [
    `${name} (${unit})`,
    shown(ours),
    // Where the floor is something else, bare WebRTC is one of the others.
    'bare WebRTC' in peers ? `${shown(bare)}; bare WebRTC ${peer('bare WebRTC')}` : shown(bare),
    peer('peerjs'),
    peer('trystero'),
    ratio === null ? '–' : `${shown(ratio)}${near}`,
    goal ?? '–',
    holds === null ? '–' : (VERDICTS.get(holds) ?? '–'),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** In Markdown: what it was measured on, the table, and what has to be known to read it. */
export function resultsTable({ machine, effort, figures }: Report): string {
  const { processor, cores, memoryGb, node, chromium, at, loadBefore, loadAfter } = machine
  const notes = new Map<string, string[]>()
  for (const { name, note } of figures) {
    if (note !== undefined) notes.set(note, [...(notes.get(note) ?? []), name])
  }
  const promised = figures.filter(({ holds }) => holds !== null)
  return [
    `${processor}, ${cores} cores, ${memoryGb} GB, Node.js ${node.slice(1)}, Chromium ${chromium}, ${at.slice(0, 10)}; load ${loadBefore} before, ${loadAfter} at the end.`,
    ...(effort === 'full' ? [] : ['**Of a quick run, which shows only roughly how things stand.**']),
    `${promised.filter(({ holds }) => holds).length} of ${promised.length} goals hold.`,
    '',
    '| figure | ours | bare | PeerJS | Trystero | ratio | goal | holds |',
    '|---|--:|--:|--:|--:|--:|---|---|',
    ...figures.map(row),
    '',
    ...[...notes].map(([note, names]) => `- *${names.join('; ')}*: ${note}`),
  ].join('\n')
}

/** The text with a fresh table between its two marks. */
export function withResults(text: string, report: Report): string {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`there is no ${BEGIN} … ${END}`)
  return `${text.slice(0, begin)}${BEGIN}\n${resultsTable(report)}\n${text.slice(end)}`
}

export async function writeForDocs(report: Report): Promise<void> {
  await mkdir(new URL('.', RESULTS), { recursive: true })
  await writeFile(RESULTS, `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(PICTURE, costPicture(report.figures))
  await writeFile(README, withResults(await readFile(README, 'utf8'), report))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeForDocs(JSON.parse(await readFile(RESULTS, 'utf8')) as Report)
}
