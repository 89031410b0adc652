import { describe, expect, it } from 'vitest'
import { Beginnings } from '../../../signaling/history/beginnings.ts'
import type { LogName } from '../../../signaling/history/store.ts'
import { DAY_MS, entry, KINDS, ROOM, storeMaker, texts } from './stores.ts'

const HOUR_MS = 3_600_000
const box = (user: string, room = 'lobby'): LogName => ({ room, user })

describe('beginning logs', () => {
  it('is for so many at once, and then as an hour goes', () => {
    const beginnings = new Beginnings(() => 10)
    const takes = (account: string, nowMs: number): number => {
      let taken = 0
      while (taken < 100 && beginnings.take(account, nowMs)) taken += 1
      return taken
    }
    expect([takes('eve', 0), takes('eve', 0), takes('ada', 0)]).toEqual([10, 0, 10])
    expect([takes('eve', HOUR_MS / 10 - 1), takes('eve', HOUR_MS / 10), takes('eve', HOUR_MS / 2)]).toEqual([0, 1, 4])
    // A clock that is set back gives nothing and takes nothing.
    expect([takes('eve', 0), takes('eve', HOUR_MS / 10)]).toEqual([0, 1])
    expect(takes('eve', 100 * HOUR_MS)).toBe(10)
  })

  it('remembers who has begun one for an hour', () => {
    const beginnings = new Beginnings(() => 10)
    for (let n = 0; n < 1_000; n += 1) beginnings.take(`user ${n}`, n)
    expect(beginnings.size).toBe(1_000)
    beginnings.take('user 0', 2 * HOUR_MS)
    expect(beginnings.size).toBe(1)
  })
})

describe.each(KINDS)('new logs (%s)', (kind) => {
  const makeStore = storeMaker(kind)

  it('are refused to an account that has begun enough; what there is still takes messages', async () => {
    const world = await makeStore()
    world.limits = { mailboxesPerRoom: 100, newLogsPerHour: 2 }
    const { store } = world
    let n = 0
    const write = (log: LogName, account?: string) => {
      n += 1
      return store.append(log, entry(`${n}`), { key: `${account}`, n, ...(account === undefined ? {} : { account }) })
    }
    await write(box('ada'), 'eve')
    await write({ room: 'hall', user: undefined }, 'eve')
    await expect(write(box('bo'), 'eve')).rejects.toMatchObject({ code: 'rate-limited' })
    await expect(write(ROOM, 'eve')).rejects.toMatchObject({ code: 'rate-limited' })
    await write(box('ada'), 'eve')
    await write(box('bo'), 'ada')
    await write(box('bo'), 'eve')
    for (let user = 0; user < 10; user += 1) await write(box(`${user}`))
    world.nowMs += HOUR_MS
    await write(ROOM, 'eve')
    expect(store.stats.logs).toBe(14)
  })

  it('takes for a mailbox too many one that has expired, and nothing else', async () => {
    const world = await makeStore()
    world.limits = { mailboxesPerRoom: 3, newLogsPerHour: 1_000 }
    world.bounds = { messages: 100, ageMs: HOUR_MS }
    const { store } = world
    await store.append(ROOM, entry('to all'))
    for (const user of ['ada', 'bo', 'cy']) await store.append(box(user), entry(`to ${user}`))
    await expect(store.append(box('dee'), entry('x'))).rejects.toMatchObject({ code: 'mailboxes-full' })
    await store.append(box('dee', 'hall'), entry('x'))
    world.nowMs += HOUR_MS
    await store.append(box('ada'), entry('to ada again'))
    await expect(store.append(box('dee'), entry('x'))).rejects.toMatchObject({ code: 'mailboxes-full' })
    world.nowMs += 1
    // What is left of Bo's and Cy's cannot be read any more; Ada's can.
    await store.append(box('dee'), entry('to dee'))
    await store.append(box('eli'), entry('to eli'))
    await expect(store.append(box('fay'), entry('x'))).rejects.toMatchObject({ code: 'mailboxes-full' })
    expect(await texts(store, {}, box('ada'))).toEqual(['to ada again'])
    expect(await texts(store, {}, box('dee'))).toEqual(['to dee'])
    expect((await store.read(box('bo'), { limit: 1, mostBytes: 1 })).epoch).toBeUndefined()
    // The room's own log is no mailbox.
    expect((await store.read(ROOM, { limit: 1, mostBytes: 1 })).epoch).toBeDefined()
    expect(store.stats.logs).toBe(5)
  })

  it('takes the one that has expired, also when the disk has refused something for it meanwhile', async () => {
    const world = await makeStore()
    world.limits = { mailboxesPerRoom: 2, newLogsPerHour: 1_000 }
    world.bounds = { messages: 100, ageMs: HOUR_MS }
    for (const user of ['ada', 'bo']) await world.store.append(box(user), entry(`to ${user}`))
    world.nowMs += HOUR_MS / 2
    await world.store.append(box('bo'), entry('to bo again'))
    world.refuse = true
    await expect(world.store.append(box('ada'), entry('x'))).rejects.toMatchObject({ code: 'store-failed' })
    world.refuse = false
    world.nowMs += HOUR_MS / 2 + 1
    await world.store.append(box('cy'), entry('to cy'))
    expect(await texts(world.store, {}, box('ada'))).toEqual([])
    expect(await texts(world.store, {}, box('bo'))).toEqual(['to bo again'])
  })

  it('begins no more than a quarter of the mailboxes of a room for one account, whose own make place when they have expired', async () => {
    let world = await makeStore()
    world.limits = { mailboxesPerRoom: 8, newLogsPerHour: 1_000 }
    world.bounds = { messages: 100, ageMs: HOUR_MS }
    let n = 0
    const write = (user: string, account?: string, room = 'lobby') => {
      n += 1
      const writer = { key: `${account}`, n, ...(account === undefined ? {} : { account }) }
      return world.store.append(box(user, room), entry(`${n}`), writer)
    }
    const refused = expect.objectContaining({ code: 'mailboxes-full' })
    await write('bo', 'ada')
    await write('eve 1', 'eve')
    await write('eve 2', 'eve')
    await expect(write('eve 3', 'eve')).rejects.toEqual(refused)
    // What is there takes hers as ever, and another room has its own.
    await write('bo', 'eve')
    await write('eve 3', 'eve', 'hall')
    if (kind === 'file') world = await world.again()
    await expect(write('eve 3', 'eve')).rejects.toEqual(refused)
    // Others find place, and so does a backend.
    for (const user of ['cy', 'dee']) await write(user, user)
    for (const user of ['eli', 'fay', 'gus']) await write(user)
    await expect(write('hal', 'cy')).rejects.toEqual(refused)
    world.nowMs += HOUR_MS + 1
    await write('bo', 'ada')
    await write('eve 3', 'eve')
    expect(await texts(world.store, {}, box('eve 1'))).toEqual([])
    expect(await texts(world.store, {}, box('bo'))).toHaveLength(1)
    // Of eight, one was hers and is gone; the others are as they were.
    expect(world.store.stats.logs).toBe(9)
    await world.store.clear(box('eve 3'))
    await write('eve 4', 'eve')
  })

  it('counts what was there before a restart, and what the disk refused not', async () => {
    let world = await makeStore()
    world.limits = { mailboxesPerRoom: 2, newLogsPerHour: 1_000 }
    await world.store.append(box('ada'), entry('a'))
    world.refuse = true
    await expect(world.store.append(box('bo'), entry('b'))).rejects.toMatchObject({ code: 'store-failed' })
    world.refuse = false
    await world.store.append(box('bo'), entry('b'))
    if (kind === 'file') world = await world.again()
    await expect(world.store.append(box('cy'), entry('c'))).rejects.toMatchObject({ code: 'mailboxes-full' })
    // An eviction that the disk refuses leaves what there was.
    world.nowMs += DAY_MS + 1
    world.refuse = true
    await expect(world.store.append(box('cy'), entry('c'))).rejects.toMatchObject({ code: 'store-failed' })
    world.refuse = false
    expect((await world.store.read(box('ada'), { limit: 1, mostBytes: 1 })).epoch).toBeDefined()
    expect(world.store.stats.logs).toBe(2)
    await world.store.append(box('cy'), entry('c'))
    expect(world.store.stats.logs).toBe(2)
    await world.store.clear(box('cy'))
    await world.store.append(box('dee'), entry('d'))
  })
})
