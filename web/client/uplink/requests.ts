import type { ClientMessage } from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'

type Request<Body> = Body extends { readonly t: 'profile' | 'renew' | 'snapshot' | 'leave'; readonly id: number }
  ? Omit<Body, 'id'>
  : never
export type RequestBody = Request<ClientMessage>

interface Pending {
  readonly message: ClientMessage & { readonly id: number }
  readonly promise: Promise<void>
  readonly settle: (error?: PartylineError) => void
  /** Heard since it was last sent. */
  pongs: number
}

/**
 * Requests that await their answers, at most one of each kind. They outlive carriers: the server takes a repeated
 * request for what it is, so what is unanswered is asked again on the next one.
 */
export class Requests {
  readonly #send: (message: ClientMessage) => void
  readonly #pending = new Map<RequestBody['t'], Pending>()
  #latestId = 0
  #over = false

  /** `send` may lose messages while there is no carrier. */
  constructor(send: (message: ClientMessage) => void) {
    this.#send = send
  }

  nextId(): number {
    this.#latestId += 1
    return this.#latestId
  }

  /**
   * Resolves when the server has answered. Asking for the same again while that is outstanding shares its promise; a
   * newer profile takes the place of an older one. Never unhandled. Rejects with `closed` when the room is over.
   */
  ask(body: RequestBody): Promise<void> {
    if (this.#over) return rejected(closed())
    const asked = this.#pending.get(body.t)
    if (asked !== undefined && body.t !== 'profile') return asked.promise
    const message = { ...body, id: this.nextId() }
    let settle: Pending['settle'] = () => undefined
    const promise =
      asked?.promise ??
      new Promise<void>((resolve, reject) => {
        settle = (error) => (error === undefined ? resolve() : reject(error))
      })
    promise.catch(() => undefined)
    this.#pending.set(body.t, { message, promise, settle: asked?.settle ?? settle, pongs: 0 })
    this.#send(message)
    return promise
  }

  /** What was asked under this number, which is answered now; `undefined` when it is none, or was superseded. */
  answer(id: number, error?: PartylineError): ClientMessage | undefined {
    for (const [kind, { message, settle }] of this.#pending) {
      if (message.id !== id) continue
      this.#pending.delete(kind)
      settle(error)
      return message
    }
    return undefined
  }

  /** On a new carrier, after the welcome. */
  repeat(): void {
    for (const { message } of this.#pending.values()) this.#send(message)
  }

  /**
   * A pong came. The second that comes before an answer was asked for after the request: carriers may lose messages,
   * so it is asked again.
   */
  ponged(): void {
    for (const pending of this.#pending.values()) {
      pending.pongs += 1
      if (pending.pongs < 2) continue
      pending.pongs = 0
      this.#send(pending.message)
    }
  }

  /** The room is over. */
  end(error: PartylineError = closed()): void {
    this.#over = true
    for (const { settle } of this.#pending.values()) settle(error)
    this.#pending.clear()
  }
}

const closed = (): PartylineError => new PartylineError('closed', 'the room is closed')

function rejected(error: PartylineError): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(() => undefined)
  return promise
}
