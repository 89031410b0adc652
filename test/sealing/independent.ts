/**
 * A second implementation of signaling/protocol/SEALING.md, written from its text alone and with node:crypto: plain,
 * synchronous, and nothing of web/client in it. Names are the document's.
 */
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import {
  type Announced,
  big,
  demand,
  HAS_IDENTITY,
  HAS_X25519,
  hkdf,
  hmac,
  type Identity,
  label,
  len,
  MODE_CODES,
  NONE,
  Refusal,
  type RoomKeys,
  rawPoint,
  rawX25519,
  readAnnouncement,
  roomKeys,
  type SealedMode,
  sha256,
  x25519Key,
} from './independent-announcement.ts'

const STEPS_AHEAD = 16

function encrypt(key: Buffer, head: Buffer, counter: number, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([big(4, 0), big(8, counter)]))
  cipher.setAAD(head)
  return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Buffer, head: Buffer, counter: number, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.concat([big(4, 0), big(8, counter)]))
  decipher.setAAD(head)
  decipher.setAuthTag(sealed.subarray(-16))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  } catch {
    throw new Refusal('forged')
  }
}

export interface SenderKey {
  readonly epoch: number
  readonly step: number
  readonly key: Buffer
}

const nextStep = (of: SenderKey): SenderKey => ({
  epoch: of.epoch,
  step: of.step + 1,
  key: hkdf(of.key, NONE, label('step'), 32),
})

const groupKey = (of: SenderKey, sender: Buffer, room: string): Buffer =>
  hkdf(of.key, NONE, Buffer.concat([label('group'), big(4, of.epoch), big(2, of.step), sender, sha256(len(room))]), 32)

/** Frames that go in group records: data, fragment and `latest`, without the flag unicast. */
export const isForTheRoom = (frame: Uint8Array): boolean =>
  [0, 1, 7].includes((frame[0] ?? 0) >> 5) && ((frame[0] ?? 0) & 16) === 0

const isGreeting = (frame: Uint8Array): boolean => (frame[0] ?? 0) >> 5 === 5

const isSentAgain = (frame: Uint8Array): boolean => [0, 1, 7].includes((frame[0] ?? 0) >> 5)

interface Other {
  readonly announced: Announced
  readonly sending: Buffer
  readonly receiving: Buffer
  /** Nothing at or below it counts on this link. */
  floor: number
  /** Our counter when it began. */
  readonly since: number
  /** Of our sender keys it was given, and may read from: the newest. */
  given?: SenderKey
}

/** What outlives the link with an instance. */
interface Remembered {
  announcement: Buffer
  newest: number
  readonly once: Set<number>
  readonly keys: SenderKey[]
  waiting: { head: Buffer; epoch: number; step: number; counter: number; sealed: Buffer }[]
}

export interface IndependentOptions {
  readonly mode: SealedMode
  readonly room: string
  /** 16 hex digits, from the server. */
  readonly id: string
  /** 32 hex digits. */
  readonly instance: string
  /** The secret's bytes, or what Argon2id made of the password. */
  readonly S?: Uint8Array
  readonly x25519?: boolean
  readonly identity?: Identity
  readonly protocol?: number
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
  readonly #options: IndependentOptions
  readonly #keys: RoomKeys
  readonly #p256 = createECDH('prime256v1')
  readonly #x25519: KeyObject | undefined
  readonly #others = new Map<string, Other>()
  readonly #remembered = new Map<string, Remembered>()
  #counter = 0
  #own: SenderKey = { epoch: 1, step: 0, key: randomBytes(32) }
  #used = false
  #came = false
  #left = false

  constructor(options: IndependentOptions) {
    this.#options = options
    const { mode, room, identity } = options
    this.#keys = roomKeys(mode, room, options.S)
    const x25519 = options.x25519 === true ? generateKeyPairSync('x25519') : undefined
    this.#x25519 = x25519?.privateKey
    const parts = [
      Uint8Array.of(1, MODE_CODES[mode]),
      big(2, options.protocol ?? 1),
      Uint8Array.of((x25519 ? HAS_X25519 : 0) | (identity ? HAS_IDENTITY : 0)),
      Buffer.from(options.instance, 'hex'),
      this.#p256.generateKeys(),
    ]
    if (x25519 !== undefined) parts.push(rawX25519(x25519.publicKey))
    if (identity !== undefined) {
      parts.push(rawPoint(identity.publicKey))
      const signed = Buffer.concat([label('identity'), len(room), ...parts])
      parts.push(sign('sha256', signed, { key: identity.privateKey, dsaEncoding: 'ieee-p1363' }))
    }
    if (this.#keys.proof !== undefined) parts.push(hmac(this.#keys.proof, label('announce'), len(room), ...parts))
    this.announcement = Buffer.concat(parts).toString('base64url')
    const own = Buffer.from(options.instance, 'hex')
    const keys = this.#keys
    this.announced = readAnnouncement(this.announcement, { mode, room, keys, instance: own, own: Buffer.alloc(16) })
  }

  get id(): string {
    return this.#options.id
  }

  get senderKey(): SenderKey {
    return this.#own
  }

  /** A member that the server shows. Throws a {@link Refusal}. */
  admit(shown: Shown): Announced {
    const before = this.#remembered.get(shown.instance)
    const announced = readAnnouncement(shown.seal, {
      mode: this.#options.mode,
      room: this.#options.room,
      keys: this.#keys,
      instance: Buffer.from(shown.instance, 'hex'),
      own: this.announced.instance,
      ...(before && { before: before.announcement }),
    })
    const shared = this.#shared(announced)
    const [mine, its] = [len(this.announced.bytes), len(announced.bytes)]
    const [myId, itsId] = [Buffer.from(this.id, 'hex'), Buffer.from(shown.id, 'hex')]
    const first = Buffer.compare(this.announced.instance, announced.instance) < 0
    const both = first ? [mine, myId, its, itsId] : [its, itsId, mine, myId]
    const transcript = sha256(label('transcript'), len(this.#options.room), ...both)
    const link = hkdf(shared, this.#keys.linkSalt, Buffer.concat([label('link'), transcript]), 64)
    const [toSecond, toFirst] = [link.subarray(0, 32), link.subarray(32)]
    this.#others.set(shown.id, {
      announced,
      sending: first ? toSecond : toFirst,
      receiving: first ? toFirst : toSecond,
      floor: before?.newest ?? 0,
      since: this.#counter,
    })
    if (before === undefined) {
      this.#remembered.set(shown.instance, {
        announcement: announced.bytes,
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
        const plain = isGreeting(frame) ? Buffer.concat([frame, big(8, other.since)]) : frame
        return { to: id, payload: this.#linkRecord(1, other, plain) }
      })
    }
    const own = this.#ownKey()
    const keys = to.flatMap((id) => {
      const other = this.#other(id)
      const { given } = other
      if (given?.epoch === own.epoch && own.step - given.step <= STEPS_AHEAD) return []
      other.given = own
      const body = Buffer.concat([big(4, own.epoch), big(2, own.step), own.key])
      return [{ to: id, payload: this.#linkRecord(3, other, body) }]
    })
    this.#counter += 1
    const head = Buffer.concat([Uint8Array.of(2), big(4, own.epoch), big(2, own.step), big(8, this.#counter)])
    const key = groupKey(own, this.announced.instance, this.#options.room)
    return [...keys, { payload: encrypt(key, head, this.#counter, frame) }]
  }

  /** Opens what came from a member. Throws a {@link Refusal}. */
  open(from: string, payload: Uint8Array): Read {
    const other = this.#other(from)
    const record = Buffer.from(payload)
    const kind = record[0] ?? 0
    const headBytes = kind === 2 ? 15 : 9
    demand(kind >= 1 && kind <= 4 && record.length >= headBytes + 16, 'unsealed')
    const head = record.subarray(0, headBytes)
    const sealed = record.subarray(headBytes)
    const counter = Number(head.readBigUInt64BE(headBytes - 8))
    const remembered = this.#rememberedOf(other)
    if (kind === 2) {
      const [epoch, step] = [head.readUInt32BE(1), head.readUInt16BE(5)]
      return this.#openGroup(other, remembered, { head, epoch, step, counter, sealed })
    }
    const plain = decrypt(other.receiving, head, counter, sealed)
    if (kind === 1) {
      demand(!isForTheRoom(plain), 'forged')
      const since = isGreeting(plain) && plain.length > 8 ? Number(plain.readBigUInt64BE(plain.length - 8)) : 0
      demand(!isGreeting(plain) || (plain.length > 8 && since < counter), 'forged')
      this.#took(other, remembered, counter, !isSentAgain(plain))
      other.floor = Math.max(other.floor, since)
      return { frames: [isGreeting(plain) ? plain.subarray(0, -8) : plain] }
    }
    demand(plain.length === (kind === 3 ? 38 : 6), 'forged')
    this.#took(other, remembered, counter, true)
    const [epoch, step] = [plain.readUInt32BE(0), plain.readUInt16BE(4)]
    if (kind === 4) {
      this.held.push(`${from} ${epoch} ${step}`)
      return { frames: [] }
    }
    remembered.keys.push({ epoch, step, key: Buffer.from(plain.subarray(6)) })
    const waiting = remembered.waiting.splice(0)
    const frames = waiting.flatMap((one) => this.#openGroup(other, remembered, one).frames)
    return { frames, reply: this.#linkRecord(4, other, plain.subarray(0, 6)) }
  }

  #openGroup(other: Other, remembered: Remembered, record: Remembered['waiting'][number]): Read {
    const { head, epoch, step, counter, sealed } = record
    const nearest = remembered.keys
      .filter((key) => key.epoch === epoch && key.step <= step && step - key.step <= STEPS_AHEAD)
      .sort((one, two) => two.step - one.step)[0]
    if (nearest === undefined) {
      remembered.waiting.push(record)
      return { frames: [] }
    }
    let key = nearest
    while (key.step < step) key = nextStep(key)
    const frame = decrypt(groupKey(key, other.announced.instance, this.#options.room), head, counter, sealed)
    demand(isForTheRoom(frame), 'forged')
    if (key !== nearest) remembered.keys.push(key)
    this.#took(other, remembered, counter, false)
    return { frames: [frame] }
  }

  #took(other: Other, remembered: Remembered, counter: number, once: boolean): void {
    demand(counter > other.floor && counter > remembered.newest - 2 ** 31, 'replayed')
    if (once) {
      demand(!remembered.once.has(counter) && counter > Math.max(0, ...remembered.once) - 1_024, 'replayed')
      remembered.once.add(counter)
    }
    remembered.newest = Math.max(remembered.newest, counter)
  }

  #linkRecord(kind: number, to: Other, plain: Uint8Array): Buffer {
    this.#counter += 1
    return encrypt(to.sending, Buffer.concat([Uint8Array.of(kind), big(8, this.#counter)]), this.#counter, plain)
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

  #shared(announced: Announced): Buffer {
    try {
      if (this.#x25519 === undefined || announced.x25519 === undefined) return this.#p256.computeSecret(announced.p256)
      // It refuses a result of all zeros.
      return diffieHellman({ privateKey: this.#x25519, publicKey: x25519Key(announced.x25519) })
    } catch {
      throw new Refusal('seal-mismatch')
    }
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
