import type { Latest, PeerId, Room } from 'partyline'
import { Cell, type Watchable } from '../../ui/cell.ts'
import type { ChatProfile } from '../model/member.ts'
import {
  afterTypingValue,
  TYPING_IDLE_MS,
  TYPING_REPEAT_MS,
  type TypingBoard,
  type TypingValue,
  withoutQuiet,
  withoutTyping,
} from '../model/typing.ts'
import type { Environment } from './environment.ts'

/** Who is typing, and telling the others that we are. */
export class TypingChannel {
  readonly #channel: Latest<TypingValue>
  readonly #environment: Environment
  readonly #board = new Cell<TypingBoard>(new Map())
  /** While we are typing: when we last told, and when a key was last hit. */
  #own: { toldAtMs: number; hitAtMs: number } | undefined

  constructor(room: Room<ChatProfile>, environment: Environment) {
    this.#environment = environment
    this.#channel = room.latest<TypingValue>('typing')
    this.#channel.on('value', ({ from, value }) => {
      this.#board.value = afterTypingValue(this.#board.value, from, value, environment.now())
    })
  }

  get board(): Watchable<TypingBoard> {
    return this.#board
  }

  /** The text being written changed. */
  written(text: string): void {
    if (text.trim() === '') {
      this.stop()
      return
    }
    const now = this.#environment.now()
    if (this.#own !== undefined && now - this.#own.toldAtMs < TYPING_REPEAT_MS) {
      this.#own.hitAtMs = now
      return
    }
    this.#own = { toldAtMs: now, hitAtMs: now }
    this.#tell(true)
  }

  /** The message was sent or given up. */
  stop(): void {
    if (this.#own === undefined) return
    this.#own = undefined
    this.#tell(false)
  }

  /** A member left, or its message arrived. */
  ended(peer: PeerId): void {
    this.#board.value = withoutTyping(this.#board.value, peer)
  }

  /** Once a second. */
  tick(): void {
    const now = this.#environment.now()
    this.#board.value = withoutQuiet(this.#board.value, now)
    if (this.#own !== undefined && now - this.#own.hitAtMs >= TYPING_IDLE_MS) this.stop()
  }

  #tell(typing: boolean): void {
    try {
      this.#channel.set({ typing })
    } catch {
      // The room is closed; nobody is there to be told.
    }
  }
}
