import {
  encodeStoreRecord,
  HISTORY_LIMITS,
  type RecordOutcome,
  type StoreRecord,
} from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import type { HistoryCursor } from '../face-history.ts'
import { storeError } from './store-error.ts'

/** Without an answer, or not sent yet. */
const MOST_WAITING = 4_096
const MOST_WAITING_BYTES = 8_388_608

export type RecordPlace = Omit<StoreRecord, 'n' | 'body'>

interface Waiting {
  readonly place: RecordPlace
  /** Undefined while it is being sealed. */
  body: Uint8Array | undefined
  /** Of the message's data; more or less those of the body. */
  readonly bytes: number
  /** From when it was first sent. */
  n: number | undefined
  readonly timer: TimerHandle
  readonly resolve: (place: HistoryCursor | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * What this member has the server keep, until it is answered. Records leave in the order of their numbers, and again in
 * that order after each welcome: the server takes each number once, and none that is below one it has taken.
 */
export class StoredRecords {
  /** Those that were sent on this uplink come first. */
  #queue: Waiting[] = []
  #sent = 0
  #sentBytes = 0
  #bytes = 0
  #latest = 0
  #pumping = false

  constructor(
    private readonly deps: {
      readonly clock: Clock
      /** False: the uplink takes nothing now. */
      transmit(record: Uint8Array): boolean
    },
  ) {}

  get size(): number {
    return this.#queue.length
  }

  /** Resolves with its place, nothing for mail. `unsent`: given up while that is possible. */
  put(place: RecordPlace, bytes: number, body: Promise<Uint8Array>, givenUp: Promise<unknown>) {
    return new Promise<HistoryCursor | undefined>((resolve, reject) => {
      if (this.#queue.length >= MOST_WAITING || this.#bytes + bytes > MOST_WAITING_BYTES) {
        return reject(new PartylineError('queue-full', 'Too much waits to be stored: await `stored` between sends'))
      }
      const timer = this.deps.clock.setTimeout(
        () => this.#settle(waiting, storeError('timeout')),
        HISTORY_LIMITS.recordLifeMs,
      )
      const waiting: Waiting = { place, body: undefined, bytes, n: undefined, timer, resolve, reject }
      this.#queue.push(waiting)
      this.#bytes += bytes
      body.then(
        (sealed) => {
          waiting.body = sealed
          this.pump()
        },
        (error: unknown) => this.#settle(waiting, error),
      )
      givenUp.catch((error: unknown) => {
        if (waiting.n === undefined) this.#settle(waiting, error)
      })
    })
  }

  /** There is an uplink, or another one: from the beginning. */
  welcome(): void {
    this.#sent = 0
    this.#sentBytes = 0
    this.pump()
  }

  pump(): void {
    // Handing one over may call for the next.
    if (this.#pumping) return
    this.#pumping = true
    for (let next = this.#queue[this.#sent]; next?.body !== undefined; next = this.#queue[this.#sent]) {
      const size = next.body.length
      const { unansweredRecords, unansweredBytes } = HISTORY_LIMITS
      const full = this.#sent >= unansweredRecords || this.#sentBytes + size > unansweredBytes
      if (this.#sent > 0 && full) break
      const n = next.n ?? this.#latest + 1
      if (!this.deps.transmit(encodeStoreRecord({ ...next.place, n, body: next.body }))) break
      next.n = n
      this.#latest = Math.max(this.#latest, n)
      this.#sent += 1
      this.#sentBytes += size
    }
    this.#pumping = false
  }

  answered(epoch: string | undefined, of: readonly RecordOutcome[]): void {
    for (const { n, offset, code } of of) {
      const waiting = this.#queue.find((one) => one.n === n)
      if (waiting === undefined) continue
      if (code !== undefined) this.#settle(waiting, storeError(code))
      else this.#settle(waiting, undefined, epoch === undefined || offset === undefined ? undefined : { epoch, offset })
    }
    this.pump()
  }

  fail(error: PartylineError): void {
    for (const waiting of [...this.#queue]) this.#settle(waiting, error)
  }

  #settle(waiting: Waiting, error: unknown, place?: HistoryCursor): void {
    const at = this.#queue.indexOf(waiting)
    if (at < 0) return
    this.deps.clock.clearTimeout(waiting.timer)
    this.#queue.splice(at, 1)
    this.#bytes -= waiting.bytes
    if (at < this.#sent) {
      this.#sent -= 1
      this.#sentBytes -= waiting.body?.length ?? 0
    }
    if (error === undefined) waiting.resolve(place)
    else waiting.reject(error)
  }
}
