import { describe, expect, test } from 'vitest'
import { type Address, ENVELOPE_BYTES, type PeerId, readEnvelope } from '../../../signaling/protocol/index.ts'
import { Outbox, type Sealer } from '../../../web/client/uplink/outbox.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ADA, BOB, LIMITS, turn } from './fake-server.ts'

const ALL: Address = { kind: 'all' }

function setUp(limits: Partial<typeof LIMITS> = {}, sealer?: Sealer) {
  const clock = new FakeClock()
  const packets: { readonly atMs: number; readonly packet: Uint8Array }[] = []
  const scene = { clock, packets, buffered: 0, slow: false, writable: 0 }
  const outbox = new Outbox({
    clock,
    sealer: () => sealer,
    write: (packet) => {
      packets.push({ atMs: clock.now(), packet })
      if (scene.slow) scene.buffered += packet.length
    },
    bufferedBytes: () => scene.buffered,
    writable: () => {
      scene.writable += 1
    },
  })
  outbox.open({ ...LIMITS, ...limits })
  return Object.assign(scene, { outbox })
}

const payloads = (packet: Uint8Array | undefined): number[] => {
  const found: number[] = []
  for (let at = 0; packet !== undefined && at < packet.length; ) {
    const envelope = readEnvelope(packet, at)
    found.push(packet[envelope.payloadStart] ?? -1)
    at = envelope.end
  }
  return found
}
const frame = (size: number, value = 0): Uint8Array => new Uint8Array(size).fill(value)

/** One byte a ms of the seed's own randomness: enough for sizes and pauses, and the same every time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('packing', () => {
  test('frames of one turn are one message, those of the next another', async () => {
    const { outbox, packets } = setUp()
    outbox.add(ALL, frame(10, 1), undefined)
    outbox.add({ kind: 'several', ids: [ADA, BOB] }, frame(10, 2), undefined)
    await turn()
    outbox.add(ALL, frame(10, 3), undefined)
    await turn()
    expect(packets.map(({ packet }) => payloads(packet))).toEqual([[1, 2], [3]])
  })

  test('a packet is no larger than the server takes', async () => {
    const { outbox, packets } = setUp({ packetBytes: 20_000 })
    for (let value = 0; value < 5; value += 1) outbox.add(ALL, frame(8_000, value), undefined)
    await turn()
    expect(packets.map(({ packet }) => payloads(packet))).toEqual([[0, 1], [2, 3], [4]])
  })

  test('does not wait for the turn to end when the queue is full', () => {
    const { outbox, packets } = setUp()
    for (let count = 0; count < 40; count += 1) expect(outbox.add(ALL, frame(16_384), undefined)).toBe(true)
    expect(packets.length).toBeGreaterThan(0)
    expect(outbox.queuedBytes).toBeLessThanOrEqual(262_144)
  })
})

describe('bounds', () => {
  test('with a full socket it takes 256 KiB, then says no, and tells when there is room', async () => {
    const scene = setUp()
    const { outbox, clock, packets } = scene
    scene.buffered = 262_144
    let taken = 0
    while (outbox.add(ALL, frame(16_384), undefined)) taken += 1
    expect(taken).toBe(15)
    clock.advance(100)
    await turn()
    expect([packets.length, scene.writable]).toEqual([0, 0])
    scene.slow = true
    scene.buffered = 100_000
    clock.advance(5)
    await turn()
    // What the socket still takes, and not more.
    expect(packets.map(({ packet }) => packet.length)).toEqual([9 * (16_384 + ENVELOPE_BYTES)])
    expect(scene.writable).toBe(1)
    expect(outbox.add(ALL, frame(16_384), undefined)).toBe(true)
  })

  test('closed, it drops what waits and takes nothing', async () => {
    const { outbox, packets, clock } = setUp()
    outbox.add(ALL, frame(1), undefined)
    outbox.close()
    expect(outbox.add(ALL, frame(1), undefined)).toBe(false)
    await turn()
    expect([packets, outbox.queuedBytes, clock.pending()]).toEqual([[], 0, 0])
  })

  test('a frame larger than the queue passes when it is alone', async () => {
    const { outbox, packets } = setUp({ packetBytes: 1_048_576 })
    expect(outbox.add(ALL, frame(500_000), undefined)).toBe(true)
    expect(outbox.add(ALL, frame(1), undefined)).toBe(true)
    await turn()
    expect(packets).toHaveLength(2)
  })
})

describe('droppable frames', () => {
  test('take the place of the one that waits in the same slot for the same address', async () => {
    const { outbox, packets } = setUp()
    outbox.add(ALL, frame(10, 1), 5)
    outbox.add(ALL, frame(10, 2), undefined)
    outbox.add(ALL, frame(20, 3), 5)
    outbox.add(ALL, frame(10, 4), 6)
    outbox.add({ kind: 'one', id: BOB }, frame(10, 5), 5)
    expect(outbox.queuedBytes).toBe(5 * ENVELOPE_BYTES - ENVELOPE_BYTES + 3 * 4 + 20 + 30)
    await turn()
    expect(payloads(packets[0]?.packet)).toEqual([3, 2, 4, 5])
    outbox.add(ALL, frame(10, 6), 5)
    await turn()
    expect(payloads(packets[1]?.packet)).toEqual([6])
    expect(outbox.queuedBytes).toBe(0)
  })

  test('find room in a full queue when they replace', () => {
    const scene = setUp()
    const { outbox } = scene
    scene.buffered = 262_144
    outbox.add(ALL, frame(100, 1), 5)
    while (outbox.add(ALL, frame(1_000), undefined));
    expect(outbox.add(ALL, frame(100, 2), 5)).toBe(true)
    expect(outbox.add(ALL, frame(1_000, 2), 6)).toBe(false)
  })
})

describe('pace', () => {
  const many: readonly PeerId[] = [ADA, BOB]

  test.each([1, 2, 3, 4])('stays within the limits of the server, and uses most of them (seed %i)', async (seed) => {
    const limits = { messagesPerSecond: 100, bytesPerSecond: 500_000 }
    const { outbox, clock, packets } = setUp(limits)
    const random = seeded(seed)
    const startMs = clock.now()
    while (clock.now() < startMs + 20_000) {
      while (
        random() < 0.9 &&
        outbox.add({ kind: 'several', ids: many }, frame(Math.floor(random() * 16_384)), undefined)
      );
      if (random() < 0.05) outbox.spend(100)
      clock.advance(Math.ceil(random() * 4))
      await Promise.resolve()
    }
    // The server's own account: what is sustained, and twice that in a burst.
    let level = limits.bytesPerSecond * 2
    let messages = limits.messagesPerSecond * 2
    let atMs = startMs
    for (const sent of packets) {
      level = Math.min(limits.bytesPerSecond * 2, level + ((sent.atMs - atMs) * limits.bytesPerSecond) / 1_000)
      messages = Math.min(
        limits.messagesPerSecond * 2,
        messages + ((sent.atMs - atMs) * limits.messagesPerSecond) / 1_000,
      )
      atMs = sent.atMs
      level -= sent.packet.length
      messages -= 1
      expect(Math.min(level, messages)).toBeGreaterThan(0)
    }
    const total = packets.reduce((sum, { packet }) => sum + packet.length, 0)
    expect(total / 20).toBeGreaterThan(0.85 * limits.bytesPerSecond)
  })

  test('a server with very small limits is slow, never stuck', async () => {
    const { outbox, clock, packets } = setUp({ messagesPerSecond: 1, bytesPerSecond: 1_000 })
    for (let count = 0; count < 4; count += 1) outbox.add(ALL, frame(5_000), undefined)
    await turn()
    expect(packets).toHaveLength(1)
    clock.advance(60_000)
    expect(packets).toHaveLength(4)
    expect(clock.pending()).toBe(0)
  })
})

describe('a timer that is late', () => {
  test('does not hold back what comes after it was due, as a hidden tab’s would for a minute', async () => {
    const { outbox, packets, clock } = setUp({ messagesPerSecond: 2 })
    for (let value = 0; value < 4; value += 1) {
      outbox.add(ALL, frame(10, value), undefined)
      await turn()
    }
    const before = packets.length
    expect(before).toBeLessThan(4)
    clock.lag(60_000)
    outbox.add(ALL, frame(10, 9), undefined)
    await turn()
    expect(packets.length).toBeGreaterThan(before)
    expect(packets.flatMap(({ packet }) => payloads(packet))).toEqual([0, 1, 2, 3, 9])
  })
})

describe('sealing', () => {
  /** Puts a mark before each frame, and a record of its own before those that ask for it; done when it is told. */
  function sealed() {
    const finish: (() => void)[] = []
    const sealer: Sealer = {
      overheadBytes: 31,
      seal: async (to, bytes) => {
        await new Promise<void>((resolve) => finish.push(resolve))
        const record = { to, payload: Uint8Array.of((bytes[0] ?? 0) + 100, ...bytes) }
        return bytes[0] === 7 ? [{ to: { kind: 'one', id: BOB }, payload: frame(5, 50) }, record] : [record]
      },
    }
    return { ...setUp({}, sealer), finish }
  }

  test('keeps the order, whichever is sealed first, and puts what a frame needs before it', async () => {
    const { outbox, packets, finish } = sealed()
    outbox.add(ALL, frame(10, 7), undefined)
    await turn()
    outbox.add(ALL, frame(10, 8), undefined)
    await turn()
    finish[1]?.()
    await turn()
    expect(packets).toEqual([])
    finish[0]?.()
    await turn()
    expect(packets.map(({ packet }) => payloads(packet))).toEqual([[50, 107], [108]])
  })

  test('a newer frame takes the place of a droppable one, not of what had to go before it', async () => {
    const keyed = { to: { kind: 'one', id: BOB }, payload: frame(5, 50), lasting: true } as const
    const { outbox, packets } = setUp({}, { overheadBytes: 31, seal: (to, payload) => [keyed, { to, payload }] })
    outbox.add(ALL, frame(10, 7), 3)
    await turn()
    const { packet } = packets[0] as (typeof packets)[number]
    const key = readEnvelope(packet, 0)
    expect([key.slot, readEnvelope(packet, key.end).slot]).toEqual([undefined, 3])
  })

  test('leaves alone what is sealed already, and tells until when there is something to wait for', async () => {
    const { outbox, packets, finish } = sealed()
    outbox.add(ALL, frame(10, 1), undefined)
    outbox.add({ kind: 'one', id: ADA }, frame(10, 2), undefined, true)
    await turn()
    let over = false
    void outbox.sealing?.then(() => {
      over = true
    })
    await turn()
    expect(over).toBe(false)
    finish[0]?.()
    await turn()
    expect(over).toBe(true)
    expect(outbox.sealing).toBeUndefined()
    expect(packets.map(({ packet }) => payloads(packet))).toEqual([[101, 2]])
    expect(outbox.queuedBytes).toBe(0)
  })

  test('drops what was being sealed when the carrier was lost', async () => {
    const { outbox, packets, finish } = sealed()
    outbox.add(ALL, frame(10, 1), undefined)
    await turn()
    outbox.close()
    outbox.open(LIMITS)
    finish[0]?.()
    await turn()
    expect(packets).toEqual([])
  })

  test('makes no message larger than the server takes, and no more than 256 KiB at a time', async () => {
    const { outbox, packets, finish } = sealed()
    for (let value = 0; value < 40; value += 1) outbox.add(ALL, frame(16_384, value % 5), undefined)
    await turn()
    expect(finish.length).toBeLessThanOrEqual(16)
    for (let next = finish.shift(); next !== undefined; next = finish.shift()) {
      next()
      await turn()
    }
    expect(packets.flatMap(({ packet }) => payloads(packet)).length).toBeGreaterThan(20)
    for (const { packet } of packets) expect(packet.length).toBeLessThanOrEqual(LIMITS.packetBytes)
  })
})
