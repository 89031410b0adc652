import { expect, it } from 'vitest'
import type { Site } from '../support/rooms/site.ts'
import { allOf } from '../support/rooms/tally.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite((started) => {
  site = started
})

it('relay only: numbered messages both ways, and no peer connection is made', async () => {
  const room = 'relay only'
  const ada = await site.member({ room, name: 'Ada', paths: ['relay'] })
  const bo = await site.member({ room, name: 'Bo', paths: ['relay'] })
  await ada.evaluate(() => member.until('Bo is here', () => member.has('Bo')))
  const missed = await Promise.all([ada, bo].map((page) => page.evaluate(() => member.sendNumbers({ count: 1_000 }))))
  expect(missed).toEqual([[], []])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(1_000))
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(1_000))
  await ada.evaluate(() => member.until('on the relay', () => member.pathTo('Bo') === 'relay'))
  expect(await ada.evaluate(() => member.connections.size)).toBe(0)
})

it('relay first, direct soon: nothing is lost on the way, and the statistics say host candidates', async () => {
  const room = 'direct'
  const ada = await site.member({ room, name: 'Ada' })
  const bo = await site.member({ room, name: 'Bo' })
  await ada.evaluate(() => member.until('Bo is here', () => member.has('Bo')))
  const sending = [ada, bo].map((page) =>
    page.evaluate(() => member.sendNumbers({ count: 1_000, burst: 10, pauseMs: 10 })),
  )
  for (const [page, other] of [
    [ada, 'Bo'],
    [bo, 'Ada'],
  ] as const) {
    await page.evaluate((name) => member.until('direct', () => member.pathTo(name) === 'direct'), other)
  }
  expect(await Promise.all(sending)).toEqual([[], []])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(1_000))
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(1_000))
  const paths = await ada.evaluate(() => member.events.filter((event) => event.startsWith('path Bo')))
  expect(paths.slice(0, 2)).toEqual(['path Bo relay', 'path Bo direct'])
  const statsOf = () => ada.evaluate(() => member.statsOn('Bo', 'direct'))
  await expect.poll(statsOf).toMatchObject({ path: 'direct', protocol: 'udp', unacknowledgedBytes: 0 })
  const stats = await statsOf()
  expect(stats.localCandidate).toMatch(/^(?:host|prflx)$/)
  expect(stats.remoteCandidate).toMatch(/^(?:host|prflx)$/)
  expect(stats.rttMs).toBeGreaterThan(0)
  await expect.poll(() => ada.evaluate(() => member.selectedPair())).toMatchObject({ relayProtocol: 'none' })
})

it('a direct path that is closed under traffic: the relay at once, direct again soon, nothing lost', async () => {
  const room = 'closed under traffic'
  const ada = await site.member({ room, name: 'Ada' })
  const bo = await site.member({ room, name: 'Bo' })
  await ada.evaluate(() => member.until('direct', () => member.pathTo('Bo') === 'direct'))
  await bo.evaluate(() => member.until('direct', () => member.pathTo('Ada') === 'direct'))
  const sending = [ada, bo].map((page) =>
    page.evaluate(() => member.sendNumbers({ count: 1_000, burst: 5, pauseMs: 20 })),
  )
  await bo.evaluate(() => member.until('traffic', () => member.received('Ada') > 100))
  await ada.evaluate(async () => {
    await member.until('direct', () => member.pathTo('Bo') === 'direct')
    const before = member.events.length
    if (member.closeConnections() === 0) throw new Error('nothing was connected')
    // Told, however briefly it is there.
    await member.until('on the relay', () => member.events.slice(before).includes('path Bo relay'))
  })
  await ada.evaluate(() => member.until('direct again', () => member.pathTo('Bo') === 'direct'))
  expect(await Promise.all(sending)).toEqual([[], []])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(1_000))
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(1_000))
  await bo.evaluate(() => member.until('direct again', () => member.pathTo('Ada') === 'direct'))
})
