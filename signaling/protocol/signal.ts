/**
 * What two members say about their peer connections: JSON messages on the link's own channel (number 0, unicast),
 * reliable like any other, and always also sent by the relay. `attempt` numbers peer connections: the member with the
 * smaller id makes them and counts; what names another attempt than the current one is dropped.
 */
import { ProtocolError } from './errors.ts'
import { asBoolean, asInteger, asObject, asString, type Fields } from './guards.ts'

/** The internal channel's number and name. Names of the application's channels begin with a letter for their kind. */
export const LINK_CHANNEL = 0
export const LINK_CHANNEL_NAME = 'link'

const SDP_BYTES = 65_536
const CANDIDATE_BYTES = 1_024
/** Of 65 and of 32 bytes, as base64url. */
const SIGNER_CHARS = 87
const DIGEST_CHARS = 43

export interface CandidateSignal {
  readonly candidate: string
  readonly sdpMid: string | null
  readonly sdpMLineIndex: number | null
}

interface Description {
  readonly attempt: number
  readonly sdp: string
  /** Short forms of frames are understood on this connection. */
  readonly short?: boolean | undefined
}

/** What makes one peer connection. */
export type PeerSignal =
  /** The initiator's offer. It has reserved a slot for the attempt. `turn`: gathered with TURN. */
  | ({ readonly t: 'offer'; readonly turn: boolean } & Description)
  | ({ readonly t: 'answer' } & Description)
  | { readonly t: 'candidate'; readonly attempt: number; readonly candidate: CandidateSignal }

/** What a member says of itself, which nobody else can say for it: SEALING.md. */
export type AboutSelf =
  /** By which its signed channels are checked: a point of P-256, as base64url. */
  | { readonly t: 'signer'; readonly key: string }
  /** Of its profile as it is now, as base64url. */
  | { readonly t: 'profile'; readonly digest: string }

export type LinkMessage =
  | PeerSignal
  /** Of a peer connection beside the one in use, for large messages: numbered apart, by both sides. */
  | { readonly t: 'beside'; readonly signal: PeerSignal }
  /** The other side asks the initiator for a new attempt, because `replaces` (0: none yet) is lost or hopeless. */
  | { readonly t: 'ask'; readonly replaces: number }
  /** No slot is free here: the attempt is off. Whoever said so says `slot` when one is. */
  | { readonly t: 'full'; readonly attempt: number }
  | { readonly t: 'slot' }
  /** This side does not do WebRTC (not supported, or switched off): do not try. */
  | { readonly t: 'relay-only' }
  /** A channel of kind `latest`, whose frames may overtake this. */
  | { readonly t: 'declare'; readonly channel: number; readonly name: string }
  | AboutSelf

const attempt = (fields: Fields): number => asInteger(fields.attempt, 'attempt', 1, 0xffff_ffff)

function nullable<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null || value === undefined ? null : read(value)
}

const description = (fields: Fields): Description => ({
  attempt: attempt(fields),
  sdp: asString(fields.sdp, 'sdp', SDP_BYTES, 1),
  short: fields.short === undefined ? undefined : asBoolean(fields.short, 'short'),
})

/** `undefined`: it is of another kind. */
function parsePeerSignal(fields: Fields): PeerSignal | undefined {
  switch (fields.t) {
    case 'offer':
      return { t: 'offer', turn: asBoolean(fields.turn, 'turn'), ...description(fields) }
    case 'answer':
      return { t: 'answer', ...description(fields) }
    case 'candidate': {
      const candidate = asObject(fields.candidate, 'candidate')
      return {
        t: 'candidate',
        attempt: attempt(fields),
        candidate: {
          candidate: asString(candidate.candidate, 'candidate.candidate', CANDIDATE_BYTES),
          sdpMid: nullable(candidate.sdpMid, (mid) => asString(mid, 'candidate.sdpMid', 64)),
          sdpMLineIndex: nullable(candidate.sdpMLineIndex, (line) =>
            asInteger(line, 'candidate.sdpMLineIndex', 0, 255),
          ),
        },
      }
    }
  }
  return undefined
}

/** @throws ProtocolError naming the field */
export function parseLinkMessage(value: unknown): LinkMessage {
  const fields = asObject(value, 'link')
  const peerSignal = parsePeerSignal(fields)
  if (peerSignal !== undefined) return peerSignal
  switch (fields.t) {
    case 'beside': {
      const signal = parsePeerSignal(asObject(fields.signal, 'signal'))
      if (signal === undefined) throw new ProtocolError('signal.t', 'unknown message')
      return { t: 'beside', signal }
    }
    case 'ask':
      return { t: 'ask', replaces: asInteger(fields.replaces, 'replaces', 0, 0xffff_ffff) }
    case 'full':
      return { t: 'full', attempt: attempt(fields) }
    case 'slot':
      return { t: 'slot' }
    case 'relay-only':
      return { t: 'relay-only' }
    case 'declare':
      return {
        t: 'declare',
        channel: asInteger(fields.channel, 'channel', 1, 255),
        name: asString(fields.name, 'name', 64, 1),
      }
    case 'signer':
      return { t: 'signer', key: asString(fields.key, 'key', SIGNER_CHARS, SIGNER_CHARS) }
    case 'profile':
      return { t: 'profile', digest: asString(fields.digest, 'digest', DIGEST_CHARS, DIGEST_CHARS) }
    default:
      throw new ProtocolError('link.t', 'unknown message')
  }
}
