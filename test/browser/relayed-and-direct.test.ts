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
  expect(await ada.evaluate(() => [member.pathTo('Bo'), member.connections.size])).toEqual(['relay', 0])
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
  expect(paths.at(0)).toBe('path Bo relay')
  expect(paths.at(-1)).toBe('path Bo direct')
  const stats = await ada.evaluate(() => member.pathStats('Bo'))
  expect(stats).toMatchObject({ path: 'direct', protocol: 'udp', unacknowledgedBytes: 0 })
  expect(stats.localCandidate).toMatch(/^(?:host|prflx)$/)
  expect(stats.remoteCandidate).toMatch(/^(?:host|prflx)$/)
  expect(stats.rttMs).toBeGreaterThan(0)
  expect(await ada.evaluate(() => member.selectedPair())).toMatchObject({ relayProtocol: 'none' })
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
  expect(await ada.evaluate(() => member.closeConnections())).toBe(1)
  await ada.evaluate(() => member.until('on the relay', () => member.pathTo('Bo') === 'relay'))
  await ada.evaluate(() => member.until('direct again', () => member.pathTo('Bo') === 'direct'))
  expect(await Promise.all(sending)).toEqual([[], []])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(1_000))
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(1_000))
  await bo.evaluate(() => member.until('direct again', () => member.pathTo('Ada') === 'direct'))
})
