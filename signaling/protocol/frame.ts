/**
 * Frames: what members say to each other, the same bytes on every path. On WebRTC one data channel message is one
 * frame or a pack of them (pack.ts); on the relay one envelope carries one frame. PROTOCOL.md, "Frames", has the
 * layouts; numbers are big-endian.
 *
 * The first byte is `type << 5 | flags`.
 *
 *   0 data      u32 seq · varint channel · u16 ordinal · [opening] · u24 sent · [varint number] · body
 *               flags: 16 unicast · 8 bulk · 4 opens · 0-3 content
 *   1 fragment  u32 seq · varint channel · u16 ordinal · [opening] · varint index · [first: u8 content · u24 sent ·
 *               [varint number] · varint total] · body            flags: 16 unicast · 8 bulk · 4 opens · 2 last
 *   2 ack       u16 held · u16 delay · u32 window · for each stream: u32 next · varint n · n bitmap bytes ·
 *               [varint m · m × (varint channel × 2 + unicast · u32 ordinal)]   flags: a bit a stream · 16 unread list
 *   3 ping      u32 nonce                                         flags: 1 wants an ack
 *   4 pong      u32 nonce
 *   5 greet     see `Greeting`                                    flags: 1 after a cut
 *   6 greeted   u32 generation
 *   7 latest    varint channel · u32 counter · u24 sent · varint n · n key bytes · body   flags: 16 unicast · 0-3 content
 *
 * opening = varint n · n name bytes · u32 ordinal: the first message of a channel to an audience says what it is called.
 */
import { ByteReader, ByteWriter, encodeText, varintBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { hexAt, INSTANCE_ID_BYTES, type InstanceId, writeHex } from './ids.ts'
import { LIMITS } from './limits.ts'
import { PACK } from './pack.ts'

export const FRAME = Object.freeze({
  data: 0,
  fragment: 1,
  ack: 2,
  ping: 3,
  pong: 4,
  greet: 5,
  greeted: 6,
  latest: 7,
} as const)
export type FrameType = (typeof FRAME)[keyof typeof FRAME]

export const frameType = (frame: Uint8Array): FrameType => ((frame[0] ?? 0) >>> 5) as FrameType

/** How the application's data became bytes. `void`: given up before it was sent; it only takes its place in the order. */
export const CONTENT = Object.freeze({ json: 0, text: 1, binary: 2, void: 3 } as const)
export type Content = (typeof CONTENT)[keyof typeof CONTENT]

/**
 * A sender's streams to one member, by number: 0 room small · 1 room bulk · 2 unicast small · 3 unicast bulk.
 * Bit 1 is the audience, bit 0 the lane.
 */
export type StreamIndex = 0 | 1 | 2 | 3
export const STREAMS: readonly StreamIndex[] = [0, 1, 2, 3]
export type Audience = 'room' | 'unicast'
export type Lane = 'small' | 'bulk'
export const streamIndex = (audience: Audience, lane: Lane): StreamIndex =>
  ((audience === 'unicast' ? 2 : 0) + (lane === 'bulk' ? 1 : 0)) as StreamIndex
export const laneOf = (stream: StreamIndex): Lane => (stream & 1 ? 'bulk' : 'small')
export const audienceOf = (stream: StreamIndex): Audience => (stream & 2 ? 'unicast' : 'room')

const UNICAST = 16
const BULK = 8
const OPENS = 4
const LAST = 2
const CONTENT_MASK = 3

/** Says the name of a channel, and the full ordinal of its first message, to those who do not know it yet. */
export interface Opening {
  readonly name: string
  readonly ordinal: number
}

/** What the head of a whole message says: everything but its body. */
export interface MessageHead {
  readonly stream: StreamIndex
  readonly seq: number
  readonly channel: number
  /** Full 32 bits here; 16 travel, since both sides know the rest. */
  readonly ordinal: number
  readonly opening: Opening | undefined
  readonly content: Content
  /** Room-clock ms modulo 2^24 (4.6 hours). */
  readonly sent: number
  /** The sender's own count of unicast messages on this channel; 0 for the room's. */
  readonly number: number
}

const openingBytes = (opening: Opening | undefined, name: Uint8Array | undefined): number =>
  opening === undefined || name === undefined ? 0 : varintBytes(name.length) + name.length + 4

function writeOpening(writer: ByteWriter, opening: Opening, name: Uint8Array): void {
  writer.varint(name.length)
  writer.raw(name)
  writer.u32(opening.ordinal)
}

const streamFlags = (stream: StreamIndex): number => (stream & 2 ? UNICAST : 0) | (stream & 1 ? BULK : 0)
const streamOfFlags = (head: number): StreamIndex => ((head & UNICAST ? 2 : 0) + (head & BULK ? 1 : 0)) as StreamIndex

export function encodeData(head: MessageHead, body: Uint8Array): Uint8Array {
  const name = head.opening === undefined ? undefined : encodeText(head.opening.name)
  const unicast = (head.stream & 2) !== 0
  const size =
    1 +
    4 +
    varintBytes(head.channel) +
    2 +
    openingBytes(head.opening, name) +
    3 +
    (unicast ? varintBytes(head.number) : 0)
  const writer = new ByteWriter(new Uint8Array(size + body.length))
  writer.u8((FRAME.data << 5) | streamFlags(head.stream) | (name === undefined ? 0 : OPENS) | head.content)
  writer.u32(head.seq)
  writer.varint(head.channel)
  writer.u16(head.ordinal & 0xffff)
  if (head.opening !== undefined && name !== undefined) writeOpening(writer, head.opening, name)
  writer.u24(head.sent)
  if (unicast) writer.varint(head.number)
  writer.raw(body)
  return writer.bytes
}

/** One fragment of the message `head` (whose `seq` is the fragment's own). Index 0 carries the message's head. */
export function encodeFragment(
  head: MessageHead,
  index: number,
  last: boolean,
  totalBytes: number,
  body: Uint8Array,
): Uint8Array {
  const opening = index === 0 ? head.opening : undefined
  const name = opening === undefined ? undefined : encodeText(opening.name)
  const unicast = (head.stream & 2) !== 0
  const size =
    1 +
    4 +
    varintBytes(head.channel) +
    2 +
    openingBytes(opening, name) +
    varintBytes(index) +
    (index === 0 ? 4 + (unicast ? varintBytes(head.number) : 0) + varintBytes(totalBytes) : 0)
  const writer = new ByteWriter(new Uint8Array(size + body.length))
  writer.u8((FRAME.fragment << 5) | streamFlags(head.stream) | (name === undefined ? 0 : OPENS) | (last ? LAST : 0))
  writer.u32(head.seq)
  writer.varint(head.channel)
  writer.u16(head.ordinal & 0xffff)
  if (opening !== undefined && name !== undefined) writeOpening(writer, opening, name)
  writer.varint(index)
  if (index === 0) {
    writer.u8(head.content)
    writer.u24(head.sent)
    if (unicast) writer.varint(head.number)
    writer.varint(totalBytes)
  }
  writer.raw(body)
  return writer.bytes
}

/** A data or fragment frame as read. `ordinal` is the low 16 bits. */
export interface PieceFrame {
  readonly stream: StreamIndex
  readonly seq: number
  readonly channel: number
  readonly ordinal: number
  readonly opening: Opening | undefined
  /** Where in its message this piece stands; 0 and `last` for a whole message. */
  readonly index: number
  readonly last: boolean
  /** Set on index 0. */
  readonly start:
    | { readonly content: Content; readonly sent: number; readonly number: number; readonly totalBytes: number }
    | undefined
  /** A view into the frame's bytes. */
  readonly body: Uint8Array
}

function readContent(value: number): Content {
  if (value > CONTENT.void) throw new ProtocolError('frame.content', `unknown content ${value}`)
  return value as Content
}

function readOpening(reader: ByteReader): Opening {
  const name = reader.text(LIMITS.channelNameBytes)
  return { name, ordinal: reader.u32() }
}

function readChannel(reader: ByteReader): number {
  const channel = reader.varint()
  if (channel >= LIMITS.channels) throw new ProtocolError('frame.channel', `expected less than ${LIMITS.channels}`)
  return channel
}

/** Read a frame of type data or fragment. @throws ProtocolError */
export function decodePiece(frame: Uint8Array): PieceFrame {
  const reader = new ByteReader(frame)
  const head = reader.u8()
  const stream = streamOfFlags(head)
  const seq = reader.u32()
  const channel = readChannel(reader)
  const ordinal = reader.u16()
  const opening = head & OPENS ? readOpening(reader) : undefined
  if (head >>> 5 === FRAME.data) {
    const sent = reader.u24()
    const number = stream & 2 ? reader.varint() : 0
    const body = reader.rest()
    const start = { content: readContent(head & CONTENT_MASK), sent, number, totalBytes: body.length }
    return { stream, seq, channel, ordinal, opening, index: 0, last: true, start, body }
  }
  const index = reader.varint()
  const last = (head & LAST) !== 0
  if (index > 0) return { stream, seq, channel, ordinal, opening, index, last, start: undefined, body: reader.rest() }
  const content = readContent(reader.u8())
  const sent = reader.u24()
  const number = stream & 2 ? reader.varint() : 0
  const totalBytes = reader.varint()
  if (totalBytes > LIMITS.messageBytes) {
    throw new ProtocolError('frame.total', `expected at most ${LIMITS.messageBytes} bytes`)
  }
  return {
    stream,
    seq,
    channel,
    ordinal,
    opening,
    index,
    last,
    start: { content, sent, number, totalBytes },
    body: reader.rest(),
  }
}

/** What a receiver says of one stream. */
export interface StreamAck {
  readonly stream: StreamIndex
  /** Every frame before this one has come. */
  readonly next: number
  /** Bit i (least significant first) of the bitmap: frame `next + 1 + i` has come. Trailing zeros are left out. */
  readonly bitmap: Uint8Array
}

/** Messages of this channel from `ordinal` on, as far as they have come, the application has not been handed yet. */
export interface Unread {
  readonly channel: number
  readonly audience: Audience
  readonly ordinal: number
}

export interface Ack {
  /** How long the newest frame waited before this acknowledgement left, ms. */
  readonly heldMs: number
  /** How long this receiver may wait at most, ms. */
  readonly delayMs: number
  /** How many bytes beyond `next` this receiver will still take, on each stream. */
  readonly windowBytes: number
  readonly streams: readonly StreamAck[]
  readonly unread: readonly Unread[]
}

const UNREAD = 16
/** Span of a bitmap: no sender has more frames unacknowledged. */
const BITMAP_BYTES = LIMITS.windowFrames / 8

export function encodeAck(ack: Ack): Uint8Array {
  let size = 1 + 2 + 2 + 4
  let flags = 0
  for (const { stream, bitmap } of ack.streams) {
    size += 4 + varintBytes(bitmap.length) + bitmap.length
    flags |= 1 << stream
  }
  if (ack.unread.length > 0) {
    flags |= UNREAD
    size += varintBytes(ack.unread.length)
    for (const { channel } of ack.unread) size += varintBytes(channel * 2 + 1) + 4
  }
  const writer = new ByteWriter(new Uint8Array(size))
  writer.u8((FRAME.ack << 5) | flags)
  writer.u16(Math.min(0xffff, Math.round(ack.heldMs)))
  writer.u16(Math.min(0xffff, Math.round(ack.delayMs)))
  writer.u32(ack.windowBytes)
  for (const { next, bitmap } of ack.streams) {
    writer.u32(next)
    writer.varint(bitmap.length)
    writer.raw(bitmap)
  }
  if (ack.unread.length > 0) {
    writer.varint(ack.unread.length)
    for (const { channel, audience, ordinal } of ack.unread) {
      writer.varint(channel * 2 + (audience === 'unicast' ? 1 : 0))
      writer.u32(ordinal)
    }
  }
  return writer.bytes
}

/** @throws ProtocolError */
export function decodeAck(frame: Uint8Array): Ack {
  const reader = new ByteReader(frame)
  const flags = reader.u8()
  const heldMs = reader.u16()
  const delayMs = reader.u16()
  const windowBytes = reader.u32()
  const streams: StreamAck[] = []
  for (const stream of STREAMS) {
    if ((flags & (1 << stream)) === 0) continue
    const next = reader.u32()
    const length = reader.varint()
    if (length > BITMAP_BYTES) throw new ProtocolError('ack.bitmap', `expected at most ${BITMAP_BYTES} bytes`)
    streams.push({ stream, next, bitmap: reader.raw(length) })
  }
  const unread: Unread[] = []
  if (flags & UNREAD) {
    const count = reader.varint()
    if (count > 2 * LIMITS.channels) throw new ProtocolError('ack.unread', `expected at most ${2 * LIMITS.channels}`)
    for (let index = 0; index < count; index += 1) {
      const tagged = reader.varint()
      unread.push({ channel: tagged >>> 1, audience: tagged & 1 ? 'unicast' : 'room', ordinal: reader.u32() })
    }
  }
  return { heldMs, delayMs, windowBytes, streams, unread }
}

export function encodePing(nonce: number, wantsAck: boolean): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(5))
  writer.u8((FRAME.ping << 5) | (wantsAck ? 1 : 0))
  writer.u32(nonce)
  return writer.bytes
}

export function encodePong(nonce: number): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(5))
  writer.u8(FRAME.pong << 5)
  writer.u32(nonce)
  return writer.bytes
}

/** Read a ping or a pong. @throws ProtocolError */
export function decodePing(frame: Uint8Array): { readonly nonce: number; readonly wantsAck: boolean } {
  const reader = new ByteReader(frame)
  const wantsAck = (reader.u8() & 1) !== 0
  return { nonce: reader.u32(), wantsAck }
}

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

/** One value of a `latest` channel. */
export interface LatestFrame {
  readonly audience: Audience
  readonly channel: number
  /** Counts the sender's values over all channels and paths; a higher one is newer, by serial arithmetic. */
  readonly counter: number
  readonly sent: number
  readonly key: string
  readonly content: Content
  readonly body: Uint8Array
}

export function encodeLatest(frame: LatestFrame): Uint8Array {
  const key = encodeText(frame.key)
  const size = 1 + varintBytes(frame.channel) + 4 + 3 + varintBytes(key.length) + key.length + frame.body.length
  const writer = new ByteWriter(new Uint8Array(size))
  writer.u8((FRAME.latest << 5) | (frame.audience === 'unicast' ? UNICAST : 0) | frame.content)
  writer.varint(frame.channel)
  writer.u32(frame.counter)
  writer.u24(frame.sent)
  writer.varint(key.length)
  writer.raw(key)
  writer.raw(frame.body)
  return writer.bytes
}

/** @throws ProtocolError */
export function decodeLatest(frame: Uint8Array): LatestFrame {
  const reader = new ByteReader(frame)
  const head = reader.u8()
  if (head === PACK) throw new ProtocolError('latest', 'a pack, where a frame was due')
  const channel = readChannel(reader)
  const counter = reader.u32()
  const sent = reader.u24()
  const key = reader.text(LIMITS.latestKeyBytes)
  const body = reader.rest()
  if (body.length > LIMITS.latestBytes)
    throw new ProtocolError('latest', `expected at most ${LIMITS.latestBytes} bytes`)
  return {
    audience: head & UNICAST ? 'unicast' : 'room',
    channel,
    counter,
    sent,
    key,
    content: readContent(head & CONTENT_MASK),
    body,
  }
}
