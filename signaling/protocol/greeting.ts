/** Greetings, by which a link begins, and their confirmation: PROTOCOL.md, "Handshake". */
import { ByteReader, ByteWriter, encodeText, varintBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { FRAME, readChannel } from './frame.ts'
import { hexAt, INSTANCE_ID_BYTES, type InstanceId, writeHex } from './ids.ts'
import { LIMITS } from './limits.ts'

/**
 * The first frame of a link, in each direction: where the sender's streams start for this receiver. Resent until a
 * `greeted` with its generation comes back. A receiver that sees a newer generation forgets what it had of the older.
 */
export interface Greeting {
  /** Counts this sender's greetings to anyone; a newer one replaces an older one. 1 or more. */
  readonly generation: number
  /** The newest generation seen of the receiver, 0 for none: a sender that no longer knows us has ended the link. */
  readonly known: number
  /** The sender cut the receiver off, because it was too far behind: there is a gap. */
  readonly afterCut: boolean
  readonly instance: InstanceId
  readonly delayMs: number
  /** The sender's round trip to the server, ms: the relay's round-trip time is the sum of both. */
  readonly uplinkRttMs: number
  /** First sequence number of each stream, by `StreamIndex`. */
  readonly starts: readonly [number, number, number, number]
  /** The sender's channels, with the ordinal of the first room message meant for this receiver. */
  readonly channels: readonly { readonly channel: number; readonly ordinal: number; readonly name: string }[]
}

export function encodeGreeting(greeting: Greeting): Uint8Array {
  const names = greeting.channels.map(({ name }) => encodeText(name))
  let size = 1 + 4 + 4 + INSTANCE_ID_BYTES + 2 + 2 + 16 + varintBytes(names.length)
  greeting.channels.forEach(({ channel }, index) => {
    const length = names[index]?.length ?? 0
    size += varintBytes(channel) + 4 + varintBytes(length) + length
  })
  const writer = new ByteWriter(new Uint8Array(size))
  writer.u8((FRAME.greet << 5) | (greeting.afterCut ? 1 : 0))
  writer.u32(greeting.generation)
  writer.u32(greeting.known)
  writeHex(greeting.instance, writer.bytes, writer.position)
  writer.position += INSTANCE_ID_BYTES
  writer.u16(Math.min(0xffff, Math.round(greeting.delayMs)))
  writer.u16(Math.min(0xffff, Math.round(greeting.uplinkRttMs)))
  for (const start of greeting.starts) writer.u32(start)
  writer.varint(names.length)
  greeting.channels.forEach(({ channel, ordinal }, index) => {
    const name = names[index] ?? new Uint8Array()
    writer.varint(channel)
    writer.u32(ordinal)
    writer.varint(name.length)
    writer.raw(name)
  })
  return writer.bytes
}

/** @throws ProtocolError */
export function decodeGreeting(frame: Uint8Array): Greeting {
  const reader = new ByteReader(frame)
  const afterCut = (reader.u8() & 1) !== 0
  const generation = reader.u32()
  if (generation === 0) throw new ProtocolError('greet.generation', 'expected 1 or more')
  const known = reader.u32()
  const instance = hexAt(reader.raw(INSTANCE_ID_BYTES), 0, INSTANCE_ID_BYTES) as InstanceId
  const delayMs = reader.u16()
  const uplinkRttMs = reader.u16()
  const starts = [reader.u32(), reader.u32(), reader.u32(), reader.u32()] as const
  const count = reader.varint()
  if (count > LIMITS.channels) throw new ProtocolError('greet.channels', `expected at most ${LIMITS.channels}`)
  const channels = Array.from({ length: count }, () => {
    const channel = readChannel(reader)
    const ordinal = reader.u32()
    return { channel, ordinal, name: reader.text(LIMITS.channelNameBytes) }
  })
  return { generation, known, afterCut, instance, delayMs, uplinkRttMs, starts, channels }
}

export function encodeGreeted(generation: number): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(5))
  writer.u8(FRAME.greeted << 5)
  writer.u32(generation)
  return writer.bytes
}

/** @throws ProtocolError */
export function decodeGreeted(frame: Uint8Array): { readonly generation: number } {
  const reader = new ByteReader(frame)
  reader.u8()
  return { generation: reader.u32() }
}
