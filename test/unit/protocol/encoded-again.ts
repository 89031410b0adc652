import {
  type Address,
  decodePiece,
  ENVELOPE,
  encodeData,
  encodeFragment,
  envelopeLength,
  FRAME,
  frameType,
  type MessageHead,
  type PeerId,
  readEnvelope,
  writeEnvelope,
} from '../../../signaling/protocol/index.ts'

/** A data or fragment frame, decoded and encoded. */
export function pieceAgain(frame: Uint8Array): Uint8Array {
  const piece = decodePiece(frame)
  const { stream, seq, channel, ordinal, opening, start, index, last, body } = piece
  const head: MessageHead = {
    stream,
    seq,
    channel,
    ordinal,
    opening,
    content: start?.content ?? 0,
    sent: start?.sent ?? 0,
    number: start?.number ?? 0,
  }
  if (frameType(frame) === FRAME.data) return encodeData(head, body)
  return encodeFragment(head, index, last, start?.totalBytes ?? 0, body)
}

/** One envelope, read and written. */
export function envelopeAgain(bytes: Uint8Array): Uint8Array {
  const { kind, peer, ids, slot, payloadStart, end } = readEnvelope(bytes, 0)
  const addresses: Readonly<Record<number, Address>> = {
    [ENVELOPE.one]: { kind: 'one', id: peer ?? ('' as PeerId) },
    [ENVELOPE.several]: { kind: 'several', ids },
    [ENVELOPE.all]: { kind: 'all' },
    [ENVELOPE.except]: { kind: 'except', ids },
    [ENVELOPE.from]: { kind: 'one', id: peer ?? ('' as PeerId) },
  }
  const address = addresses[kind] ?? { kind: 'all' }
  const payload = bytes.subarray(payloadStart, end)
  const again = new Uint8Array(envelopeLength(address, payload.length, slot))
  writeEnvelope(again, 0, address, payload, slot)
  again[0] = kind
  return again
}
