import { describe, expect, it } from 'vitest'
import { decodeLatest, encodeLatest, LIMITS, type PeerId } from '../../../signaling/protocol/index.ts'
import { LatestChannels } from '../../../web/client/channel/latest.ts'
import type { LatestValue } from '../../../web/client/face.ts'
import fc from '../../support/properties.ts'
import { ClientClock, turn } from './client-clock.ts'
import { ADA, BEN, CAT } from './port-network.ts'

interface Transmitted {
  readonly frame: Uint8Array
  readonly slot: number
  readonly to: readonly PeerId[] | undefined
}

function member(counter?: number) {
  const clock = new ClientClock(0)
  const transmitted: Transmitted[] = []
  const room = new LatestChannels(
    {
      clock,
      transmit: (frame, slot, to) => transmitted.push({ frame, slot, to }),
      sentNow: () => clock.now() & 0xffffff,
      sentAtMs: (sent) => 1_000_000 + sent,
    },
    counter,
  )
  const values = (): unknown[] =>
    transmitted.splice(0).map(({ frame }) => JSON.parse(new TextDecoder().decode(decodeLatest(frame).body)))
  return { clock, transmitted, room, values }
}

/** A frame as another member would send it. */
const frame = (counter: number, value: unknown, key = '') =>
  decodeLatest(
    encodeLatest({
      audience: 'room',
      channel: 3,
      counter,
      sent: counter & 0xffffff,
      key,
      content: 0,
      body: new TextEncoder().encode(JSON.stringify(value)),
    }),
  )

describe('setting a value', () => {
  it('sends it at once, and twice more when nothing newer comes', () => {
    const { clock, room, values } = member()
    room.open<number>('pos', 1).set(7)
    expect(values()).toEqual([7])
    clock.advance(49)
    expect(values()).toEqual([])
    clock.advance(1)
    expect(values()).toEqual([7])
    clock.advance(149)
    expect(values()).toEqual([])
    clock.advance(1)
    expect(values()).toEqual([7])
    clock.advance(10_000)
    expect(values()).toEqual([])
    expect(clock.pending()).toBe(0)
  })

  it('repeats only the newest, with one timer however many keys there are', () => {
    const { clock, room, values } = member()
    const pos = room.open<number>('pos', 1)
    for (let value = 0; value < 100; value += 1) {
      pos.set(value, { key: `k${value % 10}` })
      clock.advance(1)
      expect(clock.pending()).toBe(1)
    }
    values()
    clock.advance(1_000)
    expect(values()).toEqual([...Array(20).keys()].map((index) => 90 + (index % 10)))
    expect(clock.pending()).toBe(0)
  })

  it('counts over all channels, from one value to the next, across the wrap', () => {
    const { room, transmitted } = member(0xffff_fffe)
    room.open<number>('a', 1).set(1)
    room.open<number>('b', 2).set(2)
    expect(transmitted.map(({ frame: bytes }) => decodeLatest(bytes).counter)).toEqual([0xffff_ffff, 0])
  })

  it('has a slot of its own for each channel and key, and the same again', () => {
    const { room, transmitted } = member()
    const [a, b] = [room.open<number>('a', 1), room.open<number>('b', 2)]
    a.set(1)
    a.set(1, { key: 'x' })
    b.set(1)
    b.set(1, { key: 'x' })
    a.set(1, { key: 'x' })
    const slots = transmitted.map(({ slot }) => slot)
    expect(new Set(slots.slice(0, 4)).size).toBe(4)
    expect(slots[4]).toBe(slots[1])
  })

  it('sends to some only, and repeats to them what stands for the room beside it', () => {
    const { clock, room, transmitted } = member()
    const pos = room.open<number>('pos', 1)
    pos.set(1)
    pos.set(2, { to: BEN })
    expect(transmitted.map(({ to }) => to)).toEqual([undefined, [BEN]])
    expect(transmitted.map(({ frame: bytes }) => decodeLatest(bytes).audience)).toEqual(['room', 'unicast'])
    clock.advance(1_000)
    expect(transmitted.map(({ to }) => to)).toEqual([undefined, [BEN], undefined, [BEN], undefined, [BEN]])
  })

  it('is refused when value, key or receiver is not within the limits, or the room is over', () => {
    const { room } = member()
    const pos = room.open<unknown & object>('pos', 1)
    const code = (set: () => void): unknown => {
      try {
        return set()
      } catch (error) {
        return (error as { code: unknown }).code
      }
    }
    expect(code(() => pos.set(new Uint8Array(LIMITS.latestBytes + 1)))).toBe('too-large')
    expect(code(() => pos.set(new Uint8Array(LIMITS.latestBytes)))).toBeUndefined()
    expect(code(() => pos.set({}, { key: 'é'.repeat(33) }))).toBe('bad-argument')
    expect(code(() => pos.set({}, { key: 'x'.repeat(64) }))).toBeUndefined()
    expect(code(() => pos.set({}, { to: 'me' as PeerId }))).toBe('bad-argument')
    for (let key = 0; key < LIMITS.latestKeys - 2; key += 1) pos.set({}, { key: `${key}` })
    expect(code(() => room.open<object>('other', 2).set({}))).toBe('bad-argument')
    expect(code(() => pos.set({}, { key: '5' }))).toBeUndefined()
    room.close()
    expect(code(() => pos.set({}))).toBe('closed')
  })

  it('leaves no timer behind when the room is over', () => {
    const { clock, room } = member()
    room.open<number>('pos', 1).set(1)
    room.close()
    expect(clock.pending()).toBe(0)
  })
})

describe('a newcomer', () => {
  it('gets what stands in the room, twice, and nothing that was for some only', () => {
    const { clock, room, transmitted } = member()
    const pos = room.open<number>('pos', 1)
    pos.set(1, { key: 'a' })
    pos.set(2, { key: 'a' })
    pos.set(3, { key: 'b' })
    pos.set(4, { key: 'c', to: BEN })
    clock.advance(1_000)
    transmitted.splice(0)
    room.memberJoined(CAT)
    const got = () => transmitted.splice(0).map(({ frame: bytes, to }) => [decodeLatest(bytes).key, to])
    expect(got()).toEqual([
      ['a', [CAT]],
      ['b', [CAT]],
    ])
    clock.advance(1_000)
    expect(got()).toEqual([
      ['a', [CAT]],
      ['b', [CAT]],
    ])
    expect(clock.pending()).toBe(0)
  })

  it('gets many large values in portions, until it leaves', () => {
    const { clock, room, transmitted } = member()
    const pos = room.open<Uint8Array>('pos', 1)
    for (let key = 0; key < 16; key += 1) pos.set(new Uint8Array(16_384), { key: `${key}` })
    clock.advance(1_000)
    transmitted.splice(0)
    room.memberJoined(CAT)
    expect(transmitted.length).toBe(4)
    clock.advance(50)
    expect(transmitted.length).toBe(8)
    room.memberLeft(CAT)
    clock.advance(10_000)
    expect(transmitted.length).toBe(8)
    expect(clock.pending()).toBe(0)
  })
})

describe('receiving values', () => {
  it('hands on each newer one, with when it was sent, and drops what is repeated or older', () => {
    const { room } = member()
    const heard: LatestValue<number>[] = []
    const pos = room.open<number>('pos', 1)
    pos.on('value', (value) => heard.push(value))
    room.receive(BEN, 'pos', frame(5, 50))
    room.receive(BEN, 'pos', frame(4, 40))
    room.receive(BEN, 'pos', frame(5, 50))
    room.receive(BEN, 'pos', frame(6, 60, 'other'))
    room.receive(ADA, 'pos', frame(1, 10))
    room.receive(BEN, 'else', frame(9, 90))
    expect(heard.map(({ from, key, value }) => [from, key, value])).toEqual([
      [BEN, '', 50],
      [BEN, 'other', 60],
      [ADA, '', 10],
    ])
    expect(heard[0]?.sentAtMs).toBe(1_000_005)
    expect([pos.get(BEN), pos.get(BEN, 'other'), pos.get(ADA), pos.get(CAT)]).toEqual([50, 60, 10, undefined])
    room.memberLeft(BEN)
    expect([pos.get(BEN), pos.get(ADA)]).toEqual([undefined, 10])
  })

  it('never goes back, in any order of arrival, across the wrap of the counter', () => {
    const start = fc.integer({ min: 0, max: 0xffff_ffff })
    const order = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1 })
    fc.assert(
      fc.property(start, order, (first, arrivals) => {
        const { room } = member()
        const heard: number[] = []
        const pos = room.open<number>('pos', 1)
        pos.on('value', ({ value }) => heard.push(value))
        for (const step of arrivals) room.receive(BEN, 'pos', frame((first + step) >>> 0, step))
        expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b))
        expect(pos.get(BEN)).toBe(Math.max(...arrivals))
      }),
    )
  })

  it('keeps what comes before the first handler for it, also of a channel not open yet', async () => {
    const { room } = member()
    room.receive(BEN, 'pos', frame(1, 10, 'a'))
    room.receive(BEN, 'pos', frame(2, 20, 'a'))
    room.receive(BEN, 'pos', frame(3, 30, 'b'))
    const pos = room.open<number>('pos', 1)
    expect(pos.get(BEN, 'a')).toBe(20)
    const heard: number[] = []
    pos.on('value', ({ value }) => heard.push(value))
    room.receive(BEN, 'pos', frame(4, 40, 'b'))
    await turn()
    expect(heard).toEqual([40, 20])
    pos.on('value', () => {})
    await turn()
    expect(heard).toEqual([40, 20])
  })

  it('forgets the first keys of a sender that floods, and of nobody else', () => {
    const { room } = member()
    const pos = room.open<number>('pos', 1)
    room.receive(ADA, 'pos', frame(1, 1, 'a'))
    for (let key = 0; key < LIMITS.latestKeys + 10; key += 1)
      room.receive(BEN, `c${key % 7}`, frame(key, key, `${key}`))
    expect(room.open<number>('c2', 2).get(BEN, '9')).toBeUndefined()
    expect(room.open<number>('c3', 3).get(BEN, '10')).toBe(10)
    expect(pos.get(ADA, 'a')).toBe(1)
  })

  it('takes nothing for a key it forgot that is as old as what it forgot', () => {
    const { room } = member()
    const pos = room.open<number>('pos', 1)
    const heard: number[] = []
    pos.on('value', ({ value }) => heard.push(value))
    // Counters wrap on the way.
    const first = 0xffff_ffff - 5
    for (let key = 0; key <= LIMITS.latestKeys; key += 1) {
      room.receive(BEN, 'pos', frame((first + key) >>> 0, key, `${key}`))
    }
    heard.splice(0)
    room.receive(BEN, 'pos', frame(first, 0, '0'))
    room.receive(BEN, 'pos', frame(first - 1, -1, 'never seen'))
    expect(heard).toEqual([])
    room.receive(BEN, 'pos', frame(2_000, 2_000, '0'))
    expect(heard).toEqual([2_000])
    room.receive(ADA, 'pos', frame(1, 1, '0'))
    expect(heard).toEqual([2_000, 1])
  })

  it('refuses a value that is not what it says, and keeps the one it has', () => {
    const { room } = member()
    const pos = room.open<number>('pos', 1)
    room.receive(BEN, 'pos', frame(1, 10))
    const bad = { ...frame(2, 20), body: new Uint8Array([0x7b]) }
    expect(() => room.receive(BEN, 'pos', bad)).toThrow('expected JSON')
    expect(pos.get(BEN)).toBe(10)
  })
})
