import type { HistoryMessage, HistoryRequest, ServerMessage } from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'
import { storeError } from './store-error.ts'

type Answer = Extract<HistoryMessage, { readonly re: number }> | Extract<ServerMessage, { readonly t: 'ok' | 'error' }>
export type HistoryAnswer = Extract<HistoryMessage, { readonly t: 'history' }>
type Unnumbered<Request> = Request extends HistoryRequest ? Omit<Request, 'id'> : never
export type HistoryQuestion = Unnumbered<HistoryRequest>

interface Pending {
  readonly message: HistoryRequest
  /** Asked again with the next welcome; else given up when the uplink ends. */
  readonly lasting: boolean
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: PartylineError) => void
  /** Heard since it was last asked. */
  pongs: number
}

/** Far from the numbers of the uplink's own requests, which begin at 1. */
const FIRST_ID = 2 ** 31
/** More at once is an application that does not wait for answers. */
const MOST = 256

/** Questions about what is kept, and their answers. All of them may be asked twice without harm. */
export class HistoryRequests {
  readonly #pending = new Map<number, Pending>()
  #latestId = FIRST_ID
  #closed: PartylineError | undefined

  /** `say` loses what it is given while there is no uplink. */
  constructor(private readonly say: (message: HistoryRequest) => void) {}

  /** Waits while offline if it is `lasting`. Rejects with a PartylineError. */
  ask(question: HistoryQuestion, lasting = true): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed)
      if (this.#pending.size >= MOST) return reject(new PartylineError('queue-full', 'Too many questions wait'))
      this.#latestId += 1
      const message: HistoryRequest = { ...question, id: this.#latestId }
      this.#pending.set(message.id, { message, lasting, resolve, reject, pongs: 0 })
      this.say(message)
    })
  }

  /** Of something stored. */
  async page(question: Omit<Extract<HistoryQuestion, { t: 'history' }>, 't'>, lasting = true): Promise<HistoryAnswer> {
    return (await this.ask({ ...question, t: 'history' }, lasting)) as HistoryAnswer
  }

  answer(answer: Answer): void {
    const { re } = answer
    const asked = re === undefined ? undefined : this.#pending.get(re)
    if (re === undefined || asked === undefined) return
    this.#pending.delete(re)
    if (answer.t === 'error') asked.reject(storeError(answer.code, answer.message))
    else asked.resolve(answer)
  }

  /** As the uplink's own: carriers may lose messages, so the second pong before an answer asks again. */
  ponged(): void {
    for (const pending of this.#pending.values()) {
      pending.pongs += 1
      if (pending.pongs < 2) continue
      pending.pongs = 0
      this.say(pending.message)
    }
  }

  welcome(): void {
    for (const { message } of this.#pending.values()) this.say(message)
  }

  offline(): void {
    const error = new PartylineError('closed', 'The server is out of reach')
    for (const [id, { lasting, reject }] of this.#pending) {
      if (lasting) continue
      this.#pending.delete(id)
      reject(error)
    }
  }

  /** Nothing that waits will be answered. `for good`: nor what comes later. */
  fail(error: PartylineError, forGood = false): void {
    if (forGood) this.#closed = error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}
