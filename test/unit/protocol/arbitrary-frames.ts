import {
  type Ack,
  type Address,
  type Content,
  type Greeting,
  hexAt,
  type InstanceId,
  type LatestFrame,
  LIMITS,
  type MessageHead,
  type PeerId,
  STREAMS,
  type StreamIndex,
  utf8Bytes,
} from '../../../signaling/protocol/index.ts'
import fc from '../../support/properties.ts'

/** Everything that the types of the wire allow. */
export const u16 = fc.nat({ max: 0xffff })
export const u24 = fc.nat({ max: 0xff_ffff })
export const u32 = fc.nat({ max: 0xffff_ffff })
const body = fc.uint8Array({ maxLength: 300 })
const channel = fc.nat({ max: LIMITS.channels - 1 })
const content = fc.constantFrom<Content>(0, 1, 2, 3)
const stream = fc.constantFrom<StreamIndex>(...STREAMS)
const audience = fc.constantFrom('room', 'unicast')
const textUpTo = (bytes: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'binary', maxLength: bytes }).filter((text) => utf8Bytes(text) <= bytes)
const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => hexAt(array, 0, bytes))

export const peerId = hex(8).map((text) => text as PeerId)
export const instanceId = hex(16).map((text) => text as InstanceId)
const peerIds = fc.array(peerId, { maxLength: 20 })

export const address: fc.Arbitrary<Address> = fc.oneof(
  peerId.map((id): Address => ({ kind: 'one', id })),
  peerIds.map((ids): Address => ({ kind: 'several', ids })),
  fc.constant<Address>({ kind: 'all' }),
  peerIds.map((ids): Address => ({ kind: 'except', ids })),
)
export const slot = fc.option(u32, { nil: undefined })
export const payload = body

/** A message and its head; `number` only where it travels. */
export const message: fc.Arbitrary<{ readonly head: MessageHead; readonly body: Uint8Array }> = fc.record({
  head: fc
    .record({
      stream,
      seq: u32,
      channel,
      ordinal: u32,
      opening: fc.option(fc.record({ name: textUpTo(LIMITS.channelNameBytes), ordinal: u32 }), { nil: undefined }),
      content,
      sent: u24,
      number: u32,
    })
    .map((head) => ({ ...head, number: head.stream < 2 ? 0 : head.number })),
  body,
})

export const fragment = fc.record({
  message,
  index: fc.oneof(fc.constant(0), u32),
  last: fc.boolean(),
  totalBytes: fc.nat({ max: LIMITS.messageBytes }),
})

export const ack: fc.Arbitrary<Ack> = fc.record({
  heldMs: u16,
  delayMs: u16,
  windowBytes: u32,
  streams: fc
    .subarray([...STREAMS])
    .chain((streams) =>
      fc.tuple(
        ...streams.map((index) =>
          fc.record({ stream: fc.constant(index), next: u32, bitmap: fc.uint8Array({ maxLength: 512 }) }),
        ),
      ),
    ),
  unread: fc.array(fc.record({ channel, audience, ordinal: u32 }), { maxLength: 2 * LIMITS.channels }),
})

export const greeting: fc.Arbitrary<Greeting> = fc.record({
  generation: fc.integer({ min: 1, max: 0xffff_ffff }),
  known: u32,
  afterCut: fc.boolean(),
  instance: instanceId,
  delayMs: u16,
  uplinkRttMs: u16,
  starts: fc.tuple(u32, u32, u32, u32),
  channels: fc.array(fc.record({ channel, ordinal: u32, name: textUpTo(LIMITS.channelNameBytes) }), {
    maxLength: LIMITS.channels,
  }),
})

export const latest: fc.Arbitrary<LatestFrame> = fc.record({
  audience,
  channel,
  counter: u32,
  sent: u24,
  key: textUpTo(LIMITS.latestKeyBytes),
  content,
  body,
})
