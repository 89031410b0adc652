/**
 * `npm run bench:relay [-- --quick] [--only rooms,one,…] [--docs]`: the way through the server, beside bare
 * uWebSockets.js, ws, socket.io and PeerJS's server. The result is one JSON object on standard output, and in
 * `test/results/bench/`, with a picture; what goes on meanwhile is told on standard error. `--docs` writes it into
 * `test/bench/results/`, too, and its table into the README there; parts that were not asked for stay as they are.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../../signaling/setup/command.mjs'
import type { Figure } from './figure.ts'
import { describeMachine, loadNow } from './machine.ts'
import { joins, memory, storm } from './relay/arrivals.ts'
import { dropped } from './relay/dropped.ts'
import { RELAY_EFFORTS } from './relay/effort.ts'
import { growth } from './relay/growth.ts'
import { inRooms, oneToOne } from './relay/relayed.ts'
import { type PartRun, type RelayReport, relayPicture, writeRelayForDocs } from './relay/results.ts'

const FOLDER = join(ROOT, 'test/results/bench')

const log = (text: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)

const PARTS: Readonly<Record<string, () => Promise<Figure[]>>> = {
  rooms: () => inRooms(effort),
  one: () => oneToOne(effort),
  joins: () => joins(effort, log),
  storm: () => storm(effort, log),
  memory: () => memory(effort, log),
  growth: () => growth(effort, log),
  drops: () => dropped(effort, log),
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    docs: { type: 'boolean', default: false },
  },
})
const effortName = values.quick ? 'quick' : 'full'
const effort = RELAY_EFFORTS[effortName]
const wanted = new Set(values.only.split(','))
const unknown = [...wanted].filter((part) => !(part in PARTS))
if (unknown.length > 0) {
  throw new Error(`--only: there is no ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`)
}
if (process.platform !== 'linux') throw new Error('bench:relay reads processor times from /proc: Linux only')

/** What the built server lacks, and tells about it on standard error: standard output is for the result. */
async function build(): Promise<void> {
  const script = "import('./signaling/setup/build.mjs').then(({ buildTargets }) => buildTargets({ only: ['server'] }))"
  const [code] = await once(spawn(process.execPath, ['-e', script], { cwd: ROOT, stdio: ['ignore', 2, 2] }), 'exit')
  if (code !== 0) throw new Error('the build failed')
}

const jsonOf = (report: RelayReport): string => `${JSON.stringify(report, null, 2)}\n`

/** What there is so far, into the folder of results. */
async function write(): Promise<RelayReport> {
  const report: RelayReport = {
    machine: { ...machine, loadAfter: loadNow() },
    effort: effortName,
    seconds,
    parts,
    figures,
  }
  await mkdir(FOLDER, { recursive: true })
  await writeFile(join(FOLDER, 'relay.json'), jsonOf(report))
  await writeFile(join(FOLDER, 'relay.svg'), relayPicture(figures))
  return report
}

await build()
const loadBefore = loadNow()
const { chromium: _, ...machine } = describeMachine('', loadBefore)
const figures: Figure[] = []
const seconds: Record<string, number> = {}
const parts: Record<string, PartRun> = {}
for (const [part, measure] of Object.entries(PARTS)) {
  if (!wanted.has(part)) continue
  log(part)
  const fromMs = performance.now()
  const [at, loadAtFirst] = [new Date().toISOString(), loadNow()]
  try {
    for (const figure of await measure()) {
      figures.push(figure)
      const { name, unit, ours, bare, peers } = figure
      log(`  ${name} (${unit}): ${ours}, bare ${bare}, ${JSON.stringify(peers)}`)
    }
  } catch (error) {
    // What the others say is not thrown away for it.
    log(`${part} failed: ${error instanceof Error ? error.stack : String(error)}`)
    process.exitCode = 1
  }
  seconds[part] = Math.round((performance.now() - fromMs) / 1_000)
  parts[part] = { at, loadBefore: loadAtFirst, loadAfter: loadNow() }
  // A run that is stopped has lost nothing.
  await write()
}
const report = await write()
if (values.docs && process.exitCode === undefined) await writeRelayForDocs(report)
process.stdout.write(jsonOf(report))
