import type { Hub } from '../../../signaling/hub.ts'
import { ENVELOPE, readEnvelope } from '../../../signaling/protocol/envelope.ts'
import { parseServerMessage } from '../../../signaling/protocol/server-message.ts'
import type { Uplink, UplinkHandlers } from '../../../signaling/uplink.ts'
import { envelope } from '../../conformance/wire-client.ts'
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { must } from './fuzz-target.ts'

/** One that listens in memory; everything the hub says to it must be well-formed. */
class HonestMember {
  id = ''
  /** Frames of the other honest member. */
  readonly heard: string[] = []
  closedWith: number | undefined
  readonly #handlers: UplinkHandlers

  constructor(hub: Hub, random: SeededRandom, other: () => string) {
    const uplink: Uplink = {
      address: '192.0.2.1',
      carrier: 'websocket',
      send: (message) => {
        if (typeof message === 'string') this.#text(message)
        else this.#frames(message, other())
        return 'sent'
      },
      queuedBytes: () => 0,
      pause: () => undefined,
      resume: () => undefined,
      close: (code) => {
        this.closedWith = code
      },
    }
    this.#handlers = hub.accept(uplink)
    const [instance, joinKey] = [0, 1].map(() => {
      const bytes = Buffer.alloc(16)
      random.fill(bytes)
      return bytes.toString('hex')
    })
    this.say({ t: 'join', id: 1, vMin: 1, vMax: 1, room: 'recorded', profile: null, instance, joinKey })
  }

  say(message: object): void {
    this.#handlers.text(JSON.stringify(message))
  }

  tell(text: string): void {
    this.#handlers.binary(envelope({ kind: 'all' }, text))
  }

  #text(text: string): void {
    const message = parseServerMessage(text)
    if (message.t === 'welcome') this.id = message.peerId
  }

  #frames(bytes: Uint8Array, other: string): void {
    for (let at = 0; at < bytes.length; ) {
      const view = readEnvelope(bytes, at)
      must(view.kind === ENVELOPE.from, `an envelope of kind ${view.kind} reached a member`)
      must(view.peer !== this.id, 'a frame came from who gets it')
      if (view.peer === other) {
        this.heard.push(Buffer.from(bytes.subarray(view.payloadStart, view.end)).toString('latin1'))
      }
      at = view.end
    }
  }
}

/** Two honest members of the room that hostile sessions come to. */
export class HonestPair {
  readonly ada: HonestMember
  readonly bo: HonestMember
  #said = 0

  constructor(hub: Hub, random: SeededRandom) {
    this.ada = new HonestMember(hub, random, () => this.bo.id)
    this.bo = new HonestMember(hub, random, () => this.ada.id)
  }

  get peers(): readonly [string, string] {
    return [this.ada.id, this.bo.id]
  }

  talk(): void {
    this.#said += 1
    this.ada.tell(`from Ada ${this.#said}`)
    this.bo.tell(`from Bo ${this.#said}`)
  }

  /** Rejects unless everything said since the last look has come, once and in order. */
  look(): void {
    for (const [member, name] of [
      [this.bo, 'Ada'],
      [this.ada, 'Bo'],
    ] as const) {
      const heard = member.heard.splice(0)
      must(heard.length === this.#said, `${heard.length} of ${this.#said} messages of ${name} came`)
      must(
        heard.every((text, index) => text === `from ${name} ${index + 1}`),
        `messages of ${name} came out of order`,
      )
      must(member.closedWith === undefined, `an honest uplink was closed with ${member.closedWith}`)
    }
    this.#said = 0
  }
}
