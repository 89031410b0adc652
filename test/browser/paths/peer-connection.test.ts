import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchChromium } from '../../support/browsers.ts'
import { pageScript } from './path-page.ts'

let browser: Browser
let page: Page
const uncaught: string[] = []

beforeAll(async () => {
  browser = await launchChromium({ flags: ['--js-flags=--expose-gc'] })
  page = await browser.newPage()
  page.on('pageerror', (error) => uncaught.push(error.message))
  await page.addScriptTag({ content: await pageScript() })
})

afterAll(async () => {
  await browser?.close()
})

const run = (call: string): Promise<Record<string, unknown>> => page.evaluate(`paths.${call}`)

it('opens, and carries frames in all lanes both ways', async () => {
  const talk = await run('talk()')
  const frames = (from: number) => [
    `bulk 3 ${from} ${from}`,
    `bulk 60000 ${from} ${from}`,
    `control 3 ${from} ${from}`,
    `control 60000 ${from} ${from}`,
    `latest 16000 ${from} ${from}`,
    `latest 3 ${from} ${from}`,
    `small 3 ${from} ${from}`,
    `small 60000 ${from} ${from}`,
  ]
  expect(talk).toMatchObject({
    early: false,
    sent: true,
    a: frames(2),
    b: frames(1),
    written: [60_003, 60_003, 16_003, 60_003],
    kinds: ['direct', 'direct'],
    order: ['opened', 'opened'],
    afterClose: false,
    closings: [['closed here'], ['closed here']],
  })
  expect(talk.statistics).toMatchObject({ localCandidate: expect.stringMatching(/host|prflx/), protocol: 'udp' })
})

it('notices within a second, once, that the other side closed', async () => {
  const tookMs: unknown[] = []
  // A machine that stands still meanwhile does so now and then, not each time.
  for (let round = 0; round < 4 && !tookMs.some((ms) => Number(ms) < 1_000); round += 1) {
    const closing = await run('closing()')
    expect(closing).toMatchObject({ closings: [['closed here'], ['closed by the other side']] })
    tookMs.push(closing.tookMs)
  }
  expect(tookMs.at(-1), tookMs.join()).toBeLessThan(1_000)
})

it('refuses beyond its bound, and goes on when it has drained', async () => {
  const flood = await run('flood(40_000_000)')
  expect(flood.got).toBe(flood.sent)
  expect(flood.refusals).toBeGreaterThan(0)
  expect(flood.mostBuffered).toBeLessThanOrEqual(1_048_576 + 16_384)
  expect(flood.left).toBe(0)
})

it('carries many small frames', async () => {
  const small = await run('smallFrames(100_000)')
  expect(small.perSecond).toBeGreaterThan(2_000)
})

it('is made, replaced without a gap, and made again by the attempts of two links', async () => {
  // An attempt that does not open in 2 s is replaced, which is right when this machine stands still for so long.
  let made = await run('attempts()')
  for (let again = 0; again < 3 && made.late === true; again += 1) made = await run('attempts()')
  expect(made.late, `up after ${made.upMs} ms`).toBe(false)
  expect([...(made.replaced as string[])].sort()).toEqual(['0 path 1', '0 path 2', '1 path 1', '1 path 2'])
  expect(made.whys).toEqual(['connected directly', 'connected directly'])
})

it('closes on nonsense, and nothing surfaces', async () => {
  expect(await run('nonsense()')).toEqual({ closings: [1, 1] })
  expect(uncaught).toEqual([])
})

it('leaves nothing behind when opened and closed a hundred times', async () => {
  const session = await page.context().newCDPSession(page)
  const counters = async (): Promise<{ heap: number; listeners: number }> => {
    // Timers of a second (simple-peer's, after a close) run out first.
    await page.waitForTimeout(1_500)
    for (let time = 0; time < 3; time += 1) await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    const { jsEventListeners } = await session.send('Memory.getDOMCounters')
    return { heap: usedSize, listeners: jsEventListeners }
  }
  const connections = async (): Promise<unknown> => {
    const prototype = await session.send('Runtime.evaluate', { expression: 'RTCPeerConnection.prototype' })
    const { objects } = await session.send('Runtime.queryObjects', {
      prototypeObjectId: prototype.result.objectId ?? '',
    })
    const { result } = await session.send('Runtime.callFunctionOn', {
      objectId: objects.objectId ?? '',
      functionDeclaration: 'function () { return this.length }',
      returnByValue: true,
    })
    // What can be asked for is kept.
    await session.send('Runtime.releaseObject', { objectId: objects.objectId ?? '' })
    return result.value
  }
  await run('openAndClose(10)')
  const before = await counters()
  expect(await run('openAndClose(100)')).toEqual({ count: 100, reasons: ['closed by the other side'] })
  // What a busy browser has not tidied up yet, it does a moment later.
  const left = async (): Promise<boolean> => {
    const { heap } = await counters()
    seen = { heap: heap - before.heap, connections: await connections() }
    return seen.heap < 500_000 && Number(seen.connections) < 10
  }
  let seen: { readonly heap: number; readonly connections: unknown } | undefined
  for (let look = 0; look < 5 && !(await left()); look += 1) await page.waitForTimeout(2_000)
  expect(seen?.connections).toBeLessThan(10)
  expect(seen?.heap).toBeLessThan(500_000)
  expect(uncaught).toEqual([])
})
