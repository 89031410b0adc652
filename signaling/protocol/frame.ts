/**
 * Frames: what members say to each other, the same bytes on every path. On WebRTC one data channel message is one
 * frame or a pack of them (pack.ts); on the relay one envelope carries one frame. PROTOCOL.md, "Frames", has the
 * layouts; numbers are big-endian. Acknowledgements and greetings have files of their own.
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
import { LIMITS } from './limits.ts'

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

/** Begins a pack of frames, which only data channels carry: pack.ts. */
const PACKED = 0xff

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

/** @throws ProtocolError */
export function readChannel(reader: ByteReader): number {
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
  if (head === PACKED) throw new ProtocolError('latest', 'a pack, where a frame was due')
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
