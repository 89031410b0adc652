/**
 * `npx tsx test/bench/start-profile.ts [--rounds 9]`: where the time goes between entering a room and the first message
 * there, with nothing added to the way: what either page did and when, of the quickest round.
 */
import { parseArgs } from 'node:util'
import { pageScript } from '../support/rooms/page-script.ts'
import { median, rounded } from './figure.ts'
import type { Note } from './page/start-watch.ts'
import { Stage } from './stage.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } })

interface Start {
  readonly ms: number
  readonly fromMs: number
  readonly sides: Readonly<Record<'newcomer' | 'host', readonly Note[]>>
}

const script = await pageScript(new URL('page/start-watch.ts', import.meta.url), 'watch')
const stage = await Stage.open()

async function socket(): Promise<number> {
  const page = await stage.page(1)
  const ms = await page.evaluate((address) => bench.webSocketRoundTrip(address), stage.addresses.pubSub)
  await page.context().close()
  return ms
}

async function start(): Promise<Start> {
  const company = await stage.prepare('ours', 2)
  const [host, newcomer] = company.pages
  if (host === undefined || newcomer === undefined) throw new Error('a pair is two pages')
  try {
    await host.evaluate(() => guest.enter())
    for (const page of [host, newcomer]) {
      await page.evaluate(script)
      await page.evaluate(() => watch.begin())
    }
    const fromMs = await newcomer.evaluate(() => guest.enterAndSend())
    const { firstAtMs } = await host.evaluate(() => guest.firstMessages())
    const sides = {
      newcomer: await newcomer.evaluate(() => watch.taken()),
      host: await host.evaluate(() => watch.taken()),
    }
    return { ms: firstAtMs - fromMs, fromMs, sides }
  } finally {
    await company.leave()
  }
}

try {
  const starts: Start[] = []
  const floors: number[] = []
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    const [one, floor] = [await start(), await socket()]
    if (round > 0) {
      starts.push(one)
      floors.push(floor)
    }
  }
  starts.sort((a, b) => a.ms - b.ms)
  const quickest = starts[0] as Start
  for (const [side, notes] of Object.entries(quickest.sides)) {
    console.log(side)
    for (const { atMs, what, tookMs } of [...notes].sort((a, b) => a.atMs - b.atMs)) {
      const at = atMs - quickest.fromMs
      if (at < -20 || at > quickest.ms) continue
      const took = tookMs === undefined ? '' : tookMs.toFixed(2)
      console.log(`${at.toFixed(2).padStart(8)} ${took.padStart(7)}  ${what}`)
    }
  }
  const all = starts.map(({ ms }) => rounded(ms)).join(' ')
  console.log(`first message there: ${rounded(median(starts.map(({ ms }) => ms)))} ms of ${all}`)
  console.log(`a WebSocket and a round trip: ${rounded(median(floors))} ms of ${floors.map(rounded).join(' ')}`)
} finally {
  await stage.close()
}
