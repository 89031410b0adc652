/** Ask and answer: one end of a procedure, which both asks and, with a handler, answers. */
import { LIMITS, type PeerId, ProtocolError } from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'
import { PartylineError, type PartylineErrorCode } from '../errors.ts'
import type { MissedReason, Payload, Procedure, ProcedureHandler } from '../face.ts'
import { Outbox, type PortMessage, type ReliablePort } from './port.ts'
import { CALL, type Call, decodeCall, encodeCall } from './procedure-wire.ts'
import { receivers } from './receivers.ts'

/** Asks of one procedure that may wait for answers; one more rejects with `queue-full`. */
const MOST_ASKED = 1_024
/** Of one member, handlers running at a time, and bytes of their questions; one more is answered with "busy". */
const MOST_ANSWERING = 1_024
const MOST_ANSWERING_BYTES = 2 * LIMITS.messageBytes
const TIMEOUT_MS = 30_000
/** What a timer can wait for. */
const MOST_TIMEOUT_MS = 2 ** 31 - 1

interface Asked {
  readonly peer: PeerId
  end(error: PartylineError | undefined, answer?: unknown): void
}

interface Answering {
  readonly abort: AbortController
  readonly bytes: number
}

const MISSED: Readonly<Record<MissedReason, readonly [PartylineErrorCode, string]>> = {
  left: ['left', 'That member is not in the room'],
  lagging: ['left', 'That member was cut off, being too far behind'],
  aborted: ['aborted', 'Given up before it was sent'],
  closed: ['closed', 'The room is closed'],
}
const missed = (reason: MissedReason): PartylineError => new PartylineError(...MISSED[reason])

export class ProcedureCalls<Q extends Payload, A extends Payload> {
  readonly #port: ReliablePort
  readonly #clock: Clock
  readonly #outbox: Outbox
  readonly #asked = new Map<number, Asked>()
  readonly #answering = new Map<PeerId, Map<number, Answering>>()
  readonly #unsubscribe: readonly (() => void)[]
  #handler: ProcedureHandler<Q, A> | undefined
  #lastId: number
  #closed = false

  /** `lastId`: of the ask before the first. */
  constructor(port: ReliablePort, clock: Clock, lastId = 0) {
    this.#port = port
    this.#clock = clock
    this.#outbox = new Outbox(clock, port)
    this.#lastId = lastId
    this.#unsubscribe = [port.onMessage((message) => this.#receive(message)), port.onLeave((peer) => this.#leave(peer))]
  }

  /** @throws PartylineError `bad-argument` when there is one already */
  handle(handler: ProcedureHandler<Q, A>): void {
    if (this.#handler !== undefined) throw new PartylineError('bad-argument', 'This procedure has a handler already')
    this.#handler = handler
  }

  readonly ask: Procedure<Q, A> = (peer, question, options = {}) => {
    const answer = new Promise<A>((resolve, reject) => this.#ask(peer, question, options, resolve, reject))
    // Whoever asks without looking at the answer gets no unhandled rejection.
    answer.catch(() => {})
    return answer
  }

  /** The room is over: what was asked rejects with `closed`, running handlers are told. */
  close(): void {
    this.#closed = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    for (const { end } of [...this.#asked.values()]) end(missed('closed'))
    for (const peer of [...this.#answering.keys()]) this.#abandon(peer, missed('closed'))
    this.#outbox.close()
  }

  #ask(
    peer: PeerId,
    question: Q,
    { timeoutMs = TIMEOUT_MS, signal }: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
    resolve: (answer: A) => void,
    reject: (error: PartylineError) => void,
  ): void {
    if (this.#closed) throw missed('closed')
    if (!(timeoutMs >= 1 && timeoutMs <= MOST_TIMEOUT_MS)) {
      throw new PartylineError('bad-argument', `timeoutMs: expected 1 to ${MOST_TIMEOUT_MS}`)
    }
    const aborted = (): PartylineError =>
      new PartylineError('aborted', 'The ask was aborted', { cause: signal?.reason })
    if (signal?.aborted) throw aborted()
    if (this.#asked.size >= MOST_ASKED) {
      throw new PartylineError('queue-full', `${MOST_ASKED} asks wait for answers: wait for some of them`)
    }
    receivers([peer])
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#asked.has(this.#lastId))
    const id = this.#lastId
    const sent = this.#port.send(encodeCall(CALL.ask, id, question), peer)

    const giveUp = (error: PartylineError): void => {
      end(error)
      this.#outbox.tell(encodeCall(CALL.cancel, id), peer)
    }
    const onAbort = (): void => giveUp(aborted())
    const timer = this.#clock.setTimeout(
      () => giveUp(new PartylineError('timeout', `No answer within ${timeoutMs} ms`)),
      timeoutMs,
    )
    const end = (error: PartylineError | undefined, answer?: unknown): void => {
      this.#asked.delete(id)
      this.#clock.clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      if (error === undefined) resolve(answer as A)
      else reject(error)
    }
    signal?.addEventListener('abort', onAbort)
    this.#asked.set(id, { peer, end })
    void sent.delivered.then((outcome) => {
      const reason = outcome.missed.get(peer)
      // Only this ask's own entry: it may have ended long ago.
      if (reason !== undefined && this.#asked.get(id)?.end === end) end(missed(reason))
    })
  }

  /** A member's malformed message is dropped; when it was to be our answer, the ask rejects with `protocol`. */
  #receive({ from, data }: PortMessage): void {
    let call: Call
    try {
      call = decodeCall(data)
    } catch {
      return
    }
    const { kind, id } = call
    if (kind === CALL.ask) this.#answer(from, call, (data as Uint8Array).length)
    else if (kind === CALL.cancel)
      this.#answering.get(from)?.get(id)?.abort.abort(new PartylineError('aborted', 'The asker gave up'))
    else {
      const asked = this.#asked.get(id)
      // Late, after a time-out, or of another member than the one asked.
      if (asked?.peer !== from) return
      try {
        if (kind === CALL.answer) asked.end(undefined, call.data())
        else if (kind === CALL.failed) asked.end(new PartylineError('handler-failed', String(call.data())))
        else if (kind === CALL.noHandler)
          asked.end(new PartylineError('no-handler', 'That member does not answer this'))
        else if (kind === CALL.busy) asked.end(new PartylineError('queue-full', 'That member has too many of our asks'))
      } catch (cause) {
        asked.end(new PartylineError('protocol', `A malformed answer: ${(cause as Error).message}`, { cause }))
      }
    }
  }

  #answer(from: PeerId, call: Call, bytes: number): void {
    const { id } = call
    const handler = this.#handler
    if (handler === undefined) {
      this.#outbox.tell(encodeCall(CALL.noHandler, id), from)
      return
    }
    const running = this.#answering.get(from) ?? new Map<number, Answering>()
    if (running.has(id)) return
    let heldBytes = bytes
    for (const other of running.values()) heldBytes += other.bytes
    if (running.size >= MOST_ANSWERING || heldBytes > MOST_ANSWERING_BYTES) {
      this.#outbox.tell(encodeCall(CALL.busy, id), from)
      return
    }
    const abort = new AbortController()
    this.#answering.set(from, running.set(id, { abort, bytes }))
    void this.#run(handler, from, call, abort.signal).then(() => {
      // Not before: a handler that ignores its signal still counts.
      running.delete(id)
      if (running.size === 0 && this.#answering.get(from) === running) this.#answering.delete(from)
    })
  }

  /** Never rejects. */
  async #run(handler: ProcedureHandler<Q, A>, from: PeerId, { id, data }: Call, signal: AbortSignal): Promise<void> {
    let answer: Uint8Array
    try {
      answer = encodeCall(CALL.answer, id, await handler(data() as Q, { from, signal }))
    } catch (error) {
      answer = encodeCall(CALL.failed, id, messageOf(error))
    }
    if (!signal.aborted) await this.#outbox.post(answer, from)
  }

  #leave(peer: PeerId): void {
    for (const { peer: asked, end } of [...this.#asked.values()]) if (asked === peer) end(missed('left'))
    this.#abandon(peer, missed('left'))
  }

  #abandon(peer: PeerId, reason: PartylineError): void {
    for (const { abort } of this.#answering.get(peer)?.values() ?? []) abort.abort(reason)
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'an error that has no text'
  }
}

/**
 * The answer to a message of a procedure that is not open here: `no-handler` to a question, nothing to anything else.
 */
export function refuseCall(message: unknown): Uint8Array | undefined {
  try {
    const { kind, id } = decodeCall(message)
    return kind === CALL.ask ? encodeCall(CALL.noHandler, id) : undefined
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
