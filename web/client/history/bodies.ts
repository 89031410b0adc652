/** Bodies of stored messages: plain in open rooms, sealed as SEALING.md, "Stored history", says in those with a secret. */
import {
  BODY,
  decodeInside,
  decodePlainBody,
  encodeInside,
  encodePlainBody,
  encodeText,
  type HistoryEntry,
  type PlainBody,
  ProtocolError,
} from '../../../signaling/protocol/index.ts'
import type { SealingMode } from '../face.ts'
import { counted, fromHex, joined, labelled, NO_BYTES } from '../sealing/octets.ts'
import type { CipherKey } from '../sealing/primitives.ts'
import type { RoomSealing } from '../sealing/sealing.ts'
import type { RecordPlace } from './records.ts'
import { storeError } from './store-error.ts'

export interface BodiesDeps {
  readonly mode: SealingMode
  readonly room: string
  readonly instance: string
  /** In mode `secret`. */
  keys(): Promise<RoomSealing>
}

const HEAD_BYTES = 9
const TAG_BYTES = 16
/** Writers whose keys are remembered. */
const MOST_WRITERS = 256
const ID = /^([0-9a-f]{32})-(\d{1,3})-(u?)(\d{1,10})$/

/** What sealing adds to a body. */
export const SEALED_BODY_BYTES = HEAD_BYTES - 1 + TAG_BYTES

const additional = (room: string, instance: string, place: RecordPlace, head: Uint8Array): Uint8Array => {
  const numbers = new DataView(new ArrayBuffer(6))
  numbers.setUint8(0, place.user === undefined ? 0 : 1)
  numbers.setUint8(1, place.channel)
  numbers.setUint32(2, place.ordinal)
  return labelled(
    'stored',
    counted(encodeText(room)),
    fromHex(instance),
    new Uint8Array(numbers.buffer),
    counted(encodeText(place.name)),
    counted(encodeText(place.user ?? '')),
    head,
  )
}

const nonceOf = (head: Uint8Array): Uint8Array => joined(new Uint8Array(4), head.subarray(1))

export class StoredBodies {
  readonly #ciphers = new Map<string, Promise<CipherKey>>()
  #historyKey: Promise<Uint8Array> | undefined

  constructor(private readonly deps: BodiesDeps) {}

  /** Rejects with `needs-secret` in mode `link`. */
  async seal(place: RecordPlace, plain: PlainBody): Promise<Uint8Array> {
    const { mode, room, instance } = this.deps
    if (mode === 'open') return encodePlainBody(plain)
    if (mode === 'link') throw storeError('needs-secret')
    const [keys, cipher] = await Promise.all([this.deps.keys(), this.#cipher(instance)])
    const head = new Uint8Array(HEAD_BYTES)
    head[0] = BODY.sealed
    new DataView(head.buffer).setBigUint64(1, BigInt(keys.nextCounter()))
    return joined(head, await cipher.seal(nonceOf(head), additional(room, instance, place, head), encodeInside(plain)))
  }

  /** `user`: whose mailbox. Refusals as of SEALING.md; `protocol` when it is malformed. Never rejects. */
  async open(
    { id, from, channel: name }: HistoryEntry,
    user: string | undefined,
    body: Uint8Array,
  ): Promise<PlainBody | 'unsealed' | 'forged' | 'protocol'> {
    const { mode, room } = this.deps
    try {
      if (body[0] === BODY.plain) return mode === 'open' || from === undefined ? decodePlainBody(body) : 'unsealed'
      const [, instance, channel, unicast, ordinal] = ID.exec(id) ?? []
      const isMail = user !== undefined
      if (mode !== 'secret' || instance === undefined || (unicast === 'u') !== isMail) return 'forged'
      if (body[0] !== BODY.sealed || body.length < HEAD_BYTES + TAG_BYTES) return 'unsealed'
      const head = body.subarray(0, HEAD_BYTES)
      const place = { channel: Number(channel), ordinal: Number(ordinal), name, user }
      const cipher = await this.#cipher(instance)
      const inside = await cipher.open(
        nonceOf(head),
        additional(room, instance, place, head),
        body.subarray(HEAD_BYTES),
      )
      return inside === undefined ? 'forged' : decodeInside(inside)
    } catch (error) {
      if (error instanceof ProtocolError) return 'protocol'
      return 'forged'
    }
  }

  #cipher(instance: string): Promise<CipherKey> {
    const known = this.#ciphers.get(instance)
    if (known !== undefined) return known
    if (this.#ciphers.size >= MOST_WRITERS) this.#ciphers.clear()
    const cipher = this.#derive(instance)
    this.#ciphers.set(instance, cipher)
    cipher.catch(() => this.#ciphers.delete(instance))
    return cipher
  }

  async #derive(instance: string): Promise<CipherKey> {
    const { secrets, deps } = await this.deps.keys()
    const { roomKey } = secrets
    if (roomKey === undefined) throw storeError('needs-secret')
    this.#historyKey ??= roomKey.derive('history')
    const { hkdf, cipher } = deps.primitives
    return cipher(await hkdf(await this.#historyKey, NO_BYTES, labelled('stored', fromHex(instance)), 32))
  }
}
