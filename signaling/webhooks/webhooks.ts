import type { Clock, Timer } from '../clock.ts'
import type { StoredNotice } from '../history/desk.ts'
import type { LeaveReason } from '../protocol/control.ts'
import { type FillRandom, randomHex } from '../protocol/ids.ts'
import type { Member } from '../sessions/member.ts'
import type { SessionWatcher } from '../sessions/watcher.ts'
import type { Occurrence, WebhookEvent, WebhookEventType, WebhookMember } from './events.ts'
import { SIGNATURE_HEADER, signature } from './signature.ts'

export interface WebhooksParts {
  readonly url: string
  readonly events: ReadonlySet<WebhookEventType>
  /** See `signWith`. */
  readonly secrets: readonly string[]
  readonly clock: Clock
  readonly random: FillRandom
  /** As the platform's. */
  readonly fetch: typeof fetch
  readonly log: { warn(fields: object, message: string): void }
}

/** What became of events so far. */
export interface WebhookStats {
  readonly waiting: number
  readonly delivered: number
  /** Because too many waited, or the backend did not take them in ten attempts. */
  readonly dropped: number
  readonly failedAttempts: number
}

/** Events that come together go together. */
const GATHER_MS = 50
const MOST_IN_BATCH = 100
/** A batch ends here, too; one event alone may be longer. */
const MOST_IN_BATCH_BYTES = 1_048_576
/** A morning's outage of a small server. */
const MOST_WAITING = 10_000
/**
 * Of their JSON, which is what is kept: profiles that are held as objects take up to twenty times as much. Four times
 * what 10,000 events with small profiles need.
 */
const MOST_WAITING_BYTES = 16_777_216
const ANSWER_MS = 10_000
const FIRST_BACK_OFF_MS = 1_000
const LONGEST_BACK_OFF_MS = 60_000
/** Five minutes with that back-off. */
const MOST_ATTEMPTS = 10
const ID_BYTES = 8

/** An event as it will be sent. */
interface Waiting {
  readonly text: string
  readonly bytes: number
}

const shown = ({ id, userId, info }: Member): WebhookMember => ({
  id,
  ...(userId === undefined ? {} : { userId }),
  profile: info.profile,
})

/**
 * Tells a backend of rooms and members that come and go, and of what is stored: one POST at a time, in order, at least once, up to 100 events
 * in each. What the backend does not take with a 2xx is sent again, later and later. Never waits in the caller's turn.
 */
export class Webhooks implements SessionWatcher {
  readonly #parts: WebhooksParts
  #secrets: readonly string[]
  readonly #queue: Waiting[] = []
  #waitingBytes = 0
  /** The batch under way is the first of the queue, so many. */
  #batch = 0
  #attempts = 0
  #delivered = 0
  #dropped = 0
  #untold = 0
  #failedAttempts = 0
  #timer: Timer | undefined
  #closing = false
  #idle: () => void = () => undefined
  /** Breaks the attempt under way off. */
  #abort: () => void = () => undefined
  #ended = false

  constructor(parts: WebhooksParts) {
    this.#parts = parts
    this.#secrets = parts.secrets
  }

  /** From the next attempt on each of these signs, also what was tried before. */
  signWith(secrets: readonly string[]): void {
    this.#secrets = secrets
  }

  get stats(): WebhookStats {
    const [delivered, dropped, failedAttempts] = [this.#delivered, this.#dropped, this.#failedAttempts]
    return { waiting: this.#queue.length, delivered, dropped, failedAttempts }
  }

  opened(room: string): void {
    this.#tell({ type: 'room.created', room })
  }

  emptied(room: string): void {
    this.#tell({ type: 'room.emptied', room })
  }

  joined(member: Member, resumed: boolean): void {
    this.#tell({ type: 'member.joined', room: member.room.name, member: shown(member), resumed })
  }

  left(member: Member, reason: LeaveReason): void {
    this.#tell({ type: 'member.left', room: member.room.name, member: shown(member), reason })
  }

  stored({ room, user, epoch, offset, id, channel, from, userId }: StoredNotice): void {
    const message = {
      ...{ epoch, offset, id, channel },
      ...(user === undefined ? {} : { to: user }),
      ...(from === undefined ? {} : { from }),
      ...(userId === undefined ? {} : { userId }),
    }
    this.#tell({ type: 'message.stored', room, message })
  }

  /** What waits is tried once more; resolves when that is done, or after `withinMs`. Nothing is told after this. */
  async close(withinMs: number): Promise<void> {
    this.#closing = true
    if (this.#queue.length === 0) return
    const { clock } = this.#parts
    const done = new Promise<void>((resolve) => {
      this.#idle = resolve
    })
    if (this.#timer !== undefined) {
      clock.clearTimeout(this.#timer)
      this.#timer = undefined
      void this.#send()
    }
    const patience = clock.setTimeout(() => this.#idle(), withinMs)
    await done
    clock.clearTimeout(patience)
    this.#ended = true
    this.#abort()
    if (this.#queue.length > 0) {
      this.#parts.log.warn(
        { events: this.#queue.length },
        'the webhook address does not take these events: they are lost',
      )
    }
  }

  #tell(occurrence: Occurrence): void {
    const { events, clock, random } = this.#parts
    if (this.#closing || !events.has(occurrence.type)) return
    if (this.#queue.length >= MOST_WAITING) {
      this.#drop(1)
      return
    }
    const event: WebhookEvent = { id: randomHex(ID_BYTES, random), atMs: clock.nowMs(), ...occurrence }
    const text = JSON.stringify(event)
    const bytes = Buffer.byteLength(text)
    if (this.#waitingBytes + bytes > MOST_WAITING_BYTES) {
      this.#drop(1)
      return
    }
    this.#queue.push({ text, bytes })
    this.#waitingBytes += bytes
    if (this.#batch === 0 && this.#timer === undefined) this.#sendIn(GATHER_MS)
  }

  #drop(events: number): void {
    this.#dropped += events
    this.#untold += events
  }

  #sendIn(delayMs: number): void {
    this.#timer = this.#parts.clock.setTimeout(() => {
      this.#timer = undefined
      void this.#send()
    }, delayMs)
  }

  /** One attempt of one batch. Never rejects. */
  async #send(): Promise<void> {
    // A batch that failed is sent again as it was.
    if (this.#batch === 0) this.#batch = this.#nextBatch()
    const untold = this.#untold
    const texts = this.#queue.slice(0, this.#batch).map(({ text }) => text)
    const failure = await this.#post(`{"events":[${texts.join(',')}],"dropped":${untold}}`)
    if (failure === undefined) {
      this.#delivered += this.#batch
      this.#untold -= untold
      this.#taken()
    } else this.#failed(failure)
    if (this.#queue.length === 0 || this.#ended) this.#idle()
  }

  /** How many events go next. */
  #nextBatch(): number {
    const most = this.#queue.slice(0, MOST_IN_BATCH)
    let bytes = 0
    const tooMuch = most.findIndex((event, index) => {
      bytes += event.bytes
      return index > 0 && bytes > MOST_IN_BATCH_BYTES
    })
    return tooMuch === -1 ? most.length : tooMuch
  }

  #taken(): void {
    for (const { bytes } of this.#queue.splice(0, this.#batch)) this.#waitingBytes -= bytes
    this.#batch = 0
    this.#attempts = 0
    if (this.#queue.length === 0) return
    if (this.#closing) void this.#send()
    else this.#sendIn(0)
  }

  #failed(failure: string): void {
    const { log, url: address } = this.#parts
    // Paths and queries of such addresses are secrets at many services.
    const url = new URL(address).origin
    this.#attempts += 1
    this.#failedAttempts += 1
    if (this.#closing) {
      this.#idle()
      return
    }
    if (this.#attempts === 1) log.warn({ failure, url }, 'the webhook address does not take events; they wait')
    if (this.#attempts >= MOST_ATTEMPTS) {
      log.warn(
        { failure, url, events: this.#batch },
        'the webhook address took none of ten attempts: events are dropped',
      )
      this.#drop(this.#batch)
      this.#taken()
      return
    }
    this.#sendIn(this.#backOffMs())
  }

  /** Doubling, and from half of it to all. */
  #backOffMs(): number {
    const bytes = new Uint8Array(1)
    this.#parts.random(bytes)
    const most = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (this.#attempts - 1))
    return most * (0.5 + (bytes[0] ?? 0) / 510)
  }

  /** What went wrong; undefined when it was taken. */
  async #post(body: string): Promise<string | undefined> {
    const { url, clock } = this.#parts
    // One of its own: AbortSignal.any would leave 2 KB on a signal that lives on (Node 20), for each attempt.
    const aborting = new AbortController()
    const { signal } = aborting
    const tooLate = (): void => aborting.abort(new Error(`no answer within ${ANSWER_MS} ms`))
    const late = clock.setTimeout(tooLate, ANSWER_MS)
    this.#abort = () => {
      clock.clearTimeout(late)
      aborting.abort()
    }
    const signed = signature(this.#secrets, clock.nowMs(), body)
    const headers = { 'content-type': 'application/json', [SIGNATURE_HEADER]: signed }
    try {
      const response = await this.#parts.fetch(url, { method: 'POST', redirect: 'manual', body, headers, signal })
      // Read to its end, or the connection is not used again.
      await response.body?.cancel()
      return response.ok ? undefined : `it answered ${response.status}`
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
      return `${error instanceof Error ? error.message : String(error)}${cause}`
    } finally {
      clock.clearTimeout(late)
    }
  }
}
