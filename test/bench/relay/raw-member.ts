import type { MemberPlace } from './contestants.ts'
import { type Dialect, dialectOf } from './dialects.ts'
import type { DropMember, Heard } from './drop-member.ts'
import type { DropsOptions } from './drops.ts'
import { numberOf, payloadText, senderOf, sentAt } from './payload.ts'
import { RawSocket, type ReadBuffer } from './raw-socket.ts'

/** Within which a client tries again, at random: a second is the first delay of Socket.IO's, and half of it its spread. */
const BACK_OFF_MS = 1_000

/** What connects again and keeps what it could not send until then, as Socket.IO's client does. */
export class RawMember implements DropMember {
  readonly #options: DropsOptions
  readonly #shared: ReadBuffer
  readonly #heard: Heard
  readonly #place: MemberPlace
  readonly #dialect: Dialect
  readonly #unsent: Buffer[] = []
  #socket: RawSocket | undefined
  #in = false
  #cut = false
  #over = false
  #joined: () => void = () => undefined

  constructor(place: MemberPlace, options: DropsOptions, shared: ReadBuffer, heard: Heard) {
    this.#place = place
    this.#options = options
    this.#shared = shared
    this.#heard = heard
    this.#dialect = dialectOf(options.relay, place, options.recovery)
  }

  join(): Promise<void> {
    return new Promise((resolve) => {
      this.#joined = resolve
      this.#connect()
    })
  }

  async complete(): Promise<void> {}

  send(number: number, atMs: number): void {
    const message = this.#dialect.toRoom(payloadText(this.#place.index, atMs, number, 'm'))
    if (this.#in) this.#socket?.write(message)
    else this.#unsent.push(message)
  }

  drop(): void {
    this.#cut = true
    this.#in = false
    this.#socket?.drop()
    this.#socket = undefined
  }

  restore(): void {
    if (!this.#cut) return
    this.#cut = false
    setTimeout(() => this.#connect(), Math.random() * BACK_OFF_MS)
  }

  close(): void {
    this.#over = true
    this.drop()
  }

  #connect(): void {
    if (this.#cut || this.#over) return
    const socket = new RawSocket(
      {
        port: this.#options.port,
        ...this.#dialect.hello(),
        opened: () => undefined,
        message: (text, bytes, start, end) => {
          const become = this.#dialect.take(text, bytes, start, end, (at) =>
            this.#heard(senderOf(bytes, at), numberOf(bytes, at), sentAt(bytes, at)),
          )
          const answer = this.#dialect.answer()
          if (answer !== undefined) socket.write(answer)
          if (become === 'in') this.#nowIn(socket)
        },
        closed: () => {
          if (socket !== this.#socket) return
          this.#in = false
          setTimeout(() => this.#connect(), Math.random() * BACK_OFF_MS)
        },
      },
      this.#shared,
    )
    this.#socket = socket
  }

  #nowIn(socket: RawSocket): void {
    if (socket !== this.#socket) return
    this.#in = true
    for (const message of this.#unsent.splice(0)) socket.write(message)
    this.#joined()
  }
}
