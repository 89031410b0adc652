/**
 * A second implementation of signaling/protocol/SEALING.md, written from its text alone and with node:crypto: plain,
 * synchronous, and nothing of web/client in it. Names are the document's.
 */
import { randomBytes } from 'node:crypto'
import {
  type Announced,
  boundInstance,
  demand,
  type Identity,
  makeAnnouncement,
  type RoomKeys,
  rawPoint,
  readAnnouncement,
  roomKeys,
  type SealedMode,
} from './independent-announcement.ts'
import { profileDigest } from './independent-claims.ts'
import { makeCurves, type OwnCurves } from './independent-curves.ts'
import {
  decrypt,
  GROUP,
  groupKey,
  groupRecord,
  HELD,
  isForTheRoom,
  isSentAgain,
  KEY,
  keyName,
  LINK,
  type LinkKeys,
  linkKeys,
  linkRecord,
  nextStep,
  type Remembered,
  reaches,
  type SenderKey,
  splitSince,
  took,
  withSince,
} from './independent-records.ts'

interface Other extends LinkKeys {
  readonly announced: Announced
  /** Nothing at or below it counts on this link. */
  floor: number
  /** Our counter when it began. */
  readonly since: number
  /** A record under the link key has opened. */
  proven: boolean
  /** Of our sender keys it was given, and may read from: the newest. */
  given?: SenderKey
}

export interface IndependentOptions {
  readonly mode: SealedMode
  readonly room: string
  /** 16 hex digits, from the server. */
  readonly id: string
  /** 32 hex digits, or the one that follows from its keys. */
  readonly instance: string | 'bound'
  /** The secret's bytes, or what Argon2id made of the password. */
  readonly S?: Uint8Array
  readonly x25519?: boolean
  readonly identity?: Identity
  readonly protocol?: number
  /** That its first join asks for; without, it says nothing about one. */
  readonly profile?: unknown
}

export interface Shown {
  readonly id: string
  readonly instance: string
  readonly seal?: string
}

export interface Read {
  readonly frames: readonly Buffer[]
  readonly reply?: Buffer
}

/** A member of a sealed room. It does not repeat its keys, and believes that all it sends arrives. */
export class IndependentMember {
  readonly announcement: string
  readonly announced: Announced
  /** The keys of ours that others said they have, as `id epoch step`. */
  readonly held: string[] = []
  /** From the server, which may give another when the session was over: all links begin anew then. */
  id: string
  readonly #options: IndependentOptions
  readonly #keys: RoomKeys
  readonly #curves: OwnCurves
  readonly #others = new Map<string, Other>()
  readonly #remembered = new Map<string, Remembered>()
  #counter = 0
  #own: SenderKey = { epoch: 1, step: 0, key: randomBytes(32) }
  #used = false
  #came = false
  #left = false

  constructor(options: IndependentOptions) {
    this.#options = options
    this.id = options.id
    const { mode, room, identity } = options
    this.#keys = roomKeys(mode, room, options.S)
    this.#curves = makeCurves(options.x25519 === true)
    const points = { ...this.#curves, identity: identity && rawPoint(identity.publicKey) }
    const own = options.instance === 'bound' ? boundInstance(room, points) : Buffer.from(options.instance, 'hex')
    this.announcement = makeAnnouncement({
      mode,
      room,
      keys: this.#keys,
      protocol: options.protocol ?? 1,
      instance: own,
      ...this.#curves,
      ...(options.profile !== undefined && { profile: this.profileDigest(own, options.profile) }),
      ...(identity && { identity }),
    })
    const keys = this.#keys
    this.announced = readAnnouncement(this.announcement, { mode, room, keys, instance: own, own: Buffer.alloc(16) })
  }

  /** The newest. */
  get senderKey(): SenderKey {
    return this.#own
  }

  /** By which a member of this instance says that a profile is its own. */
  profileDigest(instance: Uint8Array, profile: unknown): Buffer {
    return profileDigest(this.profileKey, this.#options.room, instance, profile)
  }

  get profileKey(): Buffer {
    return this.#keys.profile ?? Buffer.alloc(32)
  }

  /** Of the next record, whatever the key. */
  nextCounter(): number {
    this.#counter += 1
    return this.#counter
  }

  /** The key of what goes to a member alone. */
  sendingTo(id: string): Buffer {
    return this.#other(id).sending
  }

  /** The sender keys that it was given by a member. */
  keysOf(id: string): readonly SenderKey[] {
    return this.#rememberedOf(this.#other(id)).keys
  }

  /** A member that the server shows. Throws a {@link Refusal}. */
  admit(shown: Shown): Announced {
    const known = this.#remembered.get(shown.instance)
    const announced = readAnnouncement(shown.seal, {
      mode: this.#options.mode,
      room: this.#options.room,
      keys: this.#keys,
      instance: Buffer.from(shown.instance, 'hex'),
      own: this.announced.instance,
      ...(known && { known }),
    })
    const isAnothers = announced.bound && known?.bound === false
    const before = isAnothers ? undefined : known
    const ends = [
      { announced: this.announced, id: this.id },
      { announced, id: shown.id },
    ] as const
    const keys = linkKeys(this.#options.room, this.#keys.linkSalt, this.#curves.agree(announced), ...ends)
    if (isAnothers) {
      for (const [id, other] of [...this.#others])
        if (other.announced.instance.equals(announced.instance)) this.left(id)
    }
    this.#others.set(shown.id, {
      announced,
      ...keys,
      floor: before?.newest ?? 0,
      since: this.#counter,
      proven: false,
    })
    if (before === undefined) {
      this.#remembered.set(shown.instance, {
        announcement: announced.bytes,
        bound: announced.bound,
        newest: 0,
        once: new Set(),
        keys: [],
        waiting: [],
      })
    }
    this.#came = true
    return announced
  }

  knows(id: string): boolean {
    return this.#others.has(id)
  }

  left(id: string): void {
    if (this.#others.get(id)?.given !== undefined) this.#left = true
    this.#others.delete(id)
  }

  /** The records of a frame to some members, the keys that they need among them. */
  seal(to: readonly string[], frame: Uint8Array): { readonly to?: string; readonly payload: Buffer }[] {
    if (!isForTheRoom(frame)) {
      return to.map((id) => {
        const other = this.#other(id)
        return { to: id, payload: this.#linkRecord(LINK, other, withSince(frame, other.since)) }
      })
    }
    const own = this.#ownKey()
    const keys = to.flatMap((id) => {
      const other = this.#other(id)
      if (other.given !== undefined && reaches(other.given, own.epoch, own.step)) return []
      other.given = own
      return [{ to: id, payload: this.#linkRecord(KEY, other, keyName(own)) }]
    })
    const { instance } = this.announced
    return [...keys, { payload: groupRecord(own, instance, this.#options.room, this.nextCounter(), frame) }]
  }

  /** Opens what came from a member. Throws a {@link Refusal}. */
  open(from: string, payload: Uint8Array): Read {
    const other = this.#other(from)
    const record = Buffer.from(payload)
    const kind = record[0] ?? 0
    const headBytes = kind === GROUP ? 15 : 9
    demand(kind >= LINK && kind <= HELD && record.length >= headBytes + 16, 'unsealed')
    const head = record.subarray(0, headBytes)
    const sealed = record.subarray(headBytes)
    const counter = Number(head.readBigUInt64BE(headBytes - 8))
    const remembered = this.#rememberedOf(other)
    if (kind === GROUP) {
      const [epoch, step] = [head.readUInt32BE(1), head.readUInt16BE(5)]
      return this.#openGroup(other, remembered, { head, epoch, step, counter, sealed })
    }
    const plain = decrypt(other.receiving, head, counter, sealed)
    if (kind === LINK) {
      demand(!isForTheRoom(plain), 'forged')
      const { frame, since } = splitSince(plain, counter)
      took(remembered, other, counter, !isSentAgain(plain))
      other.floor = Math.max(other.floor, since)
      return { frames: [frame, ...this.#waited(other, remembered)] }
    }
    demand(plain.length === (kind === KEY ? 38 : 6), 'forged')
    took(remembered, other, counter, true)
    const [epoch, step] = [plain.readUInt32BE(0), plain.readUInt16BE(4)]
    if (kind === HELD) {
      this.held.push(`${from} ${epoch} ${step}`)
      return { frames: this.#waited(other, remembered) }
    }
    remembered.keys.push({ epoch, step, key: Buffer.from(plain.subarray(6)) })
    return { frames: this.#waited(other, remembered), reply: this.#linkRecord(HELD, other, plain.subarray(0, 6)) }
  }

  /** What waited, as far as it need not any more: a record under the link key has opened. */
  #waited(other: Other, remembered: Remembered): readonly Buffer[] {
    other.proven = true
    return remembered.waiting.splice(0).flatMap((one) => this.#openGroup(other, remembered, one).frames)
  }

  #openGroup(other: Other, remembered: Remembered, record: Remembered['waiting'][number]): Read {
    const { head, epoch, step, counter, sealed } = record
    const nearest = remembered.keys
      .filter((key) => reaches(key, epoch, step))
      .sort((one, two) => two.step - one.step)[0]
    if (nearest === undefined || !other.proven) {
      remembered.waiting.push(record)
      return { frames: [] }
    }
    let key = nearest
    while (key.step < step) key = nextStep(key)
    const frame = decrypt(groupKey(key, other.announced.instance, this.#options.room), head, counter, sealed)
    demand(isForTheRoom(frame), 'forged')
    if (key !== nearest) remembered.keys.push(key)
    took(remembered, other, counter, false)
    return { frames: [frame] }
  }

  #linkRecord(kind: number, to: Other, plain: Uint8Array): Buffer {
    return linkRecord(kind, to.sending, this.nextCounter(), plain)
  }

  /** The key for a new frame to the room. */
  #ownKey(): SenderKey {
    if (this.#left) this.#own = { epoch: this.#own.epoch + 1, step: 0, key: randomBytes(32) }
    else if (this.#came && this.#used) this.#own = nextStep(this.#own)
    this.#used = true
    this.#came = false
    this.#left = false
    return this.#own
  }

  #other(id: string): Other {
    const other = this.#others.get(id)
    if (other === undefined) throw new Error(`${id} is not a member`)
    return other
  }

  #rememberedOf(other: Other): Remembered {
    const remembered = this.#remembered.get(other.announced.instance.toString('hex'))
    if (remembered === undefined) throw new Error('every member is remembered')
    return remembered
  }
}
