/** `latest` channels: newest value wins per (sender, channel, key). See "`latest` channels" in DESIGN.md. */
import { type LatestFrame, LIMITS, type PeerId, utf8Bytes } from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'
import { Emitter } from '../events.ts'
import type { Latest, LatestValue, Payload, Unsubscribe } from '../face.ts'
import { encodePayload } from './content.ts'
import { type HeldValue, HeldValues } from './latest-held.ts'
import { OwnValues, type OwnValuesPort } from './latest-own.ts'
import { receivers } from './receivers.ts'

export interface LatestPort extends OwnValuesPort {
  /** Now, on the room clock, as the wire carries it. */
  sentNow(): number
  /** ms since 1970, on the room clock, of a wire time. */
  sentAtMs(sent: number): number
}

/** All `latest` channels of a room. */
export class LatestChannels {
  readonly #port: LatestPort
  readonly #own: OwnValues
  readonly #held = new HeldValues()
  readonly #channels = new Map<string, LatestChannel<Payload>>()
  #closed = false

  /** `counter`: of the value before this member's first. */
  constructor(port: LatestPort, counter?: number) {
    this.#port = port
    this.#own = new OwnValues(port, counter)
  }

  /** The same object for the same name. `number`: this member's number for the channel, which others are told. */
  open<T extends Payload>(name: string, number: number): Latest<T> {
    const known = this.#channels.get(name)
    const channel = known ?? new LatestChannel<Payload>(name, this.#held, this.#set.bind(this, number))
    this.#channels.set(name, channel)
    return channel as unknown as Latest<T>
  }

  /** A frame of a member, for its channel of that name; open here or not. @throws ProtocolError */
  receive(from: PeerId, name: string, frame: LatestFrame): void {
    const held = this.#held.take(from, name, frame, this.#port.sentAtMs(frame.sent))
    if (held !== undefined) this.#channels.get(name)?.hear([held])
  }

  /** A member's link came up. */
  memberJoined(id: PeerId): void {
    this.#own.memberJoined(id)
  }

  memberLeft(id: PeerId): void {
    this.#own.memberLeft(id)
    this.#held.forget(id)
  }

  close(): void {
    this.#closed = true
    this.#own.close()
    this.#held.clear()
  }

  #set(channel: number, data: unknown, key: string, to: readonly PeerId[] | undefined): void {
    if (this.#closed) throw new PartylineError('closed', 'The room is closed')
    // Most keys are short enough at three bytes a character, and are not measured.
    if (typeof key !== 'string' || (key.length * 3 > LIMITS.latestKeyBytes && utf8Bytes(key) > LIMITS.latestKeyBytes)) {
      throw new PartylineError('bad-argument', `key: a string of at most ${LIMITS.latestKeyBytes} bytes`)
    }
    const payload = encodePayload(data, LIMITS.latestBytes)
    this.#own.set({ channel, sent: this.#port.sentNow(), key, ...payload }, to)
  }
}

class LatestChannel<T extends Payload> implements Latest<T> {
  readonly name: string
  readonly #held: HeldValues
  readonly #set: (data: T, key: string, to: readonly PeerId[] | undefined) => void
  readonly #emitter = new Emitter<{ value: LatestValue<T> }>()

  constructor(name: string, held: HeldValues, set: (data: T, key: string, to: readonly PeerId[] | undefined) => void) {
    this.name = name
    this.#held = held
    this.#set = set
  }

  set(value: T, { key = '', to }: { readonly key?: string; readonly to?: PeerId | readonly PeerId[] } = {}): void {
    this.#set(value, key, receivers(to))
  }

  /** The first handler also gets what came before it, in a microtask. */
  on(name: 'value', handler: (value: LatestValue<T>) => void): Unsubscribe {
    if (this.#emitter.count('value') === 0) queueMicrotask(() => this.hear(this.#held.unheard(this.name)))
    return this.#emitter.on(name, handler)
  }

  get(peer: PeerId, key = ''): T | undefined {
    return this.#held.get(peer, this.name, key) as T | undefined
  }

  /** Hand these to the handlers, when there are any. */
  hear(values: readonly HeldValue[]): void {
    if (this.#emitter.count('value') === 0) return
    for (const held of values) {
      held.heard = true
      this.#emitter.emit('value', held.value as LatestValue<T>)
    }
  }
}
