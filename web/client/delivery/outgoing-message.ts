import { CONTENT, type Content, type Lane, type PeerId } from '../../../signaling/protocol/index.ts'
import { PartylineError, type PartylineErrorCode } from '../errors.ts'
import type { MissedReason, Outgoing } from './outgoing-stream.ts'

export interface Delivered {
  readonly to: readonly PeerId[]
  readonly missed: ReadonlyMap<PeerId, MissedReason>
}

/** A promise that is made only when somebody asks for it: most senders never do. */
class Lazy<T> {
  #promise: Promise<T> | undefined
  #wake: (() => void) | undefined
  #outcome: (() => T) | undefined

  get promise(): Promise<T> {
    if (this.#promise === undefined) {
      const settled = new Promise<void>((wake) => {
        this.#wake = wake
        if (this.#outcome !== undefined) wake()
      })
      this.#promise = settled.then(() => (this.#outcome as () => T)())
      // Whoever does not await it has decided not to care.
      this.#promise.catch(() => {})
    }
    return this.#promise
  }

  /** Once: it becomes what this returns or throws. */
  settle(outcome: () => T): void {
    this.#outcome ??= outcome
    this.#wake?.()
  }
}

/** waiting → accepted → done; or waiting → done when it is refused or given up. */
type State = 'waiting' | 'accepted' | 'done'

const NONE: ReadonlyMap<PeerId, MissedReason> = new Map()
const EMPTY = new Uint8Array()
const ACCEPTED = (): void => {}
const REFUSED = {
  closed: 'The room is closed',
  aborted: 'The message was given up before it was accepted',
} as const

/** One message to one audience, from `send` until everybody has it or cannot any more. */
export class OutgoingMessage implements Outgoing {
  #state: State = 'waiting'
  #to: readonly PeerId[] = []
  #left = 0
  #missed: Map<PeerId, MissedReason> | undefined
  /** Its bytes are not what they are to be yet: it waits, and what comes after it on its channel. */
  late = false
  readonly #accepted = new Lazy<void>()
  readonly #delivered = new Lazy<Delivered>()

  constructor(
    private readonly sender: { readonly instance: string },
    /** The rest of its id. */
    private readonly place: string,
    readonly channel: number,
    readonly ordinal: number,
    readonly number: number,
    readonly lane: Lane,
    readonly sentWire: number,
    public content: Content,
    public body: Uint8Array,
  ) {}

  /** Not before it is asked for: who sends may have no keys yet, from which its instance follows. */
  get id(): string {
    return `${this.sender.instance}-${this.place}`
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
    this.#accepted.settle(ACCEPTED)
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

  /**
   * It will never be accepted: its receiver left, the room closed, the application gave it up, or it cannot be signed.
   * Returns whether that came in time; its place in the order is taken by nothing.
   */
  refuse(to: PeerId | undefined, reason: 'left' | keyof typeof REFUSED, code?: PartylineErrorCode): boolean {
    if (this.#state !== 'waiting') return false
    this.#state = 'done'
    this.content = CONTENT.void
    this.body = EMPTY
    this.#accepted.settle(() => {
      if (reason !== 'left') throw new PartylineError(code ?? reason, REFUSED[reason])
    })
    const receivers = to === undefined ? [] : [to]
    this.#delivered.settle(() => ({ to: receivers, missed: new Map(receivers.map((id) => [id, reason])) }))
    return true
  }

  #finish(): void {
    this.#state = 'done'
    this.#delivered.settle(() => ({ to: this.#to, missed: this.#missed ?? NONE }))
  }
}
