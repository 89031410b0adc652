import type { Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { notingLateness } from '../support/lateness.ts'
import { Nginx, type ProxyRules } from '../support/nginx.ts'
import type { SendPlan } from '../support/rooms/page-member.ts'
import type { Site } from '../support/rooms/site.ts'
import { allOf } from '../support/rooms/tally.ts'
import { useSite } from '../support/rooms/use-site.ts'

const COUNT = 1_000
/** Whoever waits so long for a processor is not alone. */
const LATE_MS = 150

let site: Site
let nginx: Nginx
useSite((started) => {
  site = started
  site.troubles.allowServerLoss()
  site.troubles.allowCarrierLoss()
})
beforeAll(async () => {
  nginx = await Nginx.start(site.server.port, 'open')
})
afterEach(async () => {
  await nginx.use('open')
})
afterAll(() => nginx?.dispose())

async function two(room: string, rules: ProxyRules): Promise<readonly [Page, Page]> {
  await nginx.use(rules)
  const { address } = nginx
  const ada = await site.member({ room, name: 'Ada', paths: ['relay'] }, { address })
  const bo = await site.member({ room, name: 'Bo', paths: ['relay'] }, { address })
  await meet(ada, bo)
  return [ada, bo]
}

async function meet(ada: Page, bo: Page): Promise<void> {
  await ada.evaluate(() => member.until('Bo', () => member.has('Bo')))
  await bo.evaluate(() => member.until('Ada', () => member.has('Ada')))
}

const carriers = (pages: readonly Page[]): Promise<(string | undefined)[]> =>
  Promise.all(pages.map((page) => page.evaluate(() => member.room.stats().carrier)))

const reaches = (page: Page, kind: string): Promise<void> =>
  page.evaluate((wanted) => member.until(wanted, () => member.room.stats().carrier === wanted), kind)

/** What came of 0, 1, …, sent twice: the second time, too, all, once, in order. */
const ALL_AGAIN = { ...allOf(2 * COUNT), twice: Array.from({ length: COUNT }, (_, n) => n) }

/** 1,000 each way: all, once, in order. `expected`: the tally since the two met. */
async function talk([ada, bo]: readonly [Page, Page], plan: SendPlan, expected = allOf(plan.count)): Promise<void> {
  const sending = [ada, bo].map((page) => page.evaluate((one) => member.sendNumbers(one), plan))
  expect(await Promise.all(sending)).toEqual([[], []])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(expected)
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(expected)
  await nothingMissed([ada, bo])
}

async function nothingMissed(pages: readonly Page[]): Promise<void> {
  const told = await Promise.all(pages.map((page) => page.evaluate(() => member.events)))
  expect(told.flat().filter((event) => /^(?:leave|gap)/.test(event))).toEqual([])
}

/** So many each way, and on for as long as `meanwhile` takes: all, once, in order. */
async function talkWhile(
  pages: readonly [Page, Page],
  plan: SendPlan,
  meanwhile: () => Promise<unknown>,
): Promise<void> {
  const sending = pages.map((page) => page.evaluate((one) => member.sendNumbers(one), { ...plan, goesOn: true }))
  await meanwhile()
  const stop = (): void => {
    member.goesOn = false
  }
  for (const page of pages) await page.evaluate(stop)
  expect(await Promise.all(sending)).toEqual([[], []])
  const [byAda, byBo] = await Promise.all(pages.map((page) => page.evaluate(() => member.sent)))
  expect(await pages[1].evaluate(() => member.tally('Ada'))).toEqual(allOf(byAda ?? 0))
  expect(await pages[0].evaluate(() => member.tally('Bo'))).toEqual(allOf(byBo ?? 0))
  await nothingMissed(pages)
}

const STEADY = { count: COUNT, burst: 5, pauseMs: 10 } as const

describe('behind an nginx', () => {
  it('that lets everything through, members use WebSockets', async () => {
    let pages = await two('open', 'open')
    // A WebSocket that takes 1.5 s to open is passed over, which is right when this machine stood still for so long.
    for (let again = 1; again < 4 && (await carriers(pages)).includes('sse'); again += 1) {
      pages = await two(`open ${again}`, 'open')
    }
    await talk(pages, STEADY)
    expect(await carriers(pages)).toEqual(['websocket', 'websocket'])
  })

  it('that refuses WebSockets, members use event streams', async () => {
    const pages = await two('no websocket', 'no-websocket')
    await talk(pages, STEADY)
    expect(await carriers(pages)).toEqual(['sse', 'sse'])
  })

  it('that collects event streams, too, members use long polls', async () => {
    const pages = await two('buffered', 'buffered')
    await talk(pages, STEADY)
    expect(await carriers(pages)).toEqual(['long-poll', 'long-poll'])
  })

  it('that cuts whatever takes longer than a second, too, members end up with short polls', async () => {
    const pages = await two('short requests', 'short-requests')
    await talk(pages, STEADY)
    for (const page of pages) await reaches(page, 'short-poll')
    await talk(pages, STEADY, ALL_AGAIN)
    expect(await carriers(pages)).toEqual(['short-poll', 'short-poll'])
  })

  it('whose rules change under way, members go down and come back up, and lose nothing', async () => {
    const pages = await two('changes', 'open')
    // With a message at least every second no answer would take longer than that: long polls would do.
    await talkWhile(pages, { count: 200, burst: 25, pauseMs: 1_500 }, async () => {
      await pages[1].evaluate(() => member.until('traffic', () => member.received('Ada') > 100))
      await nginx.use('no-websocket')
      for (const page of pages) await reaches(page, 'sse')
      await nginx.use('buffered')
      for (const page of pages) await reaches(page, 'long-poll')
      await nginx.use('short-requests')
      for (const page of pages) await reaches(page, 'short-poll')
      await nginx.use('open')
      for (const page of pages) await reaches(page, 'websocket')
    })
  }, 240_000)

  it('that lets WebSockets through again, members climb back while they talk, and their connection is never lost', async () => {
    const climb = async (room: string): Promise<number> => {
      const pages = await two(room, 'no-websocket')
      expect(await carriers(pages)).toEqual(['sse', 'sse'])
      const reconnections = async (): Promise<number> => {
        const each = pages.map((page) => page.evaluate(() => member.room.stats().reconnections))
        return (await Promise.all(each)).reduce((sum, count) => sum + count, 0)
      }
      const before = await reconnections()
      await nginx.use('open', 'gently')
      await talkWhile(pages, { count: 200, burst: 1, pauseMs: 25 }, async () => {
        for (const page of pages) await reaches(page, 'websocket')
      })
      return (await reconnections()) - before
    }
    // A connection is also left for a server that does not answer for a second, which one does that has no processor.
    let climbed = await notingLateness(() => climb('climb'))
    for (let again = 1; again < 3 && climbed.result > 0 && climbed.lateMs > LATE_MS; again += 1) {
      climbed = await notingLateness(() => climb(`climb ${again}`))
    }
    expect(climbed.result, `the machine was up to ${climbed.lateMs} ms late`).toBe(0)
  }, 240_000)

  it('members whose browsers cannot read an answer as it comes have event streams by EventSource', async () => {
    await nginx.use('no-websocket')
    const streams = new Set<string>()
    const enter = async (name: string): Promise<Page> => {
      const context = await site.person(name)
      await context.addInitScript(() => {
        Reflect.deleteProperty(Response.prototype, 'body')
      })
      context.on('request', (request) => {
        if (request.resourceType() === 'eventsource') streams.add(name)
      })
      return site.memberIn(context, { room: 'EventSource', name, paths: ['relay'] }, { address: nginx.address })
    }
    const pages = [await enter('Ada'), await enter('Bo')] as const
    await meet(...pages)
    await talk(pages, STEADY)
    expect(await carriers(pages)).toEqual(['sse', 'sse'])
    expect([...streams]).toEqual(['Ada', 'Bo'])
  })

  it('that refuses WebSockets leaves connections to those who send, however many tabs there are', async () => {
    await nginx.use('no-websocket')
    const context = await site.person('Tabs')
    const tabs: Page[] = []
    for (const name of ['Ada', 'Bo', 'Cem', 'Dot', 'Eva', 'Fay', 'Gus', 'Hal']) {
      tabs.push(await site.memberIn(context, { room: 'tabs', name, paths: ['relay'] }, { address: nginx.address }))
    }
    const [ada, bo, , , , , , hal] = tabs as [Page, Page, Page, Page, Page, Page, Page, Page]
    await meet(ada, bo)
    await hal.evaluate(() => member.until('Ada', () => member.has('Ada')))
    await ada.evaluate(() => member.until('Hal', () => member.has('Hal')))
    expect(await carriers(tabs)).toEqual(['sse', 'sse', 'sse', 'sse', ...Array.from({ length: 4 }, () => 'short-poll')])
    const plan = { count: 100, burst: 5, pauseMs: 10 }
    expect(await Promise.all([ada, hal].map((tab) => tab.evaluate((one) => member.sendNumbers(one), plan)))).toEqual([
      [],
      [],
    ])
    expect(await hal.evaluate(() => member.tally('Ada'))).toEqual(allOf(100))
    expect(await ada.evaluate(() => member.tally('Hal'))).toEqual(allOf(100))
    const lost = await Promise.all(tabs.map((tab) => tab.evaluate(() => member.room.stats().reconnections)))
    expect(lost).toEqual(tabs.map(() => 0))
  })

  it('members without WebRTC have everything by the carrier', async () => {
    await nginx.use('no-websocket')
    const enter = async (name: string): Promise<Page> => {
      const context = await site.person(name)
      await context.addInitScript(() => {
        Reflect.deleteProperty(globalThis, 'RTCPeerConnection')
      })
      return site.memberIn(context, { room: 'no WebRTC', name }, { address: nginx.address })
    }
    const pages = [await enter('Ada'), await enter('Bo')] as const
    await meet(...pages)
    const hash = await pages[0].evaluate(() => member.offer(2_000_000))
    await talk(pages, STEADY)
    await pages[1].evaluate(() => member.until('the file', () => member.taken.length === 1))
    expect(await pages[1].evaluate(() => member.taken[0]?.sha256)).toBe(hash)
    expect(await pages[0].evaluate(() => member.pathTo('Bo'))).toBe('relay')
    expect(await carriers(pages)).toEqual(['sse', 'sse'])
  })
})
