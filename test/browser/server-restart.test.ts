import type { Page } from 'playwright'
import { describe, expect, it } from 'vitest'
import { testIds } from '../../web/ui/test-ids.ts'
import type { Site } from '../support/rooms/site.ts'
import { allOf } from '../support/rooms/tally.ts'
import { useSite } from '../support/rooms/use-site.ts'

const COUNT = 1_000
const PLAN = { count: COUNT, burst: 5, pauseMs: 10 } as const

let site: Site
useSite((started) => {
  site = started
  site.troubles.allowServerLoss()
})

async function two(room: string, options: { paths?: readonly ['relay'] }): Promise<[Page, Page]> {
  const ada = await site.member({ room, name: 'Ada', ...options })
  const bo = await site.member({ room, name: 'Bo', ...options })
  const path = options.paths === undefined ? 'direct' : 'relay'
  await ada.evaluate((wanted) => member.until(wanted, () => member.pathTo('Bo') === wanted), path)
  await bo.evaluate((wanted) => member.until(wanted, () => member.pathTo('Ada') === wanted), path)
  return [ada, bo]
}

/** Both send; when traffic flows the server goes, and when both have noticed it comes back. */
async function sendAcross([ada, bo]: readonly [Page, Page], goes: () => Promise<unknown>): Promise<void> {
  const ids = await Promise.all([ada, bo].map((page) => page.evaluate(() => member.room.self?.id)))
  const sending = [ada, bo].map((page) => page.evaluate((plan) => member.sendNumbers(plan), PLAN))
  await Promise.all([
    bo.evaluate(() => member.until('traffic', () => member.received('Ada') > 200)),
    ada.evaluate(() => member.until('traffic', () => member.received('Bo') > 200)),
  ])
  await goes()
  for (const page of [ada, bo]) {
    await page.evaluate(() => member.until('noticed', () => member.room.status === 'reconnecting'))
  }
  await site.server.start()
  expect(await Promise.all(sending)).toEqual([[], []])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(COUNT))
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(COUNT))
  for (const page of [ada, bo]) {
    await page.evaluate(() => member.until('online', () => member.room.status === 'online'))
  }
  expect(await Promise.all([ada, bo].map((page) => page.evaluate(() => member.room.self?.id)))).toEqual(ids)
  const told = await Promise.all([ada, bo].map((page) => page.evaluate(() => member.events)))
  expect(told.flat().filter((event) => /^(?:leave|gap)/.test(event))).toEqual([])
}

describe.each([
  ['killed', () => site.server.kill()],
  ['stopped in good order', async () => expect(await site.server.stop()).toBe(0)],
])('a server that is %s and started again, with 1,000 numbered messages each way in flight', (how, goes) => {
  it('loses nothing by the relay', async () => {
    await sendAcross(await two(`relay, ${how}`, { paths: ['relay'] }), goes)
  })

  it('loses nothing with direct paths, which carry on meanwhile', async () => {
    await sendAcross(await two(`direct, ${how}`, {}), goes)
  })
})

it('members on a direct path go on talking while there is no server', async () => {
  const [ada, bo] = await two('no server', {})
  await site.server.kill()
  for (const page of [ada, bo]) {
    await page.evaluate(() => member.until('noticed', () => member.room.status === 'reconnecting'))
  }
  expect(await ada.evaluate(() => member.sendNumbers({ count: 200 }))).toEqual([])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(200))
  await site.server.start()
  for (const page of [ada, bo]) {
    await page.evaluate(() => member.until('online', () => member.room.status === 'online'))
  }
  expect(await bo.evaluate(() => member.sendNumbers({ count: 200 }))).toEqual([])
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(200))
})

it('the chat page says that the server is gone, and delivers what was written meanwhile', async () => {
  const room = 'chat without a server'
  const ada = await site.visitor(room, 'Ada')
  const bo = await site.visitor(room, 'Bo')
  await ada.seesMembers(1)
  await bo.seesMembers(1)
  await site.server.kill()
  await ada.statusIs('reconnecting')
  await ada.page.getByTestId(testIds.statusBanner).waitFor()
  for (let n = 0; n < 5; n += 1) await ada.say(`written meanwhile ${n}`)
  await site.server.start()
  await ada.online()
  await ada.page.getByTestId(testIds.statusBanner).waitFor({ state: 'detached' })
  for (let n = 0; n < 5; n += 1) expect(await bo.sees(`written meanwhile ${n}`)).toBe(1)
  expect(await bo.messages.allInnerTexts()).toHaveLength(5)
  await ada.seesAllDelivered()
})
