import type { IceServer, LinkMessage } from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'

/**
 * A peer connection carries four lanes, each a data channel of its own, so that none waits behind another: small and
 * large messages, values of `latest`, and `control`, what the links say to each other about all of them.
 */
export type PathLane = 'small' | 'bulk' | 'latest' | 'control'

/** Straight, or through a TURN server of either side. */
export type DirectKind = 'direct' | 'turn'

/** What the selected candidate pair says; a field is `undefined` where the browser does not tell. */
export interface PathStatistics {
  /** `host`, `srflx`, `prflx` or `relay`. */
  readonly localCandidate: string | undefined
  readonly remoteCandidate: string | undefined
  /** `udp`, `tcp` or `tls`: how the local side reaches its TURN server, or the pair's own protocol. */
  readonly protocol: string | undefined
  /** ICE's own last round trip, ms. */
  readonly rttMs: number | undefined
  readonly bytesSent: number | undefined
  readonly bytesReceived: number | undefined
}

/**
 * One peer connection, used by the link above it. It may be slow, and may die in silence: that is the link's to notice.
 * What is handed to it arrives whole or not at all; except on `latest`, in order of its lane while it lives.
 */
export interface DirectPath {
  readonly attempt: number
  /** Follows the selected candidate pair, which may change while the path is up: `kindChanged` tells. */
  readonly kind: DirectKind
  /**
   * Hand one frame to a lane. False, and nothing sent: the path is not open, or the lane's buffer is at its bound (see
   * `LANE_BUFFERS`), in which case `writable` follows. Never throws. The bytes are copied: the caller may reuse them.
   */
  send(lane: PathLane, frame: Uint8Array): boolean
  /** Bytes handed over that have not left yet, with what packing adds. */
  bufferedBytes(lane: PathLane): number
  /** Bytes handed over so far, with what packing adds; less `bufferedBytes`, what has left. */
  writtenBytes(lane: PathLane): number
  statistics(): Promise<PathStatistics>
  /** At once: what is still buffered is lost. Idempotent. `closed` is called before it returns. */
  close(): void
}

export interface DirectPathEvents {
  /** All lanes are open. Comes first, once. */
  opened(path: DirectPath): void
  /** The bytes are the callee's to keep. Of no bytes: what came was malformed. */
  frame(path: DirectPath, lane: PathLane, bytes: Uint8Array): void
  /** A lane's buffer has drained to its low mark. */
  writable(path: DirectPath, lane: PathLane): void
  kindChanged(path: DirectPath): void
  /** Comes last, exactly once, whoever closed and whether or not it had opened. `reason` is for people. */
  closed(path: DirectPath, reason: string): void
}

export type PathSignal = Extract<LinkMessage, { readonly t: 'offer' | 'answer' | 'candidate' }>

/** A path while, and after, it is negotiated. */
export interface NegotiatedPath extends DirectPath {
  /** A signal of the other side for this attempt, in the order it was sent. Never throws. */
  accept(signal: PathSignal): void
}

export interface ConnectOptions {
  readonly attempt: number
  /** Exactly one side is: it makes the offer. */
  readonly initiator: boolean
  /** Told to the other side in the offer. */
  readonly turn: boolean
  readonly iceServers: readonly IceServer[]
  readonly iceTransportPolicy: 'all' | 'relay'
  readonly clock: Clock
  readonly events: DirectPathEvents
  say(signal: PathSignal): void
}

/** Never throws and calls nothing before it returns: what goes wrong is told by `closed`. */
export type Connect = (options: ConnectOptions) => NegotiatedPath

export interface LaneBuffer {
  /** What may wait in it at most. */
  readonly boundBytes: number
  /** The bound at first, and where the way is slow: what waits there is in the way of what comes after it. */
  readonly leastBytes: number
  /** When more is asked for after a refusal; of a lower bound the same part. */
  readonly lowBytes: number
  /** Small frames that have to wait gather in one message of at most so much; 0: each is a message. */
  readonly packBytes: number
}

/**
 * How much may wait in a lane, and when more is asked for. A lane refuses when its buffer holds `boundBytes` or more,
 * so that it may go over by one frame, and so that a refusal is always followed by `writable`.
 *
 * - small: 256 KiB are 50 ms of the fastest stream of small frames measured (55,000 a second of 100 bytes). More would
 *   only make the queue that a switch of paths has to send again.
 * - bulk: with 1 MiB queued, throughput is no longer limited by the queue; half of that is left when more is asked
 *   for, 10 ms at 50 MB/s, so that the channel never runs dry. On a slow way so much would be seconds.
 * - control: acknowledgements of at most some 500 bytes, and pings; they are few, and each says all that earlier ones did.
 * - latest: an old value behind others is worth nothing: 64 KiB are four of the largest.
 *
 * Packs of `small` and `bulk` are as large as every browser takes a message (RFC 8841's default): a message costs a channel
 * about as much as 16 KiB of its bytes. One of `latest` fits into one packet of the network: a message that is not sent
 * again is lost with any of its packets. Those of `control` do not wait for company.
 */
export const LANE_BUFFERS: Readonly<Record<PathLane, LaneBuffer>> = Object.freeze({
  small: Object.freeze({ boundBytes: 262_144, leastBytes: 262_144, lowBytes: 131_072, packBytes: 65_536 }),
  bulk: Object.freeze({ boundBytes: 1_048_576, leastBytes: 65_536, lowBytes: 524_288, packBytes: 65_536 }),
  control: Object.freeze({ boundBytes: 65_536, leastBytes: 65_536, lowBytes: 16_384, packBytes: 0 }),
  latest: Object.freeze({ boundBytes: 65_536, leastBytes: 65_536, lowBytes: 16_384, packBytes: 1_100 }),
})
