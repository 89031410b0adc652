import { encodeGreeting, type Greeting, type InstanceId } from '../../../signaling/protocol/index.ts'

/** A greeting is repeated after this, doubling; the round trip to another member is rarely longer. */
const REPEAT_MS = 300
const REPEAT_MOST_MS = 5_000

/** What a greeting of the peer means. */
export type GreetingVerdict =
  /** Its first, or a newer one after it cut us off: begin to receive anew. */
  | 'start'
  /** Known already: only confirm it. */
  | 'repeat'
  /** The peer has ended the link and knows nothing of us: so must we. */
  | 'forgotten'
  /** Older than what we know, of another instance, or meant for a link that is over: drop it. */
  | 'stale'

/**
 * Both halves of a link's beginning: our greeting, repeated until it is confirmed, and which of the peer's we know.
 * A newer generation replaces an older one; each direction on its own.
 */
export class Handshake {
  #mine: Omit<Greeting, 'known' | 'uplinkRttMs'> | undefined
  #confirmed = false
  #repeatMs = REPEAT_MS
  #dueMs = Number.POSITIVE_INFINITY
  /** The newest generation of the peer; 0 for none. */
  #theirs = 0
  /** Our first generation on this link. */
  #first = 0

  constructor(private readonly peer: InstanceId) {}

  get confirmed(): boolean {
    return this.#confirmed
  }

  get theirs(): number {
    return this.#theirs
  }

  /** Begin a generation: where streams start is fixed from here on. */
  begin(greeting: Omit<Greeting, 'known' | 'uplinkRttMs'>, nowMs: number): void {
    this.#mine = greeting
    this.#first ||= greeting.generation
    this.#confirmed = false
    this.#repeatMs = REPEAT_MS
    this.#dueMs = nowMs
  }

  /** The greeting, if it is due; `nextMs` says when to ask again. */
  due(nowMs: number, uplinkRttMs: number): Uint8Array | undefined {
    if (this.#mine === undefined || nowMs < this.#dueMs) return undefined
    this.#dueMs = nowMs + this.#repeatMs
    this.#repeatMs = Math.min(REPEAT_MOST_MS, this.#repeatMs * 2)
    return encodeGreeting({ ...this.#mine, known: this.#theirs, uplinkRttMs })
  }

  get nextMs(): number {
    return this.#dueMs
  }

  /** A path has opened: say it again at once, if it is not confirmed. */
  hurry(nowMs: number): void {
    if (this.#confirmed || this.#mine === undefined) return
    this.#dueMs = nowMs
    this.#repeatMs = REPEAT_MS
  }

  /** The peer has heard our greeting: it says so, or (`generation` absent) acknowledges frames that came after it. */
  greeted(generation?: number): void {
    if (generation !== undefined && generation !== this.#mine?.generation) return
    this.#confirmed = true
    this.#dueMs = Number.POSITIVE_INFINITY
  }

  hear(greeting: Greeting): GreetingVerdict {
    const { instance, generation, known, afterCut } = greeting
    // The last: it still speaks to a link that we have ended. Our own greeting will tell it.
    if (instance !== this.peer || generation < this.#theirs || (known !== 0 && known < this.#first)) return 'stale'
    if (generation === this.#theirs) return 'repeat'
    // After a cut it may be that it has not heard us yet; a link's first greeting tells that it knows no link before.
    if (this.#theirs !== 0 && known === 0 && (this.#confirmed || !afterCut)) return 'forgotten'
    this.#theirs = generation
    return 'start'
  }
}
