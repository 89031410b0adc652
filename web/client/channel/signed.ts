/**
 * Signed channels: SEALING.md, "Signed channels". Loaded when this member opens the first, or another says that it has:
 * most rooms have none.
 */
import {
  type CONTENT,
  type Content,
  type Greeting,
  type InstanceId,
  LIMITS,
  type PeerId,
} from '../../../signaling/protocol/index.ts'
import type { Arrived } from '../delivery/channel-order.ts'
import type { OutgoingMessage } from '../delivery/outgoing-message.ts'
import { before, plus } from '../delivery/serial.ts'
import { base64url, counted, fromBase64url, fromHex, labelled } from '../sealing/octets.ts'
import type { Primitives, SigningKey } from '../sealing/primitives.ts'

/** Instances that have left, and whose key and places are remembered. */
const REMEMBERED = 1_024
/** A signature, and one byte that says what the payload is. */
const SIGNATURE_BYTES = 64
const HEAD_BYTES = SIGNATURE_BYTES + 1
/** What the frames say of such a body. */
const BINARY = 2 satisfies typeof CONTENT.binary

export interface SignedDeps {
  readonly primitives: Pick<Primitives, 'signer' | 'verify'>
  /** The room's name. */
  readonly room: string
  readonly instance: InstanceId
  /** Messages that were late may go. */
  flush(): void
  /** Messages of this channel may be handed on. */
  drain(wireName: string): void
  refuse(peer: PeerId, code: 'forged' | 'replayed' | 'seal-changed'): void
  /** No signature can be had for it. */
  giveUp(message: OutgoingMessage): void
  /** Something of this member was kept from us. */
  withheld(peer: PeerId): void
  instanceOf(peer: PeerId): InstanceId | undefined
  /** Everyone here. */
  peers(): Iterable<PeerId>
}

interface Signer {
  key: Uint8Array | undefined
  /** By wire name: the ordinal of the message that is next. */
  readonly next: Map<string, number>
}

type Check = 'running' | 'bad' | 'good'

/** A good message in its place, with its payload for a body. */
export interface Checked extends Arrived {
  /**
   * Hands it on, if `handOn` says that it was taken: then never again, whichever way it comes. Until then it may come
   * another way, as in a new beginning of its link, and be taken there.
   */
  hand(handOn: () => boolean): boolean
}

/** What is signed. `body`: from the content byte on. */
export const signedBytes = (
  room: string,
  instance: Uint8Array,
  wireName: string,
  { ordinal, sent }: { readonly ordinal: number; readonly sent: number },
  body: Uint8Array,
): Uint8Array => {
  const place = new DataView(new ArrayBuffer(8))
  place.setUint32(4, sent)
  // Of it, 24 bits: its first byte is written over.
  place.setUint32(1, ordinal)
  const text = new TextEncoder()
  const where = new Uint8Array(place.buffer, 1)
  return labelled('message', counted(text.encode(room)), instance, counted(text.encode(wireName)), where, body)
}

export class SignedChannels {
  /** Ours, once there is a channel to sign for. */
  #own: Promise<SigningKey> | undefined
  readonly #signers = new Map<InstanceId, Signer>()
  readonly #checks = new WeakMap<Uint8Array, Check>()

  constructor(private readonly deps: SignedDeps) {}

  /** Our key, as others are to be told; made when it is first asked for. */
  async key(): Promise<string> {
    this.#own ??= this.deps.primitives.signer()
    return base64url((await this.#own).publicKey)
  }

  /** Fills in the signature of a message to the room, and lets it go. */
  async sign(wireName: string, message: OutgoingMessage): Promise<void> {
    const { room, instance } = this.deps
    const { ordinal, sentWire: sent, body } = message
    try {
      this.#own ??= this.deps.primitives.signer()
      const own = await this.#own
      const bytes = signedBytes(room, fromHex(instance), wireName, { ordinal, sent }, body.subarray(SIGNATURE_BYTES))
      body.set(await own.sign(bytes))
    } catch {
      this.deps.giveUp(message)
    }
    message.late = false
    this.deps.flush()
  }

  /** A member says its key. */
  told(peer: PeerId, text: string): void {
    const signer = this.#signerOf(peer)
    const key = fromBase64url(text)
    if (signer === undefined || key === undefined) return
    if (signer.key !== undefined) {
      if (base64url(signer.key) !== text) this.deps.refuse(peer, 'seal-changed')
      return
    }
    signer.key = key
    for (const wireName of signer.next.keys()) this.deps.drain(wireName)
  }

  /** A member's greeting: where its channels are for us from now on. */
  greeted(peer: PeerId, channels: Greeting['channels']): void {
    const signer = this.#signerOf(peer)
    if (signer === undefined) return
    const { next } = signer
    for (const { name, ordinal } of channels) {
      // An instance has no more, whatever it says in greeting after greeting.
      const isKnown = next.has(name) || next.size < LIMITS.channels
      if (name.startsWith('s:') && isKnown && before(next.get(name) ?? 0, ordinal)) next.set(name, ordinal)
    }
  }

  /** A message to the room has its turn: what it holds; false while that is not known, true when it is not to be had. */
  check(peer: PeerId, arrived: Arrived): Checked | boolean {
    const signer = this.#signerOf(peer)
    // Of a member that has just gone.
    if (signer === undefined) return true
    const { body, channel, ordinal } = arrived
    const { key } = signer
    const next = signer.next.get(channel) ?? 0
    // That it waits is known by its being there.
    signer.next.set(channel, next)
    if (key === undefined) return false
    const check = this.#checks.get(body)
    if (check === undefined) void this.#verify(peer, key, arrived)
    if (check === undefined || check === 'running') return false
    if (check === 'bad') {
      this.deps.refuse(peer, 'forged')
      return true
    }
    if (before(ordinal, next)) {
      this.deps.refuse(peer, 'replayed')
      return true
    }
    if (ordinal !== next) {
      // Told of once: what is next is this one now, until it is taken.
      signer.next.set(channel, ordinal)
      this.deps.withheld(peer)
    }
    return {
      ...arrived,
      content: body[SIGNATURE_BYTES] as Content,
      body: body.subarray(HEAD_BYTES),
      hand: (handOn) => {
        const after = plus(ordinal, 1)
        // Before: what takes it may have us hand on what waits elsewhere, a copy of it included.
        signer.next.set(channel, after)
        const isTaken = handOn()
        if (!isTaken && signer.next.get(channel) === after) signer.next.set(channel, ordinal)
        return isTaken
      },
    }
  }

  async #verify(peer: PeerId, key: Uint8Array, arrived: Arrived): Promise<void> {
    const { body, channel, content } = arrived
    const { room, primitives } = this.deps
    const instance = this.deps.instanceOf(peer)
    this.#checks.set(body, 'running')
    const isWellFormed =
      instance !== undefined &&
      content === BINARY &&
      body.length >= HEAD_BYTES &&
      (body[SIGNATURE_BYTES] as number) <= BINARY
    // Never at once: the channel is being drained.
    const isGood = await (isWellFormed &&
      primitives.verify(
        key,
        body.slice(0, SIGNATURE_BYTES),
        signedBytes(room, fromHex(instance), channel, arrived, body.subarray(SIGNATURE_BYTES)),
      ))
    this.#checks.set(body, isGood ? 'good' : 'bad')
    this.deps.drain(channel)
  }

  #signerOf(peer: PeerId): Signer | undefined {
    const instance = this.deps.instanceOf(peer)
    if (instance === undefined) return undefined
    let signer = this.#signers.get(instance)
    if (signer === undefined) {
      signer = { key: undefined, next: new Map() }
      this.#signers.set(instance, signer)
      if (this.#signers.size > REMEMBERED) this.#forget()
    }
    return signer
  }

  /** The oldest of those that are not here. */
  #forget(): void {
    const here = new Set([...this.deps.peers()].map((peer) => this.deps.instanceOf(peer)))
    const gone = [...this.#signers.keys()].filter((instance) => !here.has(instance))
    for (const instance of gone.slice(0, -REMEMBERED)) this.#signers.delete(instance)
  }
}
