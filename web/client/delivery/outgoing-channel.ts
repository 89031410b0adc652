import type { LinkSender } from './link-sender.ts'
import { plus } from './serial.ts'

/** How names of signed channels begin: greetings tell where these are from the moment they are there. */
const SIGNED = 's:'

/** A channel as its sender sees it: the places of its messages in the order, and who has been told its name. */
export class OutgoingChannel {
  /** Ordinal of the next message to the room. */
  roomOrdinal = 0
  /** Whether the name has been said: by a room message, or for a `latest` channel by itself. Greetings say it too. */
  roomOpened = false
  /** Number of the next unicast message, to whomever. */
  #unicastNumber = 0

  constructor(
    readonly id: number,
    /** With its kind: what travels. */
    readonly name: string,
  ) {}

  /** Whether a greeting names it. */
  get greeted(): boolean {
    return this.roomOpened || this.name.startsWith(SIGNED)
  }

  /** For a message to several members, so that it has one id. */
  takeNumber(): number {
    const number = this.#unicastNumber
    this.#unicastNumber = (number + 1) >>> 0
    return number
  }

  /** The place of the next message in the order: to this member alone, or to the room. */
  takeOrdinal(sender: LinkSender | undefined): number {
    const ordinal = sender === undefined ? this.roomOrdinal : (sender.unicastOrdinals.get(this.id) ?? 0)
    const next = plus(ordinal, 1)
    if (sender === undefined) this.roomOrdinal = next
    else sender.unicastOrdinals.set(this.id, next)
    return ordinal
  }

  /** Whether the next message is its first to this member, or to a room with `anyone` in it, and so says the name. */
  opens(sender: LinkSender | undefined, anyone: boolean): boolean {
    if (sender !== undefined) {
      if (sender.openedChannels.has(this.id)) return false
      sender.openedChannels.add(this.id)
      return true
    }
    if (this.roomOpened || !anyone) return false
    this.roomOpened = true
    return true
  }
}
