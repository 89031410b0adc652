import { CONTENT, type Content, type Lane, type PeerId } from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'
import type { MissedReason, Outgoing } from './outgoing-stream.ts'

export interface Delivered {
  readonly to: readonly PeerId[]
  readonly missed: ReadonlyMap<PeerId, MissedReason>
}

/** A promise that is made only when somebody asks for it: most senders never do. */
class Lazy<T> {
  #promise: Promise<T> | undefined
  #resolve: ((value: T) => void) | undefined
  #reject: ((error: unknown) => void) | undefined
  #outcome: { readonly value: T } | { readonly error: unknown } | undefined

  get promise(): Promise<T> {
    if (this.#promise === undefined) {
      const outcome = this.#outcome
      this.#promise = new Promise<T>((resolve, reject) => {
        if (outcome === undefined) {
          this.#resolve = resolve
          this.#reject = reject
        } else if ('value' in outcome) resolve(outcome.value)
        else reject(outcome.error)
      })
      // Whoever does not await it has decided not to care.
      this.#promise.catch(() => {})
    }
    return this.#promise
  }

  resolve(value: T): void {
    this.#outcome ??= { value }
    this.#resolve?.(value)
  }

  reject(error: unknown): void {
    this.#outcome ??= { error }
    this.#reject?.(error)
  }
}

/** waiting → accepted → done; or waiting → done when it is refused or given up. */
type State = 'waiting' | 'accepted' | 'done'

const NONE: ReadonlyMap<PeerId, MissedReason> = new Map()
const EMPTY = new Uint8Array()

/** One message to one audience, from `send` until everybody has it or cannot any more. */
export class OutgoingMessage implements Outgoing {
  readonly channel: number
  readonly ordinal: number
  readonly number: number
  readonly id: string
  readonly lane: Lane
  readonly sentWire: number
  content: Content
  body: Uint8Array
  #state: State = 'waiting'
  #to: readonly PeerId[] = []
  #left = 0
  #missed: Map<PeerId, MissedReason> | undefined
  readonly #accepted = new Lazy<void>()
  readonly #delivered = new Lazy<Delivered>()

  constructor(fields: {
    readonly channel: number
    readonly ordinal: number
    readonly number: number
    readonly id: string
    readonly lane: Lane
    readonly sentWire: number
    readonly content: Content
    readonly body: Uint8Array
  }) {
    this.channel = fields.channel
    this.ordinal = fields.ordinal
    this.number = fields.number
    this.id = fields.id
    this.lane = fields.lane
    this.sentWire = fields.sentWire
    this.content = fields.content
    this.body = fields.body
  }

  get accepted(): Promise<void> {
    return this.#accepted.promise
  }

  get delivered(): Promise<Delivered> {
    return this.#delivered.promise
  }

  get done(): boolean {
    return this.#state === 'done'
  }

  /** It has its place in the stream, and these are to get it. */
  accept(to: readonly PeerId[]): void {
    if (this.#state !== 'waiting') return
    this.#state = 'accepted'
    this.#to = to
    this.#left = to.length
    this.#accepted.resolve()
    if (this.#left === 0) this.#finish()
  }

  /** Its frames hold the bytes now. */
  encoded(): void {
    this.body = EMPTY
  }

  settle(member: PeerId, missed: MissedReason | undefined): void {
    if (this.#state !== 'accepted') return
    if (missed !== undefined) {
      this.#missed ??= new Map()
      this.#missed.set(member, missed)
    }
    this.#left -= 1
    if (this.#left === 0) this.#finish()
  }

  /** The application gave it up. Returns whether that came in time; its place in the order is taken by nothing. */
  abort(): boolean {
    if (this.#state !== 'waiting') return false
    this.#state = 'done'
    this.content = CONTENT.void
    this.body = EMPTY
    this.#accepted.reject(new PartylineError('aborted', 'The message was given up before it was accepted'))
    this.#delivered.resolve({ to: [], missed: NONE })
    return true
  }

  /** It will never be accepted. */
  refuse(to: PeerId | undefined, reason: 'left' | 'closed'): void {
    if (this.#state !== 'waiting') return
    this.#state = 'done'
    this.body = EMPTY
    if (reason === 'closed') this.#accepted.reject(new PartylineError('closed', 'The room is closed'))
    else this.#accepted.resolve()
    const receivers = to === undefined ? [] : [to]
    this.#delivered.resolve({ to: receivers, missed: new Map(receivers.map((id) => [id, reason])) })
  }

  #finish(): void {
    this.#state = 'done'
    this.#delivered.resolve({ to: this.#to, missed: this.#missed ?? NONE })
  }
}
