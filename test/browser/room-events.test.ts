import { expect, it } from 'vitest'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite((started) => {
  site = started
})

it('join, change of profile, and leave are told', async () => {
  const room = 'events'
  const ada = await site.member({ room, name: 'Ada' })
  const bo = await site.member({ room, name: 'Bo' })
  await ada.evaluate(() => member.until('joined', () => member.events.includes('join Bo')))
  await bo.evaluate(() => member.until('is here', () => member.events.includes('here already Ada')))
  await bo.evaluate(() => member.room.setProfile({ name: 'Bo', mood: 'fine' }))
  await ada.evaluate(() => member.until('profile', () => member.peer('Bo').profile.mood === 'fine'))
  await bo.evaluate(() => member.room.leave())
  await ada.evaluate(() => member.until('left', () => member.events.includes('leave Bo left')))
  expect(await ada.evaluate(() => member.room.peers.size)).toBe(0)
  expect(await bo.evaluate(() => member.room.closed)).toBeUndefined()
  expect(await bo.evaluate(() => member.room.status)).toBe('closed')
})

it('a closed tab is away at first, and soon gone', async () => {
  const room = 'closed tab'
  const ada = await site.member({ room, name: 'Ada', paths: ['relay'] })
  const bo = await site.member({ room, name: 'Bo', paths: ['relay'] })
  await ada.evaluate(() => member.until('joined', () => member.has('Bo')))
  await bo.close({ runBeforeUnload: true })
  await ada.evaluate(() => member.until('left', () => member.events.some((event) => event.startsWith('leave Bo'))))
  expect(await ada.evaluate(() => member.events.slice(-2))).toEqual(['presence Bo away', 'leave Bo expired'])
})

it.each(['direct', 'relay'] as const)('positions: the newest wins, never going back, by %s', async (path) => {
  const room = `positions ${path}`
  const options = path === 'relay' ? { room, paths: ['relay'] as const } : { room }
  const ada = await site.member({ ...options, name: 'Ada' })
  const bo = await site.member({ ...options, name: 'Bo' })
  for (const [page, other] of [
    [ada, 'Bo'],
    [bo, 'Ada'],
  ] as const) {
    await page.evaluate(([name, wanted]) => member.until(wanted, () => member.pathTo(name) === wanted), [
      other,
      path,
    ] as const)
  }
  for (const [page, name, other] of [
    [ada, 'Ada', bo],
    [bo, 'Bo', ada],
  ] as const) {
    // One that comes for sure before the newest: while a machine stands still, all between them may be left out.
    await page.evaluate(() => {
      member.set(1)
      member.set(-1, 'mirrored')
    })
    await other.evaluate(
      (from) =>
        member.until('the first', () => member.position(from) === 1 && member.position(from, 'mirrored') === -1),
      name,
    )
    await page.evaluate(async () => {
      for (let x = 2; x <= 200; x += 1) {
        member.set(x)
        member.set(-x, 'mirrored')
        if (x % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 4))
      }
    })
  }
  for (const [page, other] of [
    [ada, 'Bo'],
    [bo, 'Ada'],
  ] as const) {
    await page.evaluate(
      (name) =>
        member.until('the newest', () => member.position(name) === 200 && member.position(name, 'mirrored') === -200),
      other,
    )
    const seen = await page.evaluate(() => member.positions)
    for (const sign of [1, -1]) {
      const values = seen.filter(({ key }) => (key === 'mirrored' ? -1 : 1) === sign).map(({ x }) => x * sign)
      expect(values).toEqual([...new Set(values)].sort((a, b) => a - b))
      expect(values.length).toBeGreaterThan(1)
    }
  }
})

it('asks and is answered, also that it cannot be', async () => {
  const room = 'questions'
  const ada = await site.member({ room, name: 'Ada' })
  const bo = await site.member({ room, name: 'Bo' })
  await ada.evaluate(() => member.until('joined', () => member.has('Bo')))
  expect(await ada.evaluate(() => member.ask('Bo', 21))).toBe(42)
  expect(await bo.evaluate(() => member.ask('Ada', 4))).toBe(8)
  expect(await ada.evaluate(() => member.ask('Bo', -1))).toBe('handler-failed: nothing below zero, Ada')
  const many = await ada.evaluate(() =>
    Promise.all(Array.from({ length: 100 }, (_, question) => member.ask('Bo', question))),
  )
  expect(many).toEqual(Array.from({ length: 100 }, (_, question) => question * 2))
})

it('a message sent in the same turn as joinRoom reaches those who are there', async () => {
  const room = 'same turn'
  const ada = await site.member({ room, name: 'Ada' })
  const bo = await site.member({ room, name: 'Bo' }, { ready: false })
  await bo.evaluate(() => member.say('before ready'))
  await ada.evaluate(() => member.until('heard', () => member.texts.includes('Bo: before ready')))
})
