import { describe, expect, it } from 'vitest'
import type { CipherKey, Primitives } from '../../../web/client/sealing/primitives.ts'
import { RECORD, sealRecord } from '../../../web/client/sealing/records.ts'
import type { Opened } from '../../../web/client/sealing/sealing.ts'
import {
  ackFrame,
  admit,
  deliver,
  hex,
  latestFrame,
  type OnTheWay,
  peerId,
  roomFrame,
  type SealedMember,
  SealedRoom,
  unicastFrame,
} from './sealed-room.ts'

async function two(): Promise<{ room: SealedRoom; alice: SealedMember; bob: SealedMember }> {
  const room = new SealedRoom()
  return { room, alice: await room.join(), bob: await room.join() }
}

async function three() {
  const { room, alice, bob } = await two()
  return { room, alice, bob, carol: await room.join() }
}

const only = <T>(items: readonly T[]): T => {
  const [item] = items
  if (items.length !== 1 || item === undefined) throw new Error(`${items.length} instead of one`)
  return item
}

/** For a member who keeps every key that it makes a cipher of. */
const keeping =
  (ciphers: CipherKey[]) =>
  (primitives: Primitives): Primitives => ({
    ...primitives,
    cipher: async (key) => {
      const cipher = await primitives.cipher(key)
      ciphers.push(cipher)
      return cipher
    },
  })

const open = ({ from, to, payload }: OnTheWay): Promise<Opened> => to.sealing.open(from.id, payload)
const REPLAYED = { frames: [], refused: 'replayed' }
const FORGED = { frames: [], refused: 'forged' }

describe('a sealed frame', () => {
  it('opens at its receiver, whatever its type and size', async () => {
    const { room, alice, bob } = await two()
    for (const frame of [roomFrame(1), unicastFrame(2), ackFrame(3), latestFrame(4), Uint8Array.of(0x31, 5)]) {
      expect(await room.send(alice, [bob], frame)).toEqual([[frame]])
      expect(await room.send(bob, [alice], frame)).toEqual([[frame]])
    }
    const large = new Uint8Array(16_400).fill(7)
    large[0] = 0x28
    expect(await room.send(alice, [bob], large)).toEqual([[large]])
  })

  it('costs 31 bytes to the room, and 25 to one', async () => {
    const { room, alice, bob } = await two()
    await room.send(alice, [bob], roomFrame(0))
    expect(only(await room.sealed(alice, [bob], roomFrame(1, 2, 3))).payload).toHaveLength(4 + 31)
    expect(only(await room.sealed(alice, [bob], unicastFrame(1, 2, 3))).payload).toHaveLength(4 + 25)
  })

  it('to the room is sealed once for all, with one key record for each', async () => {
    const { room, alice, bob, carol } = await three()
    const frame = roomFrame(1)
    const records = await alice.sealing.seal([bob.id, carol.id], frame)
    expect(records.map(({ to }) => to)).toEqual([bob.id, carol.id, undefined])
    expect(records.map(({ payload }) => payload[0])).toEqual([3, 3, 2])
    expect(await room.send(alice, [bob, carol], roomFrame(2))).toEqual([[], []])
  })

  it('goes again in the same bytes, at once', async () => {
    const { room, alice, bob, carol } = await three()
    const [toRoom, toOne, latest] = [roomFrame(1), unicastFrame(1), latestFrame(1)]
    const first = new Map<Uint8Array, string[]>()
    for (const frame of [toRoom, toOne, latest]) {
      const records = await room.sealed(alice, [bob], frame)
      for (const record of records) await deliver(record)
      first.set(frame, records.map(({ payload }) => hex(payload)).slice(-1))
    }
    await room.send(alice, [bob], roomFrame(2))
    await room.join()
    room.leave(carol)
    await room.send(alice, [bob], roomFrame(3))
    for (const [frame, records] of first) {
      const again = alice.sealing.seal([bob.id], frame)
      expect(again).not.toBeInstanceOf(Promise)
      expect((await again).map(({ payload }) => hex(payload))).toEqual(records)
    }
  })

  it('that has no number is sealed anew each time', async () => {
    const { room, alice, bob } = await two()
    const frame = ackFrame(1)
    const [one, other] = [await room.sealed(alice, [bob], frame), await room.sealed(alice, [bob], frame)]
    expect(hex(only(one).payload)).not.toBe(hex(only(other).payload))
    expect(await deliver(only(one))).toEqual({ frames: [frame] })
    expect(await deliver(only(other))).toEqual({ frames: [frame] })
  })

  it('asked for twice at once is one', async () => {
    const { alice, bob } = await two()
    for (const frame of [roomFrame(1), unicastFrame(1)]) {
      const [one, other] = await Promise.all([alice.sealing.seal([bob.id], frame), alice.sealing.seal([bob.id], frame)])
      expect(one.at(-1)?.payload).toEqual(other.at(-1)?.payload)
    }
  })

  it('to nobody who is admitted is nothing', async () => {
    const { alice } = await two()
    expect(await alice.sealing.seal([peerId(77)], roomFrame(1))).toEqual([])
    expect(await alice.sealing.seal([], unicastFrame(1))).toEqual([])
  })

  it('to one who is being looked at waits for that, and so does what it sent', async () => {
    const room = new SealedRoom()
    const [alice, bob] = [await room.begin(), await room.begin()]
    await admit(bob, alice)
    const fromBob = await room.sealed(bob, [alice], unicastFrame(9))
    const admitted = admit(alice, bob)
    const sealing = room.sealed(alice, [bob], unicastFrame(1))
    const opening = open(only(fromBob))
    expect(await admitted).toEqual({})
    expect(await deliver(only(await sealing))).toEqual({ frames: [unicastFrame(1)] })
    expect(await opening).toEqual({ frames: [unicastFrame(9)] })
  })
})

describe('a record', () => {
  /** One of each kind, from Alice to Bob (held: from Bob to Alice). */
  async function kinds() {
    const { room, alice, bob } = await two()
    const [key, group] = await room.sealed(alice, [bob], roomFrame(1, 2, 3))
    const link = only(await room.sealed(alice, [bob], unicastFrame(1, 2, 3)))
    const ack = only(await room.sealed(alice, [bob], ackFrame(1, 2, 3)))
    if (key === undefined || group === undefined) throw new Error('no key')
    const { reply } = await open(key)
    if (reply === undefined) throw new Error('no reply')
    return { room, alice, bob, group, link, ack, key, held: { from: bob, to: alice, payload: reply } }
  }

  it.each(['link', 'ack', 'group', 'key', 'held'] as const)('(%s) with any byte altered is refused', async (kind) => {
    const good = (await kinds())[kind]
    for (let at = 0; at < good.payload.length; at += 1) {
      for (const change of [1, 0x80, 0xff]) {
        const payload = good.payload.slice()
        payload[at] = (payload[at] ?? 0) ^ change
        const opened = await open({ ...good, payload })
        expect(opened.frames).toEqual([])
        expect(opened.reply).toBeUndefined()
        // Another epoch, or a step out of reach, waits for its key, which never comes.
        const waits = (kind === 'group' && at >= 1 && at <= 6) || (kind !== 'group' && payload[0] === 2)
        if (!waits) expect(opened.refused).toBe(at === 0 && opened.refused === 'unsealed' ? 'unsealed' : 'forged')
      }
    }
    expect((await open(good)).refused).toBe(kind === 'key' ? 'replayed' : undefined)
  })

  it.each(['link', 'group', 'key', 'held'] as const)('(%s) cut off anywhere, or longer, is refused', async (kind) => {
    const good = (await kinds())[kind]
    for (let length = 0; length < good.payload.length; length += 1) {
      expect(['unsealed', 'forged']).toContain(
        (await open({ ...good, payload: good.payload.slice(0, length) })).refused,
      )
    }
    expect(await open({ ...good, payload: Uint8Array.of(...good.payload, 0) })).toEqual(FORGED)
  })

  it('that is none is refused: a bare frame, nothing, another first byte', async () => {
    const { alice, bob } = await two()
    for (const payload of [new Uint8Array(40), new Uint8Array(0), Uint8Array.of(1), new Uint8Array(99).fill(0xff)]) {
      expect(await bob.sealing.open(alice.id, payload)).toEqual({ frames: [], refused: 'unsealed' })
    }
  })

  it('from another member than its sender, or sent back to it, is refused', async () => {
    const { room, alice, bob, carol } = await three()
    await room.send(alice, [bob, carol], roomFrame(0))
    await room.send(carol, [alice, bob], roomFrame(0))
    const group = only(await room.sealed(alice, [bob], roomFrame(1)))
    const link = only(await room.sealed(alice, [bob], unicastFrame(1)))
    expect(await open({ ...group, from: carol })).toEqual(FORGED)
    expect(await open({ ...link, from: carol })).toEqual(FORGED)
    expect(await open({ ...link, to: carol })).toEqual(FORGED)
    expect(await open({ from: bob, to: alice, payload: link.payload })).toEqual(FORGED)
    expect((await open({ from: bob, to: alice, payload: group.payload })).frames).toEqual([])
    expect(await open({ ...link, from: { ...alice, id: peerId(99) } })).toEqual({ frames: [] })
  })

  it('of another room with the same secret, members and keys is refused', async () => {
    const [lobby, hall] = [new SealedRoom(5), new SealedRoom(5)]
    const [alice, bob] = [await lobby.join(), await lobby.join()]
    const [alice2, bob2] = [await hall.join({ room: 'hall' }), await hall.join({ room: 'hall' })]
    const link = only(await lobby.sealed(alice, [bob], unicastFrame(1)))
    expect(await bob2.sealing.open(alice2.id, link.payload)).toEqual(FORGED)
    await hall.send(alice2, [bob2], roomFrame(0))
    const [, group] = await lobby.sealed(alice, [bob], roomFrame(1))
    expect(await bob2.sealing.open(alice2.id, group?.payload ?? link.payload)).toEqual(FORGED)
  })

  it('does not open when the server tells two members different ids of one of them', async () => {
    const room = new SealedRoom()
    const [alice, bob, carol] = [await room.begin(), await room.begin(), await room.begin()]
    // Alice is told that Bob is who Carol is, and the other way round.
    await admit(alice, { ...bob, id: carol.id })
    await admit(bob, alice)
    const { payload } = only(await alice.sealing.seal([carol.id], unicastFrame(1)))
    expect(await bob.sealing.open(alice.id, payload)).toEqual(FORGED)
  })

  it('from a member that was refused opens nothing, and nothing is sealed for it', async () => {
    const room = new SealedRoom()
    const [alice, mallory] = [await room.begin(), await room.begin({ secret: new Uint8Array(32) })]
    await admit(alice, mallory)
    await admit(mallory, alice)
    expect(await alice.sealing.open(mallory.id, new Uint8Array(40).fill(1))).toEqual({
      frames: [],
      refused: 'wrong-secret',
    })
    expect(await alice.sealing.seal([mallory.id], unicastFrame(1))).toEqual([])
    expect(await alice.sealing.safetyNumber(mallory.id)).toBeUndefined()
  })
})

describe('a record that comes again', () => {
  it('is replayed, unless streams know its frame by a number', async () => {
    const { room, alice, bob } = await two()
    const [key, group] = await room.sealed(alice, [bob], roomFrame(1))
    const ack = only(await room.sealed(alice, [bob], ackFrame(1)))
    const unicast = only(await room.sealed(alice, [bob], unicastFrame(1)))
    if (key === undefined || group === undefined) throw new Error('no key')
    const { reply } = await open(key)
    expect(await open(key)).toEqual(REPLAYED)
    expect(await open(ack)).toEqual({ frames: [ackFrame(1)] })
    expect(await open(ack)).toEqual(REPLAYED)
    for (let time = 0; time < 2; time += 1) {
      expect(await open(group)).toEqual({ frames: [roomFrame(1)] })
      expect(await open(unicast)).toEqual({ frames: [unicastFrame(1)] })
    }
    const held = { from: bob, to: alice, payload: reply ?? new Uint8Array(0) }
    expect(await open(held)).toEqual({ frames: [] })
    expect(await open(held)).toEqual(REPLAYED)
  })

  it('twice at the same moment is taken once', async () => {
    const { room, alice, bob } = await two()
    const ack = only(await room.sealed(alice, [bob], ackFrame(1)))
    const opened = await Promise.all([open(ack), open(ack), open(ack)])
    expect(opened.filter(({ refused }) => refused === 'replayed')).toHaveLength(2)
  })

  it('or overtakes others, is taken within 1,024 counters, and refused beyond', async () => {
    const { room, alice, bob } = await two()
    const records: OnTheWay[] = []
    for (let number = 0; number < 1_030; number += 1) {
      records.push(only(await room.sealed(alice, [bob], ackFrame(number >> 8, number & 255))))
    }
    const taken: number[] = []
    for (const index of [1_029, 0, 5, 6, 7, 1_028, 6]) {
      const [record] = records.slice(index)
      if (record !== undefined && (await open(record)).refused === undefined) taken.push(index)
    }
    expect(taken).toEqual([1_029, 6, 7, 1_028])
  })

  it('is refused with a counter of 2^53, and from 2^31 counters ago: sequence numbers may have wrapped since', async () => {
    const room = new SealedRoom()
    const [alice, bob] = [await room.join(), await room.begin()]
    const ciphers: CipherKey[] = []
    const recorded = await room.begin({}, undefined, keeping(ciphers))
    await Promise.all([admit(recorded, bob), admit(bob, recorded), admit(bob, alice)])
    // Of the two keys of the link, the smaller instance's comes first.
    const [toLarger, toSmaller] = ciphers
    const send = bob.instance < recorded.instance ? toSmaller : toLarger
    if (send === undefined) throw new Error('no keys')
    const at = async (counter: number): Promise<string | undefined> => {
      const payload = await sealRecord(send, RECORD.link, counter, unicastFrame(1))
      return (await bob.sealing.open(recorded.id, payload)).refused
    }
    for (const counter of [2 ** 53, 2 ** 64 - 2 ** 11]) expect(await at(counter)).toBe('forged')
    expect(await at(2 ** 31 + 10)).toBeUndefined()
    expect(await at(11)).toBeUndefined()
    expect(await at(10)).toBe('replayed')
  })

  it('after its member’s link has ended and begun again is refused, whatever it holds', async () => {
    const { room, alice, bob } = await two()
    const old = [
      ...(await room.sealed(alice, [bob], roomFrame(1))),
      ...(await room.sealed(alice, [bob], unicastFrame(1))),
      ...(await room.sealed(alice, [bob], latestFrame(1))),
      ...(await room.sealed(alice, [bob], ackFrame(1))),
    ]
    for (const record of old) expect((await open(record)).refused).toBeUndefined()
    bob.sealing.left(alice.id)
    await admit(bob, alice)
    for (const record of old) expect(await open(record)).toEqual(REPLAYED)
    expect(await room.send(alice, [bob], unicastFrame(2))).toEqual([[unicastFrame(2)]])
    // Alice has not noticed: Bob still has the key that she believes him to have.
    expect(await room.send(alice, [bob], roomFrame(2))).toEqual([[roomFrame(2)]])
  })

  it('under the id that its member has after its session was over does not open', async () => {
    const { room, alice, bob } = await two()
    const old = only(await room.sealed(alice, [bob], unicastFrame(1)))
    expect((await open(old)).refused).toBeUndefined()
    const again = { ...alice, id: peerId(500) }
    alice.sealing.welcomed(again.id)
    await admit(again, bob)
    await admit(bob, again)
    expect(await open({ ...old, from: again })).toEqual(FORGED)
    expect(await room.send(again, [bob], unicastFrame(2))).toEqual([[unicastFrame(2)]])
    expect(await room.send(again, [bob], roomFrame(2))).toEqual([[roomFrame(2)]])
    expect(await room.send(bob, [again], roomFrame(3))).toEqual([[roomFrame(3)]])
  })
})

it('a flood is opened within a bound, and what follows it too', async () => {
  const { room, alice, bob } = await two()
  const records: OnTheWay[] = []
  for (let number = 0; number < 300; number += 1) {
    const frame = new Uint8Array(16_384).fill(0x11, 0, 1).fill(number, 1)
    records.push(only(await room.sealed(alice, [bob], frame)))
  }
  const opened = await Promise.all(records.map(open))
  const bytes = records[0]?.payload.length ?? 0
  expect(opened.filter(({ frames }) => frames.length === 1)).toHaveLength(Math.floor(4_194_304 / bytes))
  const [last] = records.slice(-1)
  if (last !== undefined) expect((await open(last)).frames).toHaveLength(1)
})

describe('a frame in the wrong kind of record', () => {
  it('is refused: who shares a sender key cannot forge acks with it', async () => {
    const { room, alice, bob } = await two()
    const ciphers: CipherKey[] = []
    const mallory = await room.join({}, undefined, keeping(ciphers))
    await room.send(alice, [bob, mallory], roomFrame(0))
    // The newest key that Mallory was given: Alice's to the room. The server helps with the sender.
    const forge = async (frame: Uint8Array): Promise<Opened> => {
      const [groupKey] = ciphers.slice(-1)
      if (groupKey === undefined) throw new Error('no key')
      const payload = await sealRecord(groupKey, RECORD.group, 1_000, frame, { epoch: 1, step: 0 })
      return bob.sealing.open(alice.id, payload)
    }
    expect(await forge(ackFrame(1))).toEqual(FORGED)
    expect(await forge(unicastFrame(1))).toEqual(FORGED)
    expect(await forge(new Uint8Array(0))).toEqual(FORGED)
    // What is written down: on a channel that is not signed, this is possible.
    expect(await forge(roomFrame(1))).toEqual({ frames: [roomFrame(1)] })
  })

  it('is refused: nobody says to one, under the link key, what is for the room', async () => {
    const { alice, bob, room } = await two()
    const ciphers: CipherKey[] = []
    const mallory = await room.join({}, undefined, keeping(ciphers))
    // Of the links with Alice and with Bob: two keys each, of which only one is Mallory's to seal under.
    expect(ciphers).toHaveLength(4)
    for (const member of [alice, bob]) {
      const codes = new Set<string | undefined>()
      for (const cipher of ciphers) {
        for (const frame of [roomFrame(1), latestFrame(1)]) {
          const opened = await member.sealing.open(mallory.id, await sealRecord(cipher, RECORD.link, 9, frame))
          expect(opened.frames).toEqual([])
          codes.add(opened.refused)
        }
        for (const kind of [RECORD.key, RECORD.held]) {
          const opened = await member.sealing.open(mallory.id, await sealRecord(cipher, kind, 9, new Uint8Array(7)))
          codes.add(opened.refused)
        }
      }
      expect(codes).toEqual(new Set(['forged']))
    }
  })
})
