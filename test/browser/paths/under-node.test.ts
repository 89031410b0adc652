import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PathSignal } from '../../../web/client/paths/path.ts'
import { launchChromium } from '../../support/browsers.ts'
import { nodeModule, type PathModule, pageScript } from './path-page.ts'

let paths: PathModule

beforeAll(async () => {
  paths = await nodeModule()
  expect(await paths.loadWebRtc()).toBe(true)
})

describe('two ends under Node', () => {
  it('open, and carry frames in all lanes both ways', async () => {
    expect(await paths.talk()).toMatchObject({
      sent: true,
      kinds: ['direct', 'direct'],
      order: ['opened', 'opened'],
      afterClose: false,
      written: [60_003, 60_003, 16_003, 60_003],
    })
  })

  it('notice, once, that the other closed', async () => {
    const tookMs: number[] = []
    // A machine that stands still meanwhile does so now and then, not each time.
    for (let round = 0; round < 4 && !tookMs.some((ms) => ms < 1_000); round += 1) {
      const closing = (await paths.closing()) as { closings: string[][]; tookMs: number }
      expect(closing.closings.map(({ length }) => length)).toEqual([1, 1])
      tookMs.push(closing.tookMs)
    }
    expect(tookMs.at(-1), tookMs.join()).toBeLessThan(1_000)
  })

  it('refuse beyond the bound, and go on when drained', async () => {
    const flood = (await paths.flood(10_000_000)) as { got: number; sent: number; refusals: number }
    expect(flood.got).toBe(flood.sent)
    expect(flood.refusals).toBeGreaterThan(0)
  })
})

describe('one end under Node, the other in Chromium', () => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    // Node cannot resolve the .local names that hide a browser's addresses.
    browser = await launchChromium({ flags: ['--disable-features=WebRtcHideLocalIpsWithMdns'] })
    page = await browser.newPage()
    await page.addScriptTag({ content: await pageScript() })
  })
  afterAll(async () => {
    await browser?.close()
  })

  it.each([
    ['Node', true],
    ['Chromium', false],
  ])('open when %s offers, and carry frames both ways', async (_who, nodeOffers) => {
    const early: PathSignal[] = []
    let here: InstanceType<PathModule['End']> | undefined
    const name = `toNode${nodeOffers}`
    await page.exposeFunction(name, (signal: PathSignal) => {
      if (here === undefined) early.push(signal)
      else here.path.accept(signal)
    })
    await page.evaluate(`
      globalThis.there = new paths.End(${!nodeOffers}, (signal) => ${name}(signal))
      there.received = (frame) => {
        there.path.send(frame.lane, frame.bytes)
      }
      undefined`)
    // In order, one after another, as the link carries them.
    let told = Promise.resolve()
    const end = new paths.End(nodeOffers, (signal) => {
      told = told.then(() => page.evaluate(`there.path.accept(${JSON.stringify(signal)})`))
    })
    here = end
    for (const signal of early) end.path.accept(signal)
    await end.opened
    await page.evaluate('there.opened.then(() => undefined)')
    const echoed = new Promise<string[]>((resolve) => {
      const lanes: string[] = []
      end.received = ({ lane, bytes }) => {
        lanes.push(`${lane} ${bytes.length} ${bytes[7]}`)
        if (lanes.length === 4) resolve(lanes.sort())
      }
    })
    for (const lane of ['small', 'bulk', 'latest', 'control'] as const) {
      expect(end.path.send(lane, new Uint8Array(16_000).fill(7))).toBe(true)
    }
    expect(await echoed).toEqual(['bulk 16000 7', 'control 16000 7', 'latest 16000 7', 'small 16000 7'])
    expect(end.path.kind).toBe('direct')
    await page.evaluate('there.path.close()')
    expect(await end.closed).toMatch(/closed/)
  })
})
