/**
 * `npm run bench:direct [-- --quick] [--only throughput,small,…] [--client file]`: direct paths against a bare
 * RTCDataChannel and others' libraries, in Chromium. The result is one JSON object on standard output, and in
 * `test/results/bench/`, with a picture; what goes on meanwhile is told on standard error.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../../signaling/setup/command.mjs'
import { farVenue } from './far-venue.ts'
import type { Figure, Report } from './figure.ts'
import { members } from './figures/members.ts'
import { overhead } from './figures/overhead.ts'
import { roundTrip } from './figures/round-trip.ts'
import { start } from './figures/start.ts'
import { smallMessages, throughput } from './figures/throughput.ts'
import { describeMachine, loadNow } from './machine.ts'
import { costPicture } from './picture.ts'
import { EFFORTS, pairs } from './rounds.ts'
import { Stage } from './stage.ts'

const FOLDER = join(ROOT, 'test/results/bench')
const PARTS = ['throughput', 'small', 'roundtrip', 'overhead', 'start', 'members'] as const

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: PARTS.join(',') },
    client: { type: 'string' },
  },
})
const effort = EFFORTS[values.quick ? 'quick' : 'full']
const wanted = new Set(values.only.split(','))
const unknown = [...wanted].filter((part) => !PARTS.some((known) => known === part))
if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(', ')}; there are ${PARTS.join(', ')}`)

/** What the built files lack, and tells about it on standard error: standard output is for the result. */
async function build(): Promise<void> {
  const script = "import('./signaling/setup/build.mjs').then(({ buildTargets }) => buildTargets())"
  const [code] = await once(spawn(process.execPath, ['-e', script], { cwd: ROOT, stdio: ['ignore', 2, 2] }), 'exit')
  if (code !== 0) throw new Error('the build failed')
}

async function startFar(addedRttMs: number): Promise<Figure[]> {
  log(`start, ${addedRttMs} ms added`)
  const far = await Stage.open({ venue: await farVenue(addedRttMs), client: values.client })
  try {
    return await start(far, effort, addedRttMs)
  } finally {
    await far.close()
  }
}

const log = (text: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`)

await build()
const loadBefore = loadNow()
const stage = await Stage.open({ client: values.client })
const figures: Figure[] = []
try {
  if (['throughput', 'small', 'roundtrip', 'overhead'].some((part) => wanted.has(part))) {
    log('pairs')
    const companies = await pairs(stage)
    for (const [part, measure] of [
      ['throughput', throughput],
      ['small', smallMessages],
      ['roundtrip', roundTrip],
      // Last: from then on the pages count what they send.
      ['overhead', overhead],
    ] as const) {
      if (!wanted.has(part)) continue
      log(part)
      figures.push(...(await measure(companies, effort)))
    }
    for (const company of companies.values()) await company.leave()
  }
  if (wanted.has('start')) {
    log('start')
    figures.push(...(await start(stage, effort)))
    if (process.getuid?.() !== 0) log('start with added round trip needs root: left out')
    else for (const addedRttMs of effort.addedRttMs) figures.push(...(await startFar(addedRttMs)))
  }
  if (wanted.has('members')) figures.push(...(await members(stage, effort, log)))
  const report: Report = { machine: describeMachine(stage.browsers[0].version(), loadBefore), figures }
  const json = JSON.stringify(report, null, 2)
  await mkdir(FOLDER, { recursive: true })
  await writeFile(join(FOLDER, 'direct.json'), `${json}\n`)
  await writeFile(join(FOLDER, 'direct.svg'), costPicture(figures))
  console.log(json)
} finally {
  await stage.close()
}
