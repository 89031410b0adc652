/**
 * `npm run bench:direct [-- --quick] [--only throughput,small,…] [--docs] [--client file]`: direct paths against a bare
 * RTCDataChannel and others' libraries, in Chromium. The result is one JSON object on standard output, and in
 * `test/results/bench/`, with a picture; what goes on meanwhile is told on standard error. `--docs` writes it into
 * `test/bench/results/`, too, and its table into the README there.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../../signaling/setup/command.mjs'
import { farVenue } from './far-venue.ts'
import type { Figure, Report } from './figure.ts'
import { lossy } from './figures/lossy.ts'
import { members } from './figures/members.ts'
import { overhead } from './figures/overhead.ts'
import { roundTrip } from './figures/round-trip.ts'
import { start } from './figures/start.ts'
import { smallMessages, throughput } from './figures/throughput.ts'
import { describeMachine, loadNow } from './machine.ts'
import { costPicture } from './picture.ts'
import { writeForDocs } from './results-table.ts'
import { EFFORTS } from './rounds.ts'
import { Stage } from './stage.ts'

const FOLDER = join(ROOT, 'test/results/bench')

const log = (text: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)

/** Those with a stage share one; the others have their own. */
const PARTS: Readonly<Record<string, (stage: Stage) => Promise<Figure[]>>> = {
  throughput: (stage) => throughput(stage, effort),
  small: (stage) => smallMessages(stage, effort),
  roundtrip: (stage) => roundTrip(stage, effort),
  overhead: (stage) => overhead(stage, effort),
  lossy: () => lossy(effort, values.client, log),
  start: async (stage) => [...(await start(stage, effort.starts)), ...(await farStarts())],
  members: (stage) => members(stage, effort, log),
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    docs: { type: 'boolean', default: false },
    client: { type: 'string' },
  },
})
const effortName = values.quick ? 'quick' : 'full'
const effort = EFFORTS[effortName]
const wanted = new Set(values.only.split(','))
const unknown = [...wanted].filter((part) => !(part in PARTS))
if (unknown.length > 0) {
  throw new Error(`--only: there is no ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`)
}

/** What the built files lack, and tells about it on standard error: standard output is for the result. */
async function build(): Promise<void> {
  const script = "import('./signaling/setup/build.mjs').then(({ buildTargets }) => buildTargets())"
  const [code] = await once(spawn(process.execPath, ['-e', script], { cwd: ROOT, stdio: ['ignore', 2, 2] }), 'exit')
  if (code !== 0) throw new Error('the build failed')
}

async function farStarts(): Promise<Figure[]> {
  if (process.getuid?.() !== 0) {
    log('start with added round trip needs root: left out')
    return []
  }
  const figures: Figure[] = []
  for (const addedRttMs of effort.addedRttMs) {
    log(`start, ${addedRttMs} ms added`)
    const far = await Stage.open({ venue: await farVenue(addedRttMs), client: values.client })
    try {
      figures.push(...(await start(far, effort.farStarts, addedRttMs)))
    } finally {
      await far.close()
    }
  }
  return figures
}

await build()
const loadBefore = loadNow()
const stage = await Stage.open({ client: values.client })
try {
  const figures: Figure[] = []
  const seconds: Record<string, number> = {}
  for (const [part, measure] of Object.entries(PARTS)) {
    if (!wanted.has(part)) continue
    log(part)
    const fromMs = performance.now()
    try {
      figures.push(...(await measure(stage)))
    } catch (error) {
      // What the others say is not thrown away for it.
      log(`${part} failed: ${error instanceof Error ? error.stack : String(error)}`)
      process.exitCode = 1
    }
    seconds[part] = Math.round((performance.now() - fromMs) / 1_000)
  }
  const machine = describeMachine(stage.browsers[0].version(), loadBefore)
  const report: Report = { machine, effort: effortName, seconds, figures }
  const json = `${JSON.stringify(report, null, 2)}\n`
  await mkdir(FOLDER, { recursive: true })
  await writeFile(join(FOLDER, 'direct.json'), json)
  await writeFile(join(FOLDER, 'direct.svg'), costPicture(figures))
  if (values.docs && process.exitCode === undefined) await writeForDocs(report)
  process.stdout.write(json)
} finally {
  await stage.close()
}
