import { encodeRecord, messageRecord, readBatch, takeBatch } from '../protocol/batch.ts'
import { CLOSE, ProtocolError } from '../protocol/errors.ts'
import type { SendResult, Uplink, UplinkHandlers } from '../uplink.ts'
import type { Heartbeat, Pulse } from './heartbeat.ts'
import type { HttpResponse } from './network.ts'

export type HttpCarrierKind = 'sse' | 'long-poll' | 'short-poll'

export interface HttpUplinkParts {
  readonly heartbeat: Heartbeat
  /** A `send` beyond is `dropped`. */
  readonly maxQueuedBytes: number
  answer(response: HttpResponse, body: Uint8Array): void
  /** Begin the answer to a stream. */
  stream(response: HttpResponse): void
  /** Nothing more can be asked of it. */
  forget(uplink: HttpUplink): void
}

/** Shorter than the 30 s after which impatient proxies give up on a request; 60 s is more common. */
const HOLD_MS = 25_000
/** uWebSockets.js closes an answer on which nothing moves for 8 to 12 s; proxies do after 30 or 60. */
const COMMENT_MS = 5_000
/** For a client that has to come once more to hear how it ended. */
const LINGER_MS = 5_000
/** In one answer; also what may wait for one that is on its way before the hub is told to wait. */
const BATCH_BYTES = 262_144
/** Of a stream that is blocked, at once: about what a socket takes when it can be written to again. */
const DRAIN_BYTES = 16_384
/** One request is under way at a time, and its repeat, when the first hangs on a connection that is as good as gone. */
const MOST_READING = 2
/** Some proxies hold back the first 2 KiB of an answer. */
const PADDING = `:${' '.repeat(2_045)}\n\n`

/** What a request came to. `gone`: its number is not the next one, so something is lost or forged; the uplink is over. */
export type Taken = 'taken' | 'gone'

/**
 * One uplink over plain HTTP. Down: a stream of events, or the answers to polls, numbered so that one which was lost can
 * be asked for again. Up: numbered requests, one at a time, of which a repeated one counts once. A request that is
 * broken off while it waits, and a number that does not fit, end it: sessions and streams repair what that loses.
 */
export class HttpUplink implements Uplink {
  readonly token: string
  readonly address: string
  readonly carrier: HttpCarrierKind
  readonly #parts: HttpUplinkParts
  readonly #pulse: Pulse
  #handlers: UplinkHandlers | undefined
  #phase: 'open' | 'closing' | 'over' = 'open'
  #records: Uint8Array[] = []
  #bytes = 0
  /** The stream, or the poll that waits. */
  #taker: HttpResponse | undefined
  #timer: NodeJS.Timeout | undefined
  /** It is a stream. */
  #streaming = false
  #scheduled = false
  #awaitingDrain = false
  /** Given to a stream that has not got rid of it; 0 when it is not blocked. */
  #blockedBytes = 0
  #wroteSinceLook = false
  /** The number of the last poll, and its answer while it may be asked for again. */
  #polled = 0
  #lastAnswer: Uint8Array | undefined
  /** The number of the last request that brought messages. */
  #received = 0
  #paused = false
  /** Answers the newest request of `receive` when more may come. */
  #held: HttpResponse | undefined
  /** How to drop each body that is on its way, the oldest first. */
  readonly #reading = new Set<() => void>()

  constructor(parts: HttpUplinkParts, token: string, address: string, carrier: HttpCarrierKind) {
    this.token = token
    this.address = address
    this.carrier = carrier
    this.#parts = parts
    this.#pulse = parts.heartbeat.watch({
      ping: () => this.#ask(),
      silent: () => this.close(CLOSE.timeout, 'nothing was heard from you'),
    })
  }

  /**
   * `response` answers the request that opened it: it is the stream, or says which stream follows (`ticket`), or is the
   * answer to a first poll. What the hub says at once goes along.
   */
  open(response: HttpResponse, body: Uint8Array, accept: (first?: string) => UplinkHandlers, ticket?: string): void {
    this.#push(encodeRecord({ kind: 'opened', token: this.token }))
    if (ticket !== undefined) this.#push(encodeRecord({ kind: 'ticket', ticket }))
    this.#scheduled = true
    if (this.carrier === 'sse' && ticket === undefined) this.attach(response)
    else this.#hold(response)
    this.#handlers = body.length === 0 ? accept() : accept(onlyText(body))
    this.#flush()
  }

  /** It has ended, and the client has not been there yet to hear how. */
  get untold(): boolean {
    return this.#phase === 'closing' && this.#records.length > 0
  }

  /** The client will not come any more. */
  end(): void {
    this.#over()
  }

  /** The stream of events. False when there is one already. */
  attach(response: HttpResponse): boolean {
    if (this.#phase === 'over' || this.#taker !== undefined) return false
    this.#taker = response
    this.#streaming = true
    this.#pulse.heard()
    this.#parts.stream(response)
    response.onAborted(() => this.#lost(response))
    response.onDrained(() => this.#unblocked())
    this.#write(PADDING)
    this.#timer = setInterval(() => this.#comment(), COMMENT_MS)
    if (!this.#scheduled) this.#flush()
    return true
  }

  /** Ask for what there is. */
  poll(number: number, response: HttpResponse): Taken {
    if (this.carrier === 'sse' || (number !== this.#polled && number !== this.#polled + 1)) return this.#doubt()
    this.#pulse.heard()
    if (number === this.#polled && this.#lastAnswer !== undefined) {
      this.#parts.answer(response, this.#lastAnswer)
      return 'taken'
    }
    this.#polled = number
    this.#lastAnswer = undefined
    const older = this.#taker
    this.#hold(response)
    if (older !== undefined) this.#parts.answer(older, new Uint8Array())
    this.#takeMore()
    if (this.carrier === 'short-poll') this.#answer()
    else this.#flush()
    return 'taken'
  }

  /** Messages from the client. The request is answered when more may come. */
  receive(number: number, batch: Uint8Array, response: HttpResponse): Taken {
    if (number !== this.#received && number !== this.#received + 1) return this.#doubt()
    this.#pulse.heard()
    const again = number === this.#received
    this.#received = number
    if (!again) this.take(batch)
    // One at a time: a client with more of them under way is not held back by waiting for the older ones.
    this.#answerHeld()
    if (this.#paused) this.#held = response
    else this.#parts.answer(response, new Uint8Array())
    return 'taken'
  }

  /** A body for `receive` is on its way: `drop` it for newer ones, and at the end. Returns what says that it has come. */
  reading(drop: () => void): () => void {
    this.#reading.add(drop)
    const [oldest] = this.#reading
    if (this.#reading.size > MOST_READING && oldest !== undefined) {
      this.#reading.delete(oldest)
      oldest()
    }
    return () => void this.#reading.delete(drop)
  }

  /** Hand on what a batch holds. */
  take(batch: Uint8Array): void {
    try {
      for (const record of readBatch(batch)) {
        if (this.#phase !== 'open') return
        if (record.kind === 'text') this.#handlers?.text(record.text)
        else if (record.kind === 'binary') this.#handlers?.binary(record.bytes)
        else if (record.kind === 'close') this.#over()
        else throw new ProtocolError('batch.kind', 'expected text, binary or close')
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // Answered as any message that is no JSON.
      this.#handlers?.text('')
    }
  }

  send(message: string | Uint8Array): SendResult {
    if (this.#phase !== 'open') return 'closed'
    const record = messageRecord(message)
    if (this.#bytes > 0 && this.#bytes + record.length > this.#parts.maxQueuedBytes) {
      this.#awaitingDrain = true
      return 'dropped'
    }
    this.#push(record)
    if (this.#taker !== undefined) this.#schedule()
    if (this.#taker !== undefined && this.#blockedBytes === 0 && this.#bytes <= BATCH_BYTES) return 'sent'
    this.#awaitingDrain = true
    return 'queued'
  }

  queuedBytes(): number {
    return this.#phase === 'open' ? this.#bytes + this.#blockedBytes : 0
  }

  pause(): void {
    this.#paused = true
    this.#pulse.hold(true)
  }

  resume(): void {
    this.#paused = false
    this.#pulse.hold(false)
    this.#answerHeld()
  }

  close(code: number, reason: string): void {
    if (this.#phase !== 'open') return
    this.#push(encodeRecord({ kind: 'close', code, reason }))
    this.#phase = 'closing'
    this.#pulse.stop()
    this.resume()
    this.#tellClosed()
    if (this.#streaming && this.#taker !== undefined) {
      this.#write(event(takeBatch(this.#records, Number.POSITIVE_INFINITY)))
      this.#over()
      return
    }
    this.#flush()
    const timer = setTimeout(() => this.#over(), LINGER_MS)
    timer.unref()
  }

  #answerHeld(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#parts.answer(held, new Uint8Array())
  }

  #push(record: Uint8Array): void {
    this.#records.push(record)
    this.#bytes += record.length
  }

  #take(mostBytes: number): Uint8Array {
    const batch = takeBatch(this.#records, mostBytes)
    this.#bytes -= batch.length
    return batch
  }

  #hold(response: HttpResponse): void {
    clearTimeout(this.#timer)
    this.#taker = response
    response.onAborted(() => this.#lost(response))
    this.#timer = setTimeout(() => this.#answer(), HOLD_MS)
  }

  /** The hub may go on, now that there is something to carry it. */
  #takeMore(): void {
    if (!this.#awaitingDrain || this.#phase !== 'open') return
    this.#awaitingDrain = false
    this.#handlers?.drained()
  }

  /** In a turn of its own, so that what is said together leaves together. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    if (this.#taker === undefined) return
    if (this.#streaming) {
      while (this.#records.length > 0 && this.#blockedBytes === 0) this.#write(event(this.#take(DRAIN_BYTES)))
      if (this.#records.length === 0 && this.#blockedBytes === 0) this.#takeMore()
    } else if (this.#records.length > 0) this.#answer()
  }

  #write(text: string): void {
    this.#wroteSinceLook = true
    if (this.#taker?.write(text) === 'queued') this.#blockedBytes += text.length
  }

  #unblocked(): void {
    if (this.#blockedBytes === 0) return
    this.#blockedBytes = 0
    this.#flush()
  }

  #answer(): void {
    const response = this.#taker
    if (response === undefined) return
    this.#taker = undefined
    clearTimeout(this.#timer)
    this.#lastAnswer = this.#take(BATCH_BYTES)
    this.#parts.answer(response, this.#lastAnswer)
  }

  #comment(): void {
    if (!this.#wroteSinceLook && this.#blockedBytes === 0) this.#write(':\n\n')
    this.#wroteSinceLook = false
  }

  /** Nothing was heard for a while. An answered poll is followed by the next; a stream has to be asked on. */
  #ask(): void {
    if (this.carrier === 'long-poll') this.#answer()
    else if (this.#streaming && this.#blockedBytes === 0) {
      this.#push(encodeRecord({ kind: 'ask' }))
      this.#flush()
    }
  }

  #lost(response: HttpResponse): void {
    if (this.#taker === response) this.#over()
  }

  #doubt(): Taken {
    this.#over()
    return 'gone'
  }

  #over(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#pulse.stop()
    clearTimeout(this.#timer)
    this.#records = []
    this.#bytes = 0
    const taker = this.#taker
    this.#taker = undefined
    if (taker !== undefined && !taker.closed) {
      if (this.#streaming) taker.end()
      else this.#parts.answer(taker, new Uint8Array())
    }
    this.#paused = false
    this.#answerHeld()
    for (const drop of this.#reading) drop()
    this.#reading.clear()
    this.#parts.forget(this)
    this.#tellClosed()
  }

  #tellClosed(): void {
    // Never inside a call of the hub, which may close it before it has even said who handles it.
    setImmediate(() => {
      const handlers = this.#handlers
      this.#handlers = undefined
      handlers?.closed()
    })
  }
}

const event = (batch: Uint8Array): string =>
  `data: ${Buffer.from(batch.buffer, batch.byteOffset, batch.length).toString('base64')}\n\n`

/** What is not one text is answered as a first message that is no JSON. */
function onlyText(body: Uint8Array): string {
  try {
    const [first, second] = readBatch(body)
    return first?.kind === 'text' && second === undefined ? first.text : ''
  } catch {
    return ''
  }
}
