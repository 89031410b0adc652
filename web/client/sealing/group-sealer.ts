/**
 * What is sealed for the room: once for everybody, under a sender key that goes along to each receiver that may not have
 * it. Owns our sender keys, who has been given which, the record of each frame, and the timer by which keys that are not
 * held are given again. A receiver is the sealer of its link; who is admitted, nobody knows here.
 */
import type { FillRandom, PeerId } from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import { GivenKeys } from './given-keys.ts'
import type { LinkSealer, Sealed, SealedRecord } from './link-sealer.ts'
import { type OwnSenderKey, OwnSenderKeys } from './own-sender-keys.ts'
import type { Primitives } from './primitives.ts'
import type { RecordCounter } from './record-counter.ts'
import { type KeyName, RECORD, sealRecord } from './records.ts'
import type { KeyOwner } from './sender-key.ts'

export interface GroupSealerDeps {
  readonly primitives: Primitives
  readonly fillRandom: FillRandom
  readonly clock: Clock
  /** A key record that is repeated by itself, to be sent by the relay. */
  transmit(to: PeerId, payload: Uint8Array): void
}

interface GroupRecord {
  readonly key: OwnSenderKey
  payload: Uint8Array | Promise<Uint8Array>
}

export class GroupSealer {
  readonly #deps: GroupSealerDeps
  readonly #counter: RecordCounter
  readonly #keys: OwnSenderKeys
  readonly #given = new Map<LinkSealer, GivenKeys>()
  /** By frame: as long as whoever sends it again keeps it. */
  readonly #records = new WeakMap<Uint8Array, GroupRecord>()
  #timer: TimerHandle | undefined
  #timerAtMs = Number.POSITIVE_INFINITY

  constructor(deps: GroupSealerDeps, owner: KeyOwner, counter: RecordCounter) {
    this.#deps = deps
    this.#counter = counter
    this.#keys = new OwnSenderKeys(deps.primitives, owner, deps.fillRandom)
  }

  /** Makes what the first message will need. */
  prepare(): void {
    this.#keys.prepare()
  }

  /** A link has begun, or begun again: it is given keys from the next one on. */
  begun(link: LinkSealer): void {
    const before = this.#given.get(link)
    this.#given.set(link, new GivenKeys(this.#keys.came(), before?.epoch))
    if (before !== undefined) this.#arm()
  }

  /** The link is over: it is to be given no key that comes after. */
  ended(link: LinkSealer): void {
    const given = this.#given.get(link)
    if (given === undefined) return
    this.#given.delete(link)
    this.#keys.left(given.epoch)
    this.#arm()
  }

  /** It says that it holds this key. */
  held(link: LinkSealer, name: KeyName): void {
    this.#given.get(link)?.held(name)
    this.#arm()
  }

  /** The frame's record, after those of keys that go along. At once when it was sealed before, and nobody needs a key. */
  seal(links: readonly LinkSealer[], frame: Uint8Array): Sealed | Promise<Sealed> {
    const record = this.#recordFor(links, frame)
    const nowMs = this.#deps.clock.now()
    const keys: Promise<SealedRecord>[] = []
    for (const link of links) {
      const missing = this.#given.get(link)?.missing(record.key, nowMs)
      if (missing !== undefined) keys.push(link.key(missing).then((payload) => ({ to: link.to, payload })))
    }
    const { payload } = record
    if (keys.length > 0) this.#arm()
    else if (payload instanceof Uint8Array) return [{ to: undefined, payload }]
    return Promise.all([...keys, Promise.resolve(payload).then((sealed) => ({ to: undefined, payload: sealed }))])
  }

  /** Under a key that all of them may be given. */
  #recordFor(links: readonly LinkSealer[], frame: Uint8Array): GroupRecord {
    const before = this.#records.get(frame)
    if (before !== undefined && links.every((link) => (this.#given.get(link)?.since ?? 0) <= before.key.index)) {
      return before
    }
    const key = this.#keys.next()
    const counter = this.#counter.next()
    const record: GroupRecord = {
      key,
      payload: key.cipher
        .then((cipher) => sealRecord(cipher, RECORD.group, counter, frame, key))
        .then((payload) => {
          record.payload = payload
          return payload
        }),
    }
    this.#records.set(frame, record)
    return record
  }

  /** Key records are repeated until they are held: one timer for all, and none when nothing waits. */
  #arm(): void {
    const { clock } = this.#deps
    let dueAtMs = Number.POSITIVE_INFINITY
    for (const given of this.#given.values()) dueAtMs = Math.min(dueAtMs, given.dueAtMs)
    if (dueAtMs === this.#timerAtMs) return
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#timerAtMs = dueAtMs
    this.#timer =
      dueAtMs === Number.POSITIVE_INFINITY
        ? undefined
        : clock.setTimeout(() => this.#repeat(), Math.max(0, dueAtMs - clock.now()))
  }

  #repeat(): void {
    this.#timer = undefined
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.#deps.clock.now()
    for (const [link, given] of this.#given) {
      for (const key of given.takeDue(nowMs)) {
        link.key(key).then(
          (payload) => {
            if (this.#given.has(link)) this.#deps.transmit(link.to, payload)
          },
          () => undefined,
        )
      }
    }
    this.#arm()
  }

  /** Nothing is repeated any more. */
  close(): void {
    this.#given.clear()
    this.#arm()
  }
}
