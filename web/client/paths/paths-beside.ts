/**
 * Peer connections beside the direct path in use, which carry bulk and nothing else.
 *
 * One SCTP association is slow on a long or lossy way: its window grows by a packet a round trip and halves at every
 * loss. Measured at 50 ms: 1.3 MB/s, and with 1 % loss 0.2; six of them 4.8 and 1.5. So where bulk waits for a path
 * that is slow and long, six more are opened; that is as many as browsers open to a web server by HTTP/1.1, and as fair
 * to others. Frames of bulk then go to whichever has room, and none to the path in use: small messages have it to
 * themselves. Streams put the frames in order, and send again what flew by one that died.
 *
 * They are closed when they turn out to bring little (a narrow way is as slow for six), when bulk has not waited for a
 * while, and with the path in use. None goes through TURN, which would cost its operator six times. Either side opens
 * them, the numbering member with odd numbers, and both use what is open.
 */
import type { IceServer, LinkMessage, PeerSignal } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import { boundedCandidates } from './attempt-plan.ts'
import { ATTEMPT_TIMES } from './attempt-times.ts'
import { CandidateIntake } from './candidate-intake.ts'
import { isRelayed, withoutRelayed, withoutTurn } from './ice-servers.ts'
import type { Connect, DirectPath, DirectPathEvents, NegotiatedPath } from './path.ts'
import type { SlotPool } from './slots.ts'

/** Opened at once. */
const BESIDE = 6
/** Both sides may open theirs at the same moment. */
const MOST_BESIDE = 2 * BESIDE
/** Bulk has waited for so long: slow start is over where a way is quick. */
const WAITED_MS = 500
/** A longer pause in which it did not wait begins the count anew. */
const PAUSE_MS = 2_000
/** Bytes a millisecond; a path that is quicker has no need. */
const SLOW = 4_000
/** On a shorter way one association is quick, and what slows it down is not the way's length. */
const LONG_MS = 15
/** What those beside bring is judged after so much waiting: they start slowly, too. */
const TRIAL_MS = 4_000
const WORTH = 2
/** When it was not worth it, it is not tried again for so long. */
const AGAIN_MS = 60_000
/** Until what is in them has come, mostly. */
const DRAIN_MS = 2_000
/** Closed when bulk has not waited, nor come, for so long. */
const IDLE_MS = 10_000

export interface PathsBesideOptions {
  /** Numbers its own with odd numbers; the other with even ones. */
  readonly initiator: boolean
  readonly connect: Connect
  readonly clock: Clock
  /** Shared by all links of the room. Nobody waits for a slot. */
  readonly slots: SlotPool
  readonly events: DirectPathEvents
  /** Whether a path in use is direct. */
  direct(): boolean
  /** Send nothing more by this one. */
  retire(path: DirectPath): void
  say(message: LinkMessage): void
  iceServers(): Promise<readonly IceServer[]>
}

interface Beside {
  readonly path: NegotiatedPath
  readonly intake: CandidateIntake
  open: boolean
}

export class PathsBeside {
  readonly #options: PathsBesideOptions
  readonly #paths = new Map<number, Beside>()
  #servers: Promise<readonly IceServer[]> | undefined
  #last: number
  #newestTheirs = 0
  #theirsFromMs = Number.NEGATIVE_INFINITY
  /** While bulk waits, and the paths are the same: since when, and what had left by then. */
  #spell: { readonly sinceMs: number; readonly leftBytes: number } | undefined
  #waitedAtMs = 0
  /** What the path in use did alone, while it is not clear that more are worth it; bytes a millisecond. */
  #alone: number | undefined
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #used = false
  #timer: TimerHandle | undefined
  #stopped = false

  constructor(options: PathsBesideOptions) {
    this.#options = options
    this.#last = options.initiator ? -1 : 0
  }

  /** Neither the direct path in use nor those beside it take more bulk now. */
  waiting(main: DirectPath, rttMs: number): void {
    const nowMs = this.#options.clock.now()
    this.#used = true
    const open = [...this.#paths.values()].flatMap(({ open, path }) => (open ? [path] : []))
    let leftBytes = 0
    for (const path of [main, ...open]) leftBytes += path.writtenBytes('bulk') - path.bufferedBytes('bulk')
    if (nowMs - this.#waitedAtMs > PAUSE_MS) this.#spell = undefined
    this.#waitedAtMs = nowMs
    this.#spell ??= { sinceMs: nowMs, leftBytes }
    const waitedMs = nowMs - this.#spell.sinceMs
    const rate = (leftBytes - this.#spell.leftBytes) / waitedMs
    if (this.#paths.size === 0) {
      if (waitedMs < WAITED_MS || rate > SLOW || rttMs < LONG_MS || nowMs < this.#notBeforeMs) return
      this.#alone = rate
      this.#spell = undefined
      void this.#iceServers().then((servers) => {
        while (this.#paths.size < BESIDE) {
          this.#last += 2
          if (!this.#make(this.#last, true, servers)) return
        }
      })
    } else if (this.#alone !== undefined && open.length > 0 && waitedMs >= TRIAL_MS) {
      if (rate < this.#alone * WORTH) {
        this.#notBeforeMs = nowMs + AGAIN_MS
        for (const path of open) this.#options.retire(path)
        this.#stopTimer()
        this.#timer = this.#options.clock.setTimeout(() => this.close(), DRAIN_MS)
      }
      this.#alone = undefined
    }
  }

  /** A signal of the other side about one of them. */
  receive(signal: PeerSignal): void {
    // Who has no direct path to the other side may not want one: addresses are not told for this.
    if (signal.t === 'offer' && !this.#options.direct()) return
    // All in the order they came: those for a path that is still to be made, too.
    void this.#iceServers().then((servers) => this.#take(signal, servers))
  }

  /** The path in use has changed, or bulk rests: what they carry is sent again. */
  close(): void {
    for (const { path } of [...this.#paths.values()]) path.close()
  }

  stop(): void {
    this.#stopped = true
    this.close()
  }

  #iceServers(): Promise<readonly IceServer[]> {
    // Addresses of STUN servers do not run out, as credentials do.
    this.#servers ??= this.#options.iceServers().then(withoutTurn, () => [])
    return this.#servers
  }

  #make(attempt: number, initiator: boolean, iceServers: readonly IceServer[]): boolean {
    const { connect, clock, slots, say, events } = this.#options
    const slot = this.#stopped ? undefined : slots.take()
    if (slot === undefined) return false
    const timer = clock.setTimeout(() => {
      if (!beside.open) path.close()
    }, ATTEMPT_TIMES.connectMs)
    const path = connect({
      attempt,
      initiator,
      turn: false,
      iceServers,
      iceTransportPolicy: 'all',
      clock,
      events: {
        ...events,
        opened: (opened) => {
          beside.open = true
          this.#spell = undefined
          events.opened(opened)
        },
        frame: (via, lane, bytes) => {
          this.#used ||= lane === 'bulk'
          events.frame(via, lane, bytes)
        },
        closed: (closed, reason) => {
          clock.clearTimeout(timer)
          slot.release()
          this.#paths.delete(attempt)
          this.#spell = undefined
          if (this.#paths.size === 0) this.#stopTimer()
          if (beside.open) events.closed(closed, reason)
        },
      },
      say: boundedCandidates((signal) => say({ t: 'beside', signal })),
    })
    const beside: Beside = { path, intake: new CandidateIntake(), open: false }
    this.#paths.set(attempt, beside)
    this.#watch()
    return true
  }

  #take(signal: PeerSignal, servers: readonly IceServer[]): void {
    const { attempt } = signal
    if (signal.t === 'offer') {
      const theirs = attempt % 2 === (this.#options.initiator ? 0 : 1)
      if (!theirs || attempt <= this.#newestTheirs || this.#paths.size >= MOST_BESIDE) return
      // Making one keeps the page busy for some ms: whoever offers and closes makes no more than so many in 10 s.
      const nowMs = this.#options.clock.now()
      if (this.#theirsFromMs > nowMs) return
      this.#theirsFromMs = Math.max(this.#theirsFromMs, nowMs - IDLE_MS) + IDLE_MS / MOST_BESIDE
      this.#newestTheirs = attempt
      this.#make(attempt, false, servers)
    }
    const beside = this.#paths.get(attempt)
    if (beside === undefined) return
    if (signal.t !== 'candidate') beside.path.accept({ ...signal, sdp: withoutRelayed(signal.sdp) })
    else if (!isRelayed(signal.candidate.candidate)) beside.intake.pass(signal, beside.path)
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #watch(): void {
    this.#timer ??= this.#options.clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#used) this.#watch()
      else this.close()
      this.#used = false
    }, IDLE_MS)
  }
}
