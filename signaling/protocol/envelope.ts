/**
 * Envelopes: how frames travel on the uplink. A binary uplink message is one or more envelopes, one after the other.
 *
 *   byte 0      kind: 1 one · 2 several · 3 all · 4 all except · 5 from (server to client only) · 6 store
 *   byte 1      flags: bit 0 droppable; the others are 0
 *   bytes 2-3   n, unsigned: how many ids follow the header (kinds 2 and 4 only, else 0)
 *   bytes 4-7   payload length, unsigned
 *   bytes 8-15  peer id: the receiver (kind 1), the sender (kind 5), else 0
 *   then        n ids of 8 bytes (kinds 2 and 4)
 *   then        slot, 4 bytes unsigned, when droppable
 *   then        the payload, which the server never reads
 *
 * Numbers are big-endian. The server turns kind 1 or 3 into kind 5 by overwriting bytes 0 and 8-15 in place.
 * A droppable envelope may be replaced by a newer one of the same sender and slot, or dropped, while it waits.
 */
import { ProtocolError } from './errors.ts'
import { type IdWords, PEER_ID_BYTES, type PeerId, peerIdAt, wordAt, writeHex, writeWord } from './ids.ts'
import { LIMITS } from './limits.ts'

export const ENVELOPE_BYTES = 16
export const ENVELOPE = Object.freeze({ one: 1, several: 2, all: 3, except: 4, from: 5, store: 6 } as const)
export type EnvelopeKind = (typeof ENVELOPE)[keyof typeof ENVELOPE]
const DROPPABLE = 1
const SLOT_BYTES = 4

/** Who gets a frame. `except` with an empty list is everyone. */
export type Address =
  | { readonly kind: 'one'; readonly id: PeerId }
  | { readonly kind: 'several'; readonly ids: readonly PeerId[] }
  | { readonly kind: 'all' }
  | { readonly kind: 'except'; readonly ids: readonly PeerId[] }

/** The server itself: the payload is a record for it to keep. */
export interface StoreAddress {
  readonly kind: 'store'
}

/** Where one envelope lies in the message it was read from; offsets are into those bytes. */
export interface EnvelopeView {
  readonly kind: EnvelopeKind
  readonly start: number
  readonly end: number
  /** The receiver of `one`, the sender of `from`; not set otherwise, nor when it was not asked for. */
  readonly peer: PeerId | undefined
  readonly ids: readonly PeerId[]
  /** Set when droppable. */
  readonly slot: number | undefined
  readonly payloadStart: number
}

export function envelopeLength(
  address: Address | StoreAddress,
  payloadBytes: number,
  slot: number | undefined,
): number {
  const ids = address.kind === 'several' || address.kind === 'except' ? address.ids.length : 0
  return ENVELOPE_BYTES + ids * PEER_ID_BYTES + (slot === undefined ? 0 : SLOT_BYTES) + payloadBytes
}

/** Write one envelope at `offset` of `target`, which is large enough (`envelopeLength`). Returns where it ends. */
export function writeEnvelope(
  target: Uint8Array,
  offset: number,
  address: Address | StoreAddress,
  payload: Uint8Array,
  slot?: number,
): number {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength)
  const ids = address.kind === 'several' || address.kind === 'except' ? address.ids : []
  target.fill(0, offset, offset + ENVELOPE_BYTES)
  target[offset] = ENVELOPE[address.kind]
  target[offset + 1] = slot === undefined ? 0 : DROPPABLE
  view.setUint16(offset + 2, ids.length)
  view.setUint32(offset + 4, payload.length)
  if (address.kind === 'one') writeHex(address.id, target, offset + 8)
  let position = offset + ENVELOPE_BYTES
  for (const id of ids) {
    writeHex(id, target, position)
    position += PEER_ID_BYTES
  }
  if (slot !== undefined) {
    view.setUint32(position, slot)
    position += SLOT_BYTES
  }
  target.set(payload, position)
  return position + payload.length
}

/** One envelope of kind `from`, as the server sends it. */
export function fromEnvelope(sender: PeerId, payload: Uint8Array, slot?: number): Uint8Array {
  const bytes = new Uint8Array(envelopeLength({ kind: 'all' }, payload.length, slot))
  writeEnvelope(bytes, 0, { kind: 'one', id: sender }, payload, slot)
  bytes[0] = ENVELOPE.from
  return bytes
}

/** Where the peer id of the envelope at `start` lies. */
export const peerOffset = (start: number): number => start + 8

/**
 * Read the envelope that starts at `start`. Call again with `end` until that is the length of the message. `unnamed`:
 * without the text of its peer's id, which takes longer than all the rest.
 * @throws ProtocolError on an unknown kind or flag, on a length beyond the message or `frameBytes`
 */
export function readEnvelope(
  bytes: Uint8Array,
  start: number,
  frameBytes: number = LIMITS.frameBytes,
  unnamed?: boolean,
): EnvelopeView {
  if (bytes.length - start < ENVELOPE_BYTES) throw new ProtocolError('envelope', 'too short')
  const kind = bytes[start] as number
  if (kind < ENVELOPE.one || kind > ENVELOPE.store) throw new ProtocolError('envelope.kind', `unknown kind ${kind}`)
  const flags = bytes[start + 1] as number
  if (flags > DROPPABLE) throw new ProtocolError('envelope.flags', `unknown flags ${flags}`)
  const count = wordAt(bytes, start) & 0xffff
  const listed = kind === ENVELOPE.several || kind === ENVELOPE.except
  if (listed ? count > LIMITS.envelopeIds : count !== 0) throw new ProtocolError('envelope.n', `${count} ids`)
  const length = wordAt(bytes, start + 4) >>> 0
  if (length > frameBytes) throw new ProtocolError('envelope.length', `expected at most ${frameBytes} bytes`)
  const slotStart = start + ENVELOPE_BYTES + count * PEER_ID_BYTES
  const payloadStart = slotStart + (flags & DROPPABLE ? SLOT_BYTES : 0)
  const end = payloadStart + length
  if (end > bytes.length) throw new ProtocolError('envelope.length', 'beyond the end')
  const ids: PeerId[] = []
  for (let at = start + ENVELOPE_BYTES; at < slotStart; at += PEER_ID_BYTES) ids.push(peerIdAt(bytes, at))
  // `one` and `from` are the two kinds that leave 1 of 4.
  return {
    kind: kind as EnvelopeKind,
    start,
    end,
    peer: unnamed || kind % 4 !== 1 ? undefined : peerIdAt(bytes, start + 8),
    ids,
    slot: flags & DROPPABLE ? wordAt(bytes, slotStart) >>> 0 : undefined,
    payloadStart,
  }
}

/** Whether `bytes` are one envelope to one member, whole and without flags. */
export const isPlainOne = (bytes: Uint8Array): boolean =>
  bytes.length >= ENVELOPE_BYTES &&
  wordAt(bytes, 0) === ENVELOPE.one << 24 &&
  wordAt(bytes, 4) === bytes.length - ENVELOPE_BYTES

/** Turn the envelope at `start` into one from `sender`, in place: the fast path of forwarding. */
export function stampSender(bytes: Uint8Array, start: number, sender: IdWords): void {
  bytes[start] = ENVELOPE.from
  writeWord(sender.idHigh, bytes, start + 8)
  writeWord(sender.idLow, bytes, start + 12)
}
