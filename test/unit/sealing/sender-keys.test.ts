import { describe, expect, it } from 'vitest'
import {
  admit,
  deliver,
  latestFrame,
  type OnTheWay,
  roomFrame,
  type SealedMember,
  SealedRoom,
  unicastFrame,
} from './sealed-room.ts'

const isKey = ({ payload }: OnTheWay): boolean => payload[0] === 3
const nameOf = ({ payload }: OnTheWay): readonly [epoch: number, step: number] => {
  const view = new DataView(payload.buffer, payload.byteOffset)
  return [view.getUint32(1), view.getUint16(5)]
}
const group = (records: readonly OnTheWay[]): OnTheWay => {
  const found = records.find(({ payload }) => payload[0] === 2)
  if (found === undefined) throw new Error('no group record')
  return found
}

async function three(): Promise<{ room: SealedRoom; alice: SealedMember; bob: SealedMember; carol: SealedMember }> {
  const room = new SealedRoom()
  const [alice, bob, carol] = [await room.join(), await room.join(), await room.join()]
  return { room, alice, bob, carol }
}

describe('a newcomer', () => {
  it('cannot open what was sealed before, and opens what comes after', async () => {
    const { room, alice, bob } = await three()
    const first = await room.sealed(alice, [bob], roomFrame(1))
    for (const record of first) await deliver(record)
    const before = group(first)
    await room.send(alice, [bob], roomFrame(2))
    const dora = await room.join()
    const after = await room.sealed(alice, [bob, dora], roomFrame(3))
    expect(nameOf(group(after))).toEqual([1, 1])
    for (const record of after) await deliver(record)
    expect(await dora.sealing.open(alice.id, before.payload)).toEqual({ frames: [] })
    expect(await room.send(alice, [bob, dora], roomFrame(4))).toEqual([[roomFrame(4)], [roomFrame(4)]])
    // It is not a matter of asking: nothing ever brings the older key.
    room.clock.advance(60_000)
    for (const { to, payload } of alice.repeated) if (to === dora.id) await dora.sealing.open(alice.id, payload)
    expect(await dora.sealing.open(alice.id, before.payload)).toEqual({ frames: [] })
  })

  it('costs one key record for each that speaks, and none for those who were there', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(alice, [bob, carol], roomFrame(1))
    const dora = await room.join()
    const records = await room.sealed(alice, [bob, carol, dora], roomFrame(2))
    expect(records.filter(isKey).map(({ to }) => to)).toEqual([dora])
    expect(records.filter((record) => !isKey(record))).toHaveLength(3)
    for (const record of records) expect((await deliver(record)).frames).toEqual(isKey(record) ? [] : [roomFrame(2)])
  })

  it('before anything was sealed costs no step', async () => {
    const { room, alice, bob } = await three()
    await room.join()
    expect(nameOf(group(await room.sealed(alice, [bob], roomFrame(1))))).toEqual([1, 0])
  })

  it('is sent the latest value of before, sealed anew', async () => {
    const { room, alice, bob } = await three()
    const value = latestFrame(1)
    const [, first] = await room.sealed(alice, [bob], value)
    const dora = await room.join()
    const [key, again] = await room.sealed(alice, [dora], value)
    expect(again?.payload).not.toEqual(first?.payload)
    if (key === undefined || again === undefined) throw new Error('no records')
    await deliver(key)
    expect(await deliver(again)).toEqual({ frames: [value] })
  })
})

describe('who left', () => {
  it('cannot open what is sealed after, also with all that the others get', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(alice, [bob, carol], roomFrame(1))
    room.leave(carol)
    const records = await room.sealed(alice, [bob], roomFrame(2))
    expect(nameOf(group(records))).toEqual([2, 0])
    for (const record of records) {
      expect((await carol.sealing.open(alice.id, record.payload)).frames).toEqual([])
      await deliver(record)
    }
    expect(await room.send(alice, [bob], roomFrame(3))).toEqual([[roomFrame(3)]])
  })

  it('cannot either when its links have begun again just before, one or more times, and others leave with it', async () => {
    const { room, alice, bob, carol } = await three()
    const dora = await room.join()
    await room.send(alice, [bob, carol, dora], roomFrame(1))
    alice.sealing.begunAgain(carol.id)
    alice.sealing.begunAgain(carol.id)
    room.leave(dora)
    room.leave(carol)
    expect(nameOf(group(await room.sealed(alice, [bob], roomFrame(2))))).toEqual([2, 0])
    // Who had nothing of the epoch costs none, as ever.
    const erin = await room.join()
    await room.send(alice, [bob], roomFrame(3))
    alice.sealing.begunAgain(erin.id)
    room.leave(erin)
    expect(nameOf(group(await room.sealed(alice, [bob], roomFrame(4))))).toEqual([2, 2])
  })

  it('together with others costs one rotation', async () => {
    const { room, alice, bob, carol } = await three()
    const dora = await room.join()
    await room.send(alice, [bob, carol, dora], roomFrame(1))
    room.leave(carol)
    room.leave(dora)
    await room.join()
    expect(nameOf(group(await room.sealed(alice, [bob], roomFrame(2))))).toEqual([2, 0])
  })

  it('has keys of the others that are good for a minute after their next', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(alice, [bob, carol], roomFrame(1))
    // Two frames as Carol could seal them, with the server's help; Bob has lost them as yet.
    const late = [
      group(await room.sealed(alice, [bob, carol], roomFrame(2))),
      group(await room.sealed(alice, [bob, carol], roomFrame(3))),
    ] as const
    room.leave(carol)
    room.clock.advance(600_000)
    await room.send(alice, [bob], roomFrame(4))
    room.clock.advance(59_999)
    expect(await deliver({ ...late[0], to: bob })).toEqual({ frames: [roomFrame(2)] })
    room.clock.advance(1)
    expect(await deliver({ ...late[1], to: bob })).toEqual({ frames: [] })
    expect(await room.send(alice, [bob], roomFrame(5))).toEqual([[roomFrame(5)]])
  })

  it('has no more time for stepping on from them', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(alice, [bob, carol], roomFrame(1))
    await room.join()
    const stepped = [
      group(await room.sealed(alice, [bob, carol], roomFrame(2))),
      group(await room.sealed(alice, [bob, carol], roomFrame(3))),
    ] as const
    room.leave(carol)
    await room.send(alice, [bob], roomFrame(4))
    room.clock.advance(59_000)
    expect(await deliver({ ...stepped[0], to: bob })).toEqual({ frames: [roomFrame(2)] })
    room.clock.advance(1_000)
    expect(await deliver({ ...stepped[1], to: bob })).toEqual({ frames: [] })
  })

  it('does not keep what was sealed before from reaching the others, however late it is sent again', async () => {
    const { room, alice, bob, carol } = await three()
    const frame = roomFrame(1)
    await room.send(alice, [carol], frame)
    await room.send(alice, [bob, carol], roomFrame(2))
    room.leave(carol)
    await room.send(alice, [bob], roomFrame(3))
    for (const [afterMs, keys] of [
      [29_999, 0],
      [1, 1],
      [29_999, 0],
      [60_000, 1],
    ] as const) {
      room.clock.advance(afterMs)
      const records = await room.sealed(alice, [bob], frame)
      expect(records.filter(isKey)).toHaveLength(keys)
      const opened = await Promise.all(records.map(deliver))
      expect(opened.flatMap(({ frames }) => frames)).toEqual([frame])
    }
  })

  it('without having had the key costs none', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(alice, [bob], roomFrame(1))
    room.leave(carol)
    expect(nameOf(group(await room.sealed(alice, [bob], roomFrame(2))))).toEqual([1, 0])
  })
})

describe('a key', () => {
  it('goes to a member that was reached directly when the record was sealed, and with it that record', async () => {
    const { room, alice, bob, carol } = await three()
    const frame = roomFrame(1)
    await room.send(alice, [bob], frame)
    await room.join()
    await room.send(alice, [bob], roomFrame(2))
    room.leave(bob)
    await room.send(alice, [carol], roomFrame(3))
    expect(await room.send(alice, [carol], frame)).toEqual([[frame]])
  })

  it('is stepped on from at most 16 times, and then given again', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(alice, [bob, carol], roomFrame(0))
    const given: number[] = []
    for (let step = 1; step <= 40; step += 1) {
      const guest = await room.join()
      // Bob is not sent to until the 40th step; Carol each time.
      const records = await room.sealed(alice, [carol, ...(step === 40 ? [bob] : [])], roomFrame(step))
      if (records.some((record) => isKey(record) && record.to === carol)) given.push(step)
      if (step === 40) expect(records.filter((record) => isKey(record) && record.to === bob)).toHaveLength(1)
      for (const record of records) {
        const opened = await deliver(record)
        if (!isKey(record)) expect(opened).toEqual({ frames: [roomFrame(step)] })
      }
      for (const other of room.members) other.sealing.left(guest.id)
      room.members.pop()
    }
    expect(given).toEqual([17, 34])
  })

  it('is awaited by the records that come before it', async () => {
    const { room, alice, bob } = await three()
    const [key, ...others] = [
      ...(await room.sealed(alice, [bob], roomFrame(1))),
      ...(await room.sealed(alice, [bob], roomFrame(2))),
    ]
    if (key === undefined) throw new Error('no key')
    for (const record of others) expect(await deliver(record)).toEqual({ frames: [] })
    const { frames } = await deliver(key)
    expect(frames).toEqual([roomFrame(1), roomFrame(2)])
  })

  it('is awaited within bounds, of one sender and of all', async () => {
    const { room, alice, bob } = await three()
    const large = (number: number): Uint8Array => new Uint8Array(16_000).fill(0x01, 0, 1).fill(number, 1)
    const records: OnTheWay[] = []
    for (let number = 0; number < 10; number += 1) records.push(...(await room.sealed(alice, [bob], large(number))))
    const [key, ...others] = records
    for (const record of others) await deliver(record)
    if (key === undefined) throw new Error('no key')
    expect((await deliver(key)).frames.map((frame) => frame[1])).toEqual([6, 7, 8, 9])

    // 20 senders with 64 KiB each: 16 of them fit.
    const senders = await Promise.all(Array.from({ length: 20 }, () => room.join()))
    const keys: OnTheWay[] = []
    for (const sender of senders) {
      for (let number = 0; number < 4; number += 1) {
        for (const record of await room.sealed(sender, [bob], large(number))) {
          if (isKey(record)) keys.push(record)
          else await deliver(record)
        }
      }
    }
    let released = 0
    for (const record of keys) released += (await deliver(record)).frames.length
    expect(released).toBe(Math.floor(1_048_576 / (16_000 + 31 + 64)))
  })

  it('of a made-up step or epoch that nobody has costs no room beyond that', async () => {
    const { room, alice, bob } = await three()
    const records = await room.sealed(alice, [bob], roomFrame(1))
    for (const record of records) await deliver(record)
    const made = group(records).payload
    for (let number = 0; number < 1_200; number += 1) {
      const payload = made.slice()
      new DataView(payload.buffer).setUint32(1, 2 + number)
      expect(await bob.sealing.open(alice.id, payload)).toEqual({ frames: [] })
    }
    for (let step = 1; step <= 16; step += 1) {
      const payload = made.slice()
      payload[6] = step
      expect(await bob.sealing.open(alice.id, payload)).toEqual({ frames: [], refused: 'forged' })
    }
    expect(await room.send(alice, [bob], roomFrame(2))).toEqual([[roomFrame(2)]])
  })

  it('that a sender gives without end pushes out only its own', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(carol, [bob], roomFrame(1))
    const old = group(await room.sealed(alice, [bob], roomFrame(0)))
    const guest = await room.join()
    for (let number = 0; number < 200; number += 1) {
      // Each time the guest, who had the key, leaves and comes back: another epoch.
      await room.send(alice, [bob, guest], roomFrame(number))
      alice.sealing.left(guest.id)
      await admit(alice, guest)
    }
    expect(await room.send(alice, [bob], roomFrame(9))).toEqual([[roomFrame(9)]])
    expect(await room.send(carol, [bob], roomFrame(2))).toEqual([[roomFrame(2)]])
    expect((await deliver(old)).frames).toEqual([])
  })
})

describe('repeats of keys', () => {
  it('come after 300 ms, doubling to 5 s, until the key is held; then no timer is left', async () => {
    const { room, alice, bob } = await three()
    const records = await room.sealed(alice, [bob], roomFrame(1))
    const at: number[] = []
    for (let ms = 0; ms < 20_000; ms += 100) {
      const before = alice.repeated.length
      room.clock.advance(100)
      await settled()
      if (alice.repeated.length > before) at.push(ms + 100)
    }
    expect(at).toEqual([300, 900, 2_100, 4_500, 9_300, 14_300, 19_300])
    expect(room.clock.pending()).toBe(1)
    // Only the repeat arrives.
    const [last] = alice.repeated.slice(-1)
    if (last === undefined) throw new Error('no repeat')
    expect(await deliver(group(records))).toEqual({ frames: [] })
    expect((await deliver({ from: alice, to: bob, payload: last.payload })).frames).toEqual([roomFrame(1)])
    expect(room.clock.pending()).toBe(0)
  })

  it('go along with what needs the key, 300 ms after the last', async () => {
    const { room, alice, bob } = await three()
    const keysWith = async (): Promise<number> => (await room.sealed(alice, [bob], roomFrame(1))).filter(isKey).length
    expect(await keysWith()).toBe(1)
    expect(await keysWith()).toBe(0)
    room.clock.advance(299)
    expect(await keysWith()).toBe(0)
    room.clock.advance(1)
    await settled()
    expect(alice.repeated).toHaveLength(1)
    room.clock.advance(300)
    expect(await keysWith()).toBe(1)
  })

  it('and answers to keys that cannot be sealed any more are left out, and nothing else is lost', async () => {
    const room = new SealedRoom()
    let spent = false
    const alice = await room.join()
    const bob = await room.join({}, undefined, (primitives) => ({
      ...primitives,
      cipher: async (key) => {
        const cipher = await primitives.cipher(key)
        const exhausted = (): Promise<never> => Promise.reject(new RangeError('sealing-exhausted'))
        return { ...cipher, seal: (...of) => (spent ? exhausted() : cipher.seal(...of)) }
      },
    }))
    await room.sealed(bob, [alice], roomFrame(1))
    spent = true
    room.clock.advance(1_000)
    await settled()
    expect(bob.repeated).toEqual([])
    const opened: unknown[] = []
    for (const record of await room.sealed(alice, [bob], roomFrame(2))) opened.push(await deliver(record))
    expect(opened).toEqual([{ frames: [], reply: undefined }, { frames: [roomFrame(2)] }])
  })

  it('end with the member, and with the room', async () => {
    const { room, alice, bob, carol } = await three()
    await room.sealed(alice, [bob, carol], roomFrame(1))
    expect(room.clock.pending()).toBe(1)
    room.leave(bob)
    expect(room.clock.pending()).toBe(1)
    alice.sealing.close()
    expect(room.clock.pending()).toBe(0)
    expect(await alice.sealing.seal([carol.id], unicastFrame(1))).toEqual([])
  })
})

/** Promises of the simulated primitives take microtasks only. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
