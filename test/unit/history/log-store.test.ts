import { describe, expect, it } from 'vitest'
import { DAY_MS, entry, KINDS, ROOM, storeMaker, texts, writer } from './stores.ts'

const QUERY = { limit: 256, mostBytes: 10_000_000 }

describe.each(KINDS)('a log (%s)', (kind) => {
  const makeStore = storeMaker(kind)

  it('gives offsets from 1 on, one by one, under one epoch', async () => {
    const { store } = await makeStore()
    const appended = await Promise.all(['a', 'b', 'c'].map((text) => store.append(ROOM, entry(text))))
    expect(appended.map(({ offset }) => offset)).toEqual([1, 2, 3])
    expect(new Set(appended.map(({ epoch }) => epoch)).size).toBe(1)
    expect(await store.read(ROOM, QUERY)).toMatchObject({ epoch: appended[0]?.epoch, first: 1, next: 4, more: false })
    expect(await texts(store)).toEqual(['a', 'b', 'c'])
  })

  it('keeps all that was said of a message', async () => {
    const { store, nowMs } = await makeStore()
    const full = entry('a', { userId: 'ada', profile: { name: 'Ada', tags: ['ä', 1] }, body: Uint8Array.of(0, 255, 7) })
    await store.append(ROOM, full)
    await store.append(ROOM, { ...full, from: undefined, userId: undefined, profile: undefined })
    const { entries } = await store.read(ROOM, QUERY)
    const [first, second] = entries.map((one) => ({ ...one, body: Uint8Array.from(one.body) }))
    expect(first).toEqual({ ...full, offset: 1, atMs: nowMs })
    expect(second).toMatchObject({ from: undefined, userId: undefined, profile: undefined })
  })

  it('does not answer a record with the place that another of its number has in another log', async () => {
    const { store } = await makeStore()
    const mailbox = { ...ROOM, user: 'ada' }
    await store.append(mailbox, entry('a'), writer(1))
    await expect(store.append(ROOM, entry('a'), writer(1))).rejects.toMatchObject({ code: 'forgotten' })
    await expect(store.append({ ...ROOM, user: 'bob' }, entry('a'), writer(1))).rejects.toMatchObject({
      code: 'forgotten',
    })
    expect(await store.append(mailbox, entry('a'), writer(1))).toMatchObject({ offset: 1, repeated: true })
  })

  it('takes a record of a writer once, and answers it as before', async () => {
    const { store } = await makeStore()
    const first = await store.append(ROOM, entry('a'), writer(1))
    const both = await Promise.all([
      store.append(ROOM, entry('b'), writer(2)),
      store.append(ROOM, entry('b'), writer(2)),
    ])
    expect(both.map(({ offset, repeated }) => [offset, repeated])).toEqual([
      [2, false],
      [2, true],
    ])
    expect(await store.append(ROOM, entry('a'), writer(1))).toEqual({ ...first, repeated: true })
    await store.append(ROOM, entry('c'), writer(1, 'w2'))
    expect(await texts(store)).toEqual(['a', 'b', 'c'])
  })

  it('says of a record between others that it was not stored', async () => {
    const { store } = await makeStore()
    await store.append(ROOM, entry('b'), writer(5))
    await expect(store.append(ROOM, entry('a'), writer(4))).rejects.toMatchObject({ code: 'forgotten' })
  })

  it('pages in both directions, from anywhere', async () => {
    const { store } = await makeStore()
    const letters = [...'abcdefghij']
    const [{ epoch = '' } = {}] = await Promise.all(letters.map((text) => store.append(ROOM, entry(text))))
    const page = async (query: object) => {
      const { entries, more } = await store.read(ROOM, { ...QUERY, ...query })
      return [entries.map(({ body }) => Buffer.from(body).toString()).join(''), more]
    }
    expect(await page({ limit: 3 })).toEqual(['hij', true])
    expect(await page({ limit: 3, before: 8, epoch })).toEqual(['efg', true])
    expect(await page({ limit: 3, before: 3 })).toEqual(['ab', false])
    expect(await page({ limit: 3, before: 1 })).toEqual(['', false])
    expect(await page({ limit: 3, after: 0 })).toEqual(['abc', true])
    expect(await page({ limit: 30, after: 7, epoch })).toEqual(['hij', false])
    expect(await page({ limit: 3, after: 10 })).toEqual(['', false])
    expect(await page({ limit: 3, after: 99 })).toEqual(['', false])
    expect(await page({ limit: 0 })).toEqual(['', true])
    // Of another epoch: nothing can be continued.
    expect(await page({ limit: 2, after: 1, epoch: 'another' })).toEqual(['ij', true])
    // A page has a size, too, but one entry always.
    expect(await page({ after: 0, mostBytes: 1 })).toEqual(['a', true])
    expect(await page({ mostBytes: 1 })).toEqual(['j', true])
  })

  it('forgets what is too much or too old, and goes on counting', async () => {
    const world = await makeStore()
    const { store } = world
    world.bounds = { messages: 3, ageMs: 1_000 }
    const { epoch } = await store.append(ROOM, entry('a'), writer(1))
    for (const text of 'bcde') await store.append(ROOM, entry(text))
    expect(await store.read(ROOM, QUERY)).toMatchObject({ epoch, first: 3, next: 6 })
    expect(await texts(store)).toEqual(['c', 'd', 'e'])
    expect(store.stats.entries).toBe(3)
    world.nowMs += 600
    await store.append(ROOM, entry('f'))
    world.nowMs += 600
    expect(await texts(store)).toEqual(['f'])
    store.sweep()
    expect(store.stats.entries).toBe(1)
    world.nowMs += 600
    store.sweep()
    expect(await store.read(ROOM, QUERY)).toMatchObject({ epoch, first: 7, next: 7 })
    expect(store.stats).toMatchObject({ entries: 0, bytes: 0, logs: 1 })
    // Its own record is still known, although it is not kept.
    expect(await store.append(ROOM, entry('a'), writer(1))).toMatchObject({ offset: 1, repeated: true })
  })

  it('begins another epoch when it was cleared, or when all of it is long forgotten', async () => {
    const world = await makeStore()
    const { store } = world
    const first = await store.append(ROOM, entry('a'))
    await store.setPosition(ROOM, 'ada', first.epoch, 1, true)
    expect(await store.clear(ROOM)).toBe(true)
    expect(await store.clear(ROOM)).toBe(false)
    expect(await store.read(ROOM, QUERY)).toMatchObject({ epoch: undefined, first: 1, next: 1, entries: [] })
    const second = await store.append(ROOM, entry('b'))
    expect(second).toMatchObject({ offset: 1 })
    expect(second.epoch).not.toBe(first.epoch)
    expect((await store.positions(ROOM, 'ada')).of).toEqual([])
    world.nowMs += DAY_MS
    store.sweep()
    expect(store.stats.logs).toBe(1)
    world.nowMs += 1
    store.sweep()
    expect(store.stats).toMatchObject({ logs: 0, entries: 0, bytes: 0 })
    expect((await store.append(ROOM, entry('c'))).epoch).not.toBe(second.epoch)
  })

  it('hides what no rule keeps any more, and does not lose it', async () => {
    const world = await makeStore()
    const { store, bounds } = world
    await store.append(ROOM, entry('a'))
    world.bounds = undefined
    store.sweep()
    expect(await texts(store)).toEqual([])
    world.bounds = bounds
    expect(await texts(store)).toEqual(['a'])
  })

  it('keeps rooms and mailboxes apart, whatever their names', async () => {
    const { store } = await makeStore()
    const logs = [
      ROOM,
      { room: 'lobby', user: 'ada' },
      { room: 'lobby\u0000ada', user: undefined },
      { room: 'lobby', user: '~e4.' },
      { room: 'lobby', user: 'ä' },
      { room: 'lobby', user: '\ud83d\ude00' },
    ]
    for (const [index, log] of logs.entries()) await store.append(log, entry(String(index)))
    for (const [index, log] of logs.entries()) expect(await texts(store, {}, log)).toEqual([String(index)])
  })

  it('refuses when it keeps all that it may', async () => {
    const { store } = await makeStore(2_000)
    const big = entry('x'.repeat(600))
    await store.append(ROOM, big, writer(1))
    await expect(store.append(ROOM, big, writer(2))).rejects.toMatchObject({ code: 'history-full' })
    expect(await store.append(ROOM, big, writer(1))).toMatchObject({ repeated: true })
    await store.clear(ROOM)
    await store.append(ROOM, big, writer(3))
  })

  it('stores nothing of what the disk refuses, tells everyone who waits, and goes on after', async () => {
    const world = await makeStore()
    const { store } = world
    await store.append(ROOM, entry('a'), writer(1))
    world.refuse = true
    const refused = await Promise.allSettled(
      ['b', 'c'].map((text, index) => store.append(ROOM, entry(text), writer(index + 2))),
    )
    expect(refused).toMatchObject([{ reason: { code: 'store-failed' } }, { reason: { code: 'store-failed' } }])
    expect(world.failures).toHaveLength(1)
    expect(store.stats).toMatchObject({ entries: 1, failedCommits: 1, waitingBytes: 0 })
    world.refuse = false
    expect(await store.append(ROOM, entry('d'), writer(4))).toMatchObject({ offset: 2, repeated: false })
    await expect(store.append(ROOM, entry('b'), writer(2))).rejects.toMatchObject({ code: 'forgotten' })
    expect(await texts(store)).toEqual(['a', 'd'])
  })

  it('has positions that only go forward, of this epoch, and shows those that are shared', async () => {
    const { store } = await makeStore()
    const { epoch } = await store.append(ROOM, entry('a', { userId: 'ada' }))
    await store.append(ROOM, entry('b', { userId: 'bob' }))
    await store.append(ROOM, entry('c', { userId: 'bob' }))
    const read = { ...QUERY, limit: 0, reader: 'ada' }
    expect(await store.read(ROOM, read)).toMatchObject({ position: 0, unread: 2 })
    expect(await store.setPosition(ROOM, 'ada', epoch, 2, false)).toBe(2)
    expect(await store.setPosition(ROOM, 'ada', epoch, 1, false)).toBeUndefined()
    expect(await store.setPosition(ROOM, 'ada', epoch, 9, false)).toBeUndefined()
    expect(await store.setPosition(ROOM, 'ada', 'another', 3, false)).toBeUndefined()
    expect(await store.read(ROOM, read)).toMatchObject({ position: 2, unread: 1 })
    await store.setPosition(ROOM, 'bob', epoch, 3, true)
    expect((await store.positions(ROOM, 'eve')).of).toEqual([{ userId: 'bob', offset: 3 }])
    expect((await store.positions(ROOM, 'ada')).of).toHaveLength(2)
    expect(await store.setPosition(ROOM, 'bob', epoch, 1, false)).toBe(3)
    expect((await store.positions(ROOM, undefined)).of).toEqual([])
  })

  it('keeps the newest positions of a crowd that reads at once', async () => {
    const { store } = await makeStore()
    const { epoch } = await store.append(ROOM, entry('a'))
    for (const group of [0, 1]) {
      const users = Array.from({ length: 700 }, (_, index) => `${group}-${index}`)
      await Promise.all(users.map((user) => store.setPosition(ROOM, user, epoch, 1, true)))
    }
    await store.setPosition(ROOM, 'last', epoch, 1, true)
    const { of } = await store.positions(ROOM, undefined)
    expect(of.length).toBeGreaterThan(900)
    expect(of.length).toBeLessThanOrEqual(1_000)
    const users = of.map(({ userId }) => userId)
    expect(users).toContain('last')
    expect(users.filter((user) => user.startsWith('1-'))).toHaveLength(700)
  })

  it('keeps a position that has moved just now when others make place', async () => {
    const world = await makeStore()
    const { store } = world
    const { epoch } = await store.append(ROOM, entry('a'))
    await store.append(ROOM, entry('b'))
    for (const group of [0, 1]) {
      const users = Array.from({ length: 500 }, (_, index) => `${group}-${index}`)
      await Promise.all(users.map((user) => store.setPosition(ROOM, user, epoch, 1, true)))
      world.nowMs += 1
    }
    await Promise.all(['0-0', 'a newcomer'].map((user) => store.setPosition(ROOM, user, epoch, 2, true)))
    const { of } = await store.positions(ROOM, undefined)
    expect(of).toHaveLength(901)
    expect(of.filter(({ offset }) => offset === 2).map(({ userId }) => userId)).toEqual(['0-0', 'a newcomer'])
  })

  it('counts positions as what it keeps, and takes no new ones when that is enough; those that are there move', async () => {
    let world = await makeStore(1_000_000)
    world.bounds = { messages: 10, ageMs: 10 * DAY_MS }
    const logs = Array.from({ length: 3 }, (_, index) => ({ room: `room ${index}`, user: undefined }))
    const epochs = new Map<unknown, string>()
    for (const log of logs) {
      epochs.set(log.room, (await world.store.append(log, entry('a'))).epoch)
      await world.store.append(log, entry('b'))
    }
    const without = world.store.stats.bytes
    const read = (log: (typeof logs)[number], user: string, offset = 1) =>
      world.store.setPosition(log, user, epochs.get(log.room) ?? '', offset, true)
    const refused: string[] = []
    for (const log of logs) {
      for (let group = 0; group < 12; group += 1) {
        world.nowMs += 1
        const users = Array.from({ length: 100 }, (_, index) => `user ${group}-${index}`)
        await Promise.all(users.map((user) => read(log, user).catch(({ code }) => refused.push(code))))
      }
    }
    expect(world.store.stats.bytes).toBeGreaterThan(without + 1_500 * 500)
    expect(world.store.stats.bytes).toBeLessThanOrEqual(1_000_000)
    expect(new Set(refused)).toEqual(new Set(['history-full']))
    const { bytes } = world.store.stats
    if (kind === 'file') {
      world = await world.again()
      expect(world.store.stats.bytes).toBe(bytes)
    }
    const [log = ROOM as (typeof logs)[number], second = log] = logs
    await expect(read(second, 'a newcomer')).rejects.toMatchObject({ code: 'history-full' })
    const { of } = await world.store.positions(second, undefined)
    const [first] = of
    expect(await read(second, first?.userId ?? '', 2)).toBe(2)
    // A table that is full makes place for itself.
    expect(await read(log, 'a newcomer')).toBe(1)
    await world.store.clear(log)
    expect(await read(second, 'a newcomer')).toBe(1)
  })

  it('forgets a writer a day after its last record', async () => {
    const world = await makeStore()
    const { store } = world
    world.bounds = { messages: 100, ageMs: 100 * DAY_MS }
    await store.append(ROOM, entry('a'), writer(1))
    world.nowMs += DAY_MS - 1
    store.sweep()
    expect(await store.append(ROOM, entry('a'), writer(1))).toMatchObject({ repeated: true })
    world.nowMs += 1
    store.sweep()
    expect(await store.append(ROOM, entry('a'), writer(1))).toMatchObject({ repeated: false })
  })

  it('writes what comes while it writes together', async () => {
    const { store } = await makeStore()
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => store.append(ROOM, entry(`${index}`), writer(index + 1))),
    )
    expect(store.stats.commits).toBeLessThan(5)
  })
})

describe('a log in a file', () => {
  const makeStore = storeMaker('file')

  it('is there after a restart: entries, epoch, writers, positions', async () => {
    const world = await makeStore()
    const { epoch } = await world.store.append(ROOM, entry('a'), writer(1))
    await world.store.append(ROOM, entry('b', { userId: 'bob' }), writer(2))
    await world.store.setPosition(ROOM, 'ada', epoch, 1, true)
    await world.store.append({ room: 'gone', user: undefined }, entry('x'))
    await world.store.clear({ room: 'gone', user: undefined })
    const { store } = await world.again()
    expect(await texts(store)).toEqual(['a', 'b'])
    expect(await store.append(ROOM, entry('b'), writer(2))).toEqual({ epoch, offset: 2, repeated: true })
    expect(await store.append(ROOM, entry('c'), writer(3))).toEqual({ epoch, offset: 3, repeated: false })
    expect(await store.read(ROOM, { ...QUERY, reader: 'ada' })).toMatchObject({ position: 1, unread: 2 })
    expect(await texts(store, {}, { room: 'gone', user: undefined })).toEqual([])
    store.sweep()
    store.sweep()
    expect(store.stats).toMatchObject({ logs: 1, entries: 3 })
  })

  it('never takes a log that is gone for another, though the server was restarted meanwhile', async () => {
    const world = await makeStore()
    await world.store.append(ROOM, entry('a'), writer(1))
    await world.store.clear(ROOM)
    world.store.sweep()
    const { store } = await world.again()
    await store.append({ room: 'another', user: undefined }, entry('b'), writer(1, 'w2'))
    await expect(store.append(ROOM, entry('a'), writer(1))).rejects.toMatchObject({ code: 'forgotten' })
  })
})

describe('a log in memory', () => {
  const makeStore = storeMaker('memory')

  it('has another epoch after a restart', async () => {
    const world = await makeStore()
    const { epoch } = await world.store.append(ROOM, entry('a'))
    const { store } = await world.again()
    expect((await store.append(ROOM, entry('b'))).epoch).not.toBe(epoch)
  })
})
