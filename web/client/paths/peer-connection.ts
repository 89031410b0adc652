/**
 * One peer connection, negotiated by simple-peer.
 *
 * simple-peer makes and takes offers, answers and candidates. Everything else is done on the raw connection beside it:
 * data does not pass through its stream (no copies, no 64 KiB watermark of its own), its main channel is one of our
 * four, and its end is watched on the raw states, since it does not tell of every close. All channels are negotiated
 * in advance, so that both sides have them from the start and neither waits for the other's.
 */
import SimplePeer from 'simple-peer/lite.js'
import { ShortForms, unpack } from '../../../signaling/protocol/index.ts'
import type { TimerHandle } from '../clock.ts'
import { kindOf, readStatistics } from './candidate-pair.ts'
import { PackingLane } from './packing-lane.ts'
import {
  type Connect,
  type ConnectOptions,
  type DirectKind,
  LANE_BUFFERS,
  type NegotiatedPath,
  type PathLane,
  type PathSignal,
  type PathStatistics,
} from './path.ts'

/** How often the candidate pair is looked at: browsers may move to another without a word. */
const PAIR_POLL_MS = 5_000
/** A browser answers from statistics that are up to 50 ms old: of a pair just chosen they do not tell yet. */
const PAIR_AGAIN_MS = 100
/** How long an open path waits to be told its candidate pair before it says it is open. */
const PAIR_WAIT_MS = 150

const CHANNELS: Readonly<Record<PathLane, RTCDataChannelInit>> = Object.freeze({
  small: { negotiated: true, id: 0, ordered: true },
  bulk: { negotiated: true, id: 1, ordered: true },
  latest: { negotiated: true, id: 2, ordered: false, maxRetransmits: 0 },
  control: { negotiated: true, id: 3, ordered: true },
})
/** Ordered and reliable, and of frames that follow each other: what they have in common is left out. */
const SHORT_LANES: readonly PathLane[] = ['small', 'control']
const LANES: readonly PathLane[] = ['small', 'bulk', 'latest', 'control']

const CLOSED_THERE = 'closed by the other side'
const FAILED = 'a data channel failed'
/** A close of the other side's connection comes as an SCTP abort with this cause (RFC 4960, 3.3.10.12). */
const USER_INITIATED_ABORT = 12
const closedByOther = (event: Event): boolean => (event as RTCErrorEvent).error?.sctpCauseCode === USER_INITIATED_ABORT

const NO_STATISTICS: PathStatistics = readStatistics(new Map())

/** @see Connect */
export const connectPeer: Connect = (options) => new PeerConnectionPath(options)

interface OpenLane {
  readonly channel: RTCDataChannel
  readonly frames: PackingLane
}

class PeerConnectionPath implements NegotiatedPath {
  readonly attempt: number
  kind: DirectKind = 'direct'
  readonly #options: ConnectOptions
  /** `connecting` → `open` → `told`, the application of the path knows; `closed` from each. */
  #state: 'connecting' | 'open' | 'told' | 'closed' = 'connecting'
  #peer: SimplePeer | undefined
  #connection: RTCPeerConnection | undefined
  #lanes: Readonly<Record<PathLane, OpenLane>> | undefined
  #timer: TimerHandle | undefined

  constructor(options: ConnectOptions) {
    this.#options = options
    this.attempt = options.attempt
    try {
      this.#construct()
    } catch (error) {
      this.#endSoon(messageOf(error))
    }
  }

  send(lane: PathLane, frame: Uint8Array): boolean {
    const lanes = this.#lanes
    // A channel says that it is open for a while after it was closed here.
    if (lanes === undefined || (this.#state !== 'told' && this.#state !== 'open')) return false
    try {
      return lanes[lane].frames.send(frame as Uint8Array<ArrayBuffer>)
    } catch {
      // Closing, and its event is on the way; or larger than the other side takes.
      return false
    }
  }

  bufferedBytes(lane: PathLane): number {
    return this.#lanes?.[lane].frames.bufferedBytes ?? 0
  }

  writtenBytes(lane: PathLane): number {
    return this.#lanes?.[lane].frames.writtenBytes ?? 0
  }

  async statistics(): Promise<PathStatistics> {
    const connection = this.#connection
    if (connection === undefined || this.#state === 'closed') return NO_STATISTICS
    try {
      return readStatistics(await connection.getStats())
    } catch {
      return NO_STATISTICS
    }
  }

  accept(signal: PathSignal): void {
    const peer = this.#peer
    if (peer === undefined || this.#state === 'closed') return
    try {
      if (signal.t !== 'candidate') {
        if (signal.short) for (const lane of SHORT_LANES) this.#lanes?.[lane].frames.shorten()
        peer.signal({ type: signal.t, sdp: signal.sdp })
      }
      // An empty candidate ends the other side's list, which nobody waits for.
      else if (signal.candidate.candidate !== '') peer.signal({ type: 'candidate', candidate: signal.candidate })
    } catch (error) {
      this.#end(messageOf(error))
    }
  }

  close(): void {
    this.#end('closed here')
  }

  #construct(): void {
    const { initiator, iceServers, iceTransportPolicy } = this.#options
    const peer = new SimplePeer({
      initiator,
      trickle: true,
      // Means nothing while candidates trickle, but its timer would hold a closed connection for 5 s.
      iceCompleteTimeout: 1,
      config: { iceServers: iceServers.map((server) => ({ ...server, urls: [...server.urls] })), iceTransportPolicy },
      channelName: 'small',
      channelConfig: CHANNELS.small,
    })
    this.#peer = peer
    peer.on('error', (error) => this.#end(messageOf(error)))
    peer.on('close', () => this.#end('closed'))
    peer.on('signal', (signal) => this.#say(signal as { readonly type: string }))
    const connection = peer._pc
    const small = peer._channel
    // simple-peer has met an error and tells of it a moment later.
    if (!connection || !small) return
    this.#connection = connection
    this.#watchConnection(connection)
    const lane = (name: PathLane, channel: RTCDataChannel): OpenLane => {
      const frames = new PackingLane(channel, LANE_BUFFERS[name], () => this.#options.clock.now())
      this.#watchChannel(name, channel, frames)
      return { channel, frames }
    }
    this.#lanes = {
      small: lane('small', small),
      bulk: lane('bulk', connection.createDataChannel('bulk', CHANNELS.bulk)),
      latest: lane('latest', connection.createDataChannel('latest', CHANNELS.latest)),
      control: lane('control', connection.createDataChannel('control', CHANNELS.control)),
    }
  }

  #watchConnection(connection: RTCPeerConnection): void {
    connection.addEventListener('connectionstatechange', () => {
      if (connection.connectionState === 'failed') this.#end('ICE failed')
      else if (connection.connectionState === 'closed') this.#end('closed')
    })
    connection.addEventListener('iceconnectionstatechange', () => void this.#readPair())
  }

  #watchChannel(lane: PathLane, channel: RTCDataChannel, frames: PackingLane): void {
    const { events } = this.#options
    const shortForms = SHORT_LANES.includes(lane) ? new ShortForms() : undefined
    channel.binaryType = 'arraybuffer'
    // Assigned, not added: on simple-peer's main channel this takes its own handlers' place.
    channel.onmessage = ({ data }: MessageEvent) => {
      // Text is nothing a member sends; before `opened` was told, the frame itself says that the path is open.
      if (!(data instanceof ArrayBuffer)) return
      if (this.#state !== 'told') this.#tellOpened()
      const message = new Uint8Array(data)
      unpack(shortForms?.restore(message) ?? message, (frame) => {
        // One before it may have ended the path.
        if (this.#state === 'told') events.frame(this, lane, frame)
      })
    }
    channel.onbufferedamountlow = () => {
      if (frames.drained() && this.#state === 'told') events.writable(this, lane)
    }
    channel.addEventListener('open', () => this.#laneOpened())
    channel.addEventListener('close', () => this.#end(CLOSED_THERE))
    channel.addEventListener('error', (event) => this.#end(closedByOther(event) ? CLOSED_THERE : FAILED))
  }

  #say(signal: { readonly type: string; readonly sdp?: string; readonly candidate?: RTCIceCandidateInit }): void {
    if (this.#state === 'closed') return
    const { attempt, turn, say } = this.#options
    if (signal.type === 'offer' && signal.sdp !== undefined)
      say({ t: 'offer', attempt, turn, sdp: signal.sdp, short: true })
    else if (signal.type === 'answer' && signal.sdp !== undefined)
      say({ t: 'answer', attempt, sdp: signal.sdp, short: true })
    else if (signal.type === 'candidate' && signal.candidate?.candidate) {
      const { candidate, sdpMid = null, sdpMLineIndex = null } = signal.candidate
      say({ t: 'candidate', attempt, candidate: { candidate, sdpMid, sdpMLineIndex } })
    }
    // `renegotiate` and `transceiverRequest`: a path is never negotiated twice, a new attempt replaces it.
  }

  #laneOpened(): void {
    const lanes = this.#lanes
    if (lanes === undefined || this.#state !== 'connecting') return
    if (LANES.some((lane) => lanes[lane].channel.readyState !== 'open')) return
    this.#state = 'open'
    this.#timer = this.#options.clock.setTimeout(() => this.#tellOpened(), PAIR_WAIT_MS)
    void this.#readPair().then(() => this.#tellOpened())
  }

  #tellOpened(): void {
    if (this.#state === 'connecting') this.#laneOpened()
    if (this.#state !== 'open') return
    this.#state = 'told'
    this.#watchPair()
    this.#pollPair(PAIR_AGAIN_MS)
    this.#options.events.opened(this)
  }

  /** Told at once in Chromium and Safari. Without it (Firefox, Node), and failing all of it, there is the poll. */
  #watchPair(): void {
    const transport = this.#connection?.sctp?.transport
    transport?.iceTransport?.addEventListener?.('selectedcandidatepairchange', () => {
      if (this.#state !== 'told') return
      void this.#readPair()
      this.#pollPair(PAIR_AGAIN_MS)
    })
  }

  #pollPair(afterMs = PAIR_POLL_MS): void {
    const { clock } = this.#options
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(() => {
      void this.#readPair()
      this.#pollPair()
    }, afterMs)
  }

  async #readPair(): Promise<void> {
    if (this.#state === 'connecting') return
    const kind = kindOf(await this.statistics())
    if (kind === undefined || kind === this.kind || (this.#state as string) === 'closed') return
    this.kind = kind
    if (this.#state === 'told') this.#options.events.kindChanged(this)
  }

  #endSoon(reason: string): void {
    queueMicrotask(() => this.#end(reason))
  }

  #end(reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    if (this.#lanes !== undefined) {
      for (const lane of LANES) {
        const { channel } = this.#lanes[lane]
        channel.onmessage = null
        channel.onbufferedamountlow = null
      }
    }
    // simple-peer closes its connection a timer later, which hidden pages delay by a second and more.
    this.#peer?.destroy()
    this.#connection?.close()
    this.#options.events.closed(this, reason)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
