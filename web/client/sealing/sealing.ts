/**
 * Sealing of what leaves by the relay, for one room: the only thing of this folder that the rest of the client uses.
 * SEALING.md is the construction.
 *
 *   RoomSealing      who is admitted, the one counter, what waits, and when keys are repeated
 *   `#standing`      by peer id: a `Member` with its link's keys, or that it is being looked at
 *   `Instance`       by instance: its announcement, which counters it has used, its sender keys; outlives its members
 *   `GivenKeys`      of one member: which of our sender keys it has
 *   `OwnSenderKeys`  the key of our next record to the room
 *
 * Sealed records of frames to the room are kept by frame here, those of unicast frames in their `Member`: as long as
 * whoever sends them again keeps the frame. Order is the caller's: it hands on what `seal` and `open` resolve with in
 * the order in which it called them.
 */
import {
  encodeText,
  type FillRandom,
  hexAt,
  type InstanceId,
  type Json,
  type PeerId,
} from '../../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from '../clock.ts'
import {
  type Announcement,
  announce,
  boundInstance,
  decodeAnnouncement,
  type OwnKeys,
  type RoomSeal,
  type SealedMode,
  type SealingRefusal,
  verifyAnnouncement,
} from './announcement.ts'
import { isForGroup, isGreeting, isRepeatable, splitSince, withSince } from './framing.ts'
import { GivenKeys } from './given-keys.ts'
import { type HeldKey, HeldKeys } from './held-keys.ts'
import { Instance, Instances } from './instances.ts'
import { type LinkKeys, linkKeys } from './link-keys.ts'
import { base64url, compare, counted, fromHex } from './octets.ts'
import { type OwnSenderKey, OwnSenderKeys } from './own-sender-keys.ts'
import type { Primitives, SigningKey } from './primitives.ts'
import { profileDigest } from './profile-digest.ts'
import {
  decodeKeyName,
  decodeRecord,
  encodeKeyName,
  openRecord,
  RECORD,
  type RecordHead,
  type RecordKind,
  sealRecord,
} from './records.ts'
import { type RoomKey, roomKey, stretch } from './room-key.ts'
import { WaitingRecords } from './waiting-records.ts'

/** Being opened at once. Beyond, it is as if the network had lost it. */
const OPENING_BYTES = 4_194_304
const MOST_AGE = 2 ** 31
const SENDER_KEY_BYTES = 32

export interface SealingOptions {
  readonly mode: SealedMode
  /** The room's name. */
  readonly room: string
  /** A function: it is told the one that follows from the keys, and says which it is to be. */
  readonly instance: InstanceId | ((bound: InstanceId) => InstanceId)
  /** Newest version of the wire spoken. */
  readonly protocol: number
  /** Mode `secret`: this, 16 to 64 bytes, or `password`. */
  readonly secret?: Uint8Array | undefined
  readonly password?: string | undefined
  readonly identity?: SigningKey | undefined
  /** That the first `join` asks for, as JSON has it; the announcement says its digest. */
  readonly profile?: Json
}

export interface SealingDeps {
  readonly primitives: Primitives
  readonly fillRandom: FillRandom
  readonly clock: Clock
  /** A key record that is repeated by itself, to be sent by the relay. */
  transmit(to: PeerId, payload: Uint8Array): void
  /**
   * Who has the keys of this instance is here: what was known of it was another's. These members showed that, and are
   * none any more. Default: nobody need know.
   */
  taken?(instance: InstanceId, from: readonly PeerId[]): void
}

/** What the server shows of a member. */
export interface ShownMember {
  readonly id: PeerId
  readonly instance: InstanceId
  readonly seal: string | undefined
}

export interface Verification {
  /** SHA-256 of its verified public key, as hex, if it has one. */
  readonly identity: string | undefined
  /** The digest of the profile that it came with, as base64url, if it says so. */
  readonly profile: string | undefined
}
export type Admitted = Verification | { readonly refused: SealingRefusal }

export interface SealedRecord {
  /** `undefined`: whom the frame was to go to. */
  readonly to: PeerId | undefined
  readonly payload: Uint8Array
}
/** To be sent in this order. None when no receiver is admitted. */
export type Sealed = readonly SealedRecord[]

export interface Opened {
  /** From the sender, in order: none, one, or those that had waited for the key that came. */
  readonly frames: readonly Uint8Array[]
  /** A record to be sent back to the sender. */
  readonly reply?: Uint8Array | undefined
  readonly refused?: SealingRefusal
}

interface Member extends LinkKeys {
  readonly id: PeerId
  readonly instanceId: InstanceId
  readonly instance: Instance
  readonly announcement: Announcement
  /** The instance follows from its keys. */
  readonly bound: boolean
  readonly verification: Verification
  given: GivenKeys
  /** Counters of its records up to this were an ended link's. */
  floor: number
  /** Our counter when the link to it began. */
  since: number
  readonly waiting: WaitingRecords
  sealed: WeakMap<Uint8Array, Uint8Array | Promise<Uint8Array>>
  /** Something under its link's key has opened: it is not another that shows this announcement. */
  proven: boolean
}

type Verified = Omit<Member, 'instance' | 'given' | 'waiting' | 'sealed' | 'floor' | 'since' | 'proven'>
type Standing = Member | Promise<unknown>

interface GroupRecord {
  readonly key: OwnSenderKey
  payload: Uint8Array | Promise<Uint8Array>
}

const NOTHING: Opened = { frames: [] }
const refused = (code: SealingRefusal): Opened => ({ frames: [], refused: code })
const isMember = (standing: Standing | undefined): standing is Member =>
  standing !== undefined && !(standing instanceof Promise)
const sameBytes = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && compare(a, b) === 0
export class RoomSealing {
  /** For `join.seal`: the same as long as this instance lives. */
  readonly announcement: string
  readonly #own: Announcement
  readonly #senderKeys: OwnSenderKeys
  readonly #instances = new Instances()
  readonly #standing = new Map<PeerId, Standing>()
  readonly #groupRecords = new WeakMap<Uint8Array, GroupRecord>()
  readonly #waiting = { bytes: 0 }
  /** Of two that are shown with one instance, the first one shown counts. */
  #entered: Promise<unknown> | undefined
  /** No member's before the welcome. */
  #self = '' as PeerId
  #counter = 0
  #openingBytes = 0
  #timer: TimerHandle | undefined
  #timerAtMs = Number.POSITIVE_INFINITY

  private constructor(
    readonly deps: SealingDeps,
    private readonly room: RoomSeal,
    readonly keys: OwnKeys,
    announcement: Uint8Array,
    private readonly linkSalt: Uint8Array,
    readonly profileKey: Uint8Array,
    private readonly roomHash: Uint8Array,
    /** Mode `secret` only. */
    readonly roomKey: RoomKey | undefined,
  ) {
    this.announcement = base64url(announcement)
    this.#own = decodeAnnouncement(this.announcement, room.mode) as Announcement
    this.#senderKeys = new OwnSenderKeys(deps.primitives, { instance: keys.instance, roomHash }, deps.fillRandom)
  }

  /** Makes this instance's keys. Some hundred ms with a password, else a few. */
  static async begin(options: SealingOptions, deps: SealingDeps): Promise<RoomSealing> {
    const { primitives } = deps
    const { mode, protocol, identity, secret, password } = options
    const name = encodeText(options.room)
    const room = counted(name)
    const makeKeys = async () => {
      const [p256, x25519] = await Promise.all([primitives.p256(), primitives.x25519()])
      const points = { p256: p256.publicKey, x25519: x25519?.publicKey, identity: identity?.publicKey }
      const bound = hexAt(await boundInstance(primitives, room, points), 0, 16) as InstanceId
      const { instance } = options
      return { p256, x25519, instance: fromHex(typeof instance === 'string' ? instance : instance(bound)) }
    }
    const [{ p256, x25519, instance }, roomHash, shared] = await Promise.all([
      makeKeys(),
      primitives.sha256(room),
      mode === 'link'
        ? undefined
        : (password === undefined ? Promise.resolve(secret as Uint8Array) : stretch(primitives, password, name)).then(
            (bytes) => roomKey(primitives, bytes, name),
          ),
    ])
    const none = new Uint8Array(32)
    const [proofKey, linkSalt, profileKey] = await Promise.all([
      shared?.derive('proof'),
      shared?.derive('salt') ?? none,
      shared?.derive('profile') ?? none,
    ])
    const seal: RoomSeal = { mode, room, proofKey }
    const profile =
      options.profile === undefined
        ? undefined
        : await profileDigest(primitives, profileKey, room, instance, options.profile)
    const keys: OwnKeys = { protocol, instance, p256, x25519, identity, profile }
    const announcement = await announce(primitives, seal, keys)
    return new RoomSealing(deps, seal, keys, announcement, linkSalt, profileKey, roomHash, shared)
  }

  /** Makes what the first message will need, while the server is waited for. */
  prepare(): void {
    this.#senderKeys.prepare()
  }

  /** With every welcome, before its members: who we are. Another id than before ends all links. */
  welcomed(self: PeerId): void {
    if (self !== this.#self) for (const id of [...this.#standing.keys()]) this.left(id)
    this.#self = self
  }

  /**
   * The server shows a member: it is one when this resolves without a refusal. Again for a member that is one changes
   * nothing, and refuses another announcement. What comes from it, and goes to it, meanwhile waits.
   */
  async admit(shown: ShownMember): Promise<Admitted> {
    const { id, instance, seal } = shown
    const before = this.#standing.get(id)
    if (isMember(before) && before.instanceId === instance) {
      const isSame = sameBytes(decodeAnnouncement(seal, this.room.mode)?.bytes, before.announcement.bytes)
      return isSame ? before.verification : { refused: 'seal-changed' }
    }
    this.left(id)
    const verifying = Promise.all([this.#verify(shown), this.#entered]).then(([verified]) => {
      // Not when it left, or was shown otherwise, meanwhile.
      if (this.#standing.get(id) !== verifying) return verified
      const standing = typeof verified === 'string' ? verified : this.#enter(verified)
      if (typeof standing === 'string') this.#standing.delete(id)
      else this.#standing.set(id, standing)
      return standing
    })
    this.#entered = verifying.catch(() => undefined)
    this.#standing.set(id, verifying)
    const standing = await verifying
    return typeof standing === 'string' ? { refused: standing } : standing.verification
  }

  async #verify({ id, instance: instanceId, seal }: ShownMember): Promise<Verified | SealingRefusal> {
    const { primitives } = this.deps
    const announcement = decodeAnnouncement(seal, this.room.mode)
    if (
      announcement === undefined ||
      hexAt(announcement.instance, 0, 16) !== instanceId ||
      hexAt(this.keys.instance, 0, 16) === instanceId
    ) {
      return 'seal-mismatch'
    }
    const own = await boundInstance(primitives, this.room.room, announcement)
    const bound = sameBytes(own, announcement.instance)
    if (this.#isTaken(instanceId, announcement, bound)) return 'seal-changed'
    const refusal = await verifyAnnouncement(primitives, this.room, announcement)
    if (refusal !== undefined) return refusal
    const room = { room: this.room.room, linkSalt: this.linkSalt }
    const [ours, theirs] = [
      { announcement: this.#own, id: fromHex(this.#self) },
      { announcement, id: fromHex(id) },
    ]
    const keys = await linkKeys(primitives, room, this.keys, ours, theirs).catch(() => undefined)
    if (keys === undefined) return 'seal-mismatch'
    const identity = announcement.identity && hexAt(await primitives.sha256(announcement.identity), 0, 32)
    const profile = announcement.profile && base64url(announcement.profile)
    return { ...keys, id, instanceId, announcement, bound, verification: { identity, profile } }
  }

  /** By another announcement. */
  #isTaken(instanceId: InstanceId, { bytes }: Announcement, bound: boolean): boolean {
    const known = this.#instances.get(instanceId)
    if (known === undefined || sameBytes(known.announcement, bytes)) return false
    // Of the same keys: whose they are shows when something opens.
    return !bound || (known.bound && known.newest > 0)
  }

  #enter(verified: Verified): Member | SealingRefusal {
    const { instanceId, announcement, bound } = verified
    // Another one of the same instance may have been faster.
    if (this.#isTaken(instanceId, announcement, bound)) return 'seal-changed'
    const known = this.#instances.get(instanceId)
    const isAnothers = bound && known?.bound === false
    if (isAnothers) this.#oust(instanceId, known)
    const owner = { instance: announcement.instance, roomHash: this.roomHash }
    const instance =
      (isAnothers ? undefined : known) ??
      new Instance(announcement.bytes, bound, new HeldKeys(this.deps.primitives, owner, this.deps.clock))
    this.#instances.enter(instanceId, instance)
    return {
      ...verified,
      instance,
      floor: instance.newest,
      since: this.#counter,
      given: new GivenKeys(this.#senderKeys.came()),
      waiting: new WaitingRecords(this.#waiting),
      sealed: new WeakMap(),
      proven: false,
    }
  }

  /** Who has its keys is here. */
  #oust(instanceId: InstanceId, known: Instance): void {
    const from: PeerId[] = []
    for (const [id, standing] of [...this.#standing]) {
      if (!isMember(standing) || standing.instance !== known) continue
      this.left(id)
      from.push(id)
    }
    this.deps.taken?.(instanceId, from)
  }

  /** The member is gone, or its link has ended, or the application does not admit it. */
  left(id: PeerId): void {
    const standing = this.#standing.get(id)
    this.#standing.delete(id)
    if (!isMember(standing)) return
    this.#senderKeys.left(standing.given.epoch)
    standing.waiting.clear()
    this.#instances.leave(standing.instanceId, standing.instance)
    this.#arm()
  }

  /**
   * The other side ended the link and began another: so do we. What we have sealed before does not go to it again; what
   * it sealed before its own beginning is refused from the greeting on that says so, which has come.
   */
  begunAgain(id: PeerId): void {
    const member = this.#standing.get(id)
    if (!isMember(member)) return
    member.since = this.#counter
    member.sealed = new WeakMap()
    member.given = new GivenKeys(this.#senderKeys.came(), member.given.epoch)
    this.#arm()
  }

  /** By which a member of this instance says that this profile is its own, as base64url. */
  async profileDigest(instance: InstanceId, profile: Json | undefined): Promise<string> {
    const { primitives } = this.deps
    return base64url(await profileDigest(primitives, this.profileKey, this.room.room, fromHex(instance), profile))
  }

  /** Digits that two people compare. `undefined` when `id` is not admitted. */
  async safetyNumber(id: PeerId): Promise<string | undefined> {
    const member = this.#standing.get(id)
    if (!isMember(member)) return undefined
    const { safetyNumber } = await import('./safety-number.ts')
    return safetyNumber(this.deps.primitives, this.#own, member.announcement)
  }

  /**
   * What is sent instead of `frame`. At once where it was sealed before. `frame` must not change any more; data,
   * fragments and `latest` are sealed once. Throws a RangeError when the instance has used up its counter.
   */
  seal(receivers: readonly PeerId[], frame: Uint8Array): Sealed | Promise<Sealed> {
    const members: Member[] = []
    for (const id of receivers) {
      const standing = this.#standing.get(id)
      if (standing instanceof Promise) return standing.then(() => this.seal(receivers, frame))
      if (isMember(standing)) members.push(standing)
    }
    if (members.length === 0) return []
    return isForGroup(frame) ? this.#sealToRoom(members, frame) : this.#sealToEach(members, frame)
  }

  #sealToRoom(members: readonly Member[], frame: Uint8Array): Sealed | Promise<Sealed> {
    const { clock } = this.deps
    let record = this.#groupRecords.get(frame)
    const sealedFor = record?.key.index ?? -1
    if (record === undefined || members.some(({ given }) => given.since > sealedFor)) {
      record = this.#groupRecord(frame)
      this.#groupRecords.set(frame, record)
    }
    const { key, payload } = record
    const now = clock.now()
    const keys: Promise<SealedRecord>[] = []
    for (const member of members) {
      const missing = member.given.missing(key, now)
      if (missing !== undefined) keys.push(this.#keyRecord(member, missing))
    }
    if (keys.length > 0) this.#arm()
    else if (payload instanceof Uint8Array) return [{ to: undefined, payload }]
    return Promise.all([...keys, Promise.resolve(payload).then((sealed) => ({ to: undefined, payload: sealed }))])
  }

  #groupRecord(frame: Uint8Array): GroupRecord {
    const key = this.#senderKeys.next()
    const counter = this.nextCounter()
    const record: GroupRecord = {
      key,
      payload: key.cipher
        .then((cipher) => sealRecord(cipher, RECORD.group, counter, frame, key))
        .then((payload) => {
          record.payload = payload
          return payload
        }),
    }
    return record
  }

  async #keyRecord(member: Member, key: OwnSenderKey): Promise<SealedRecord> {
    const plain = encodeKeyName(key, await key.bytes)
    return { to: member.id, payload: await this.#linkRecord(member, RECORD.key, plain) }
  }

  /** Rejects as `seal` throws. */
  async #linkRecord({ send }: Member, kind: RecordKind, plain: Uint8Array): Promise<Uint8Array> {
    return sealRecord(send, kind, this.nextCounter(), plain)
  }

  #sealToEach(members: readonly Member[], frame: Uint8Array): Sealed | Promise<Sealed> {
    const records: SealedRecord[] = []
    const late: Promise<SealedRecord>[] = []
    for (const member of members) {
      const { id: to } = member
      const payload = this.#unicast(member, frame)
      if (payload instanceof Uint8Array) records.push({ to, payload })
      else late.push(payload.then((sealed) => ({ to, payload: sealed })))
    }
    return late.length === 0 ? records : Promise.all(late).then((sealed) => [...records, ...sealed])
  }

  #unicast(member: Member, frame: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const before = member.sealed.get(frame)
    if (before !== undefined) return before
    const plain = isGreeting(frame) ? withSince(frame, member.since) : frame
    const payload = this.#linkRecord(member, RECORD.link, plain)
    if (isRepeatable(frame)) {
      member.sealed.set(frame, payload)
      payload.then(
        (sealed) => member.sealed.set(frame, sealed),
        () => member.sealed.delete(frame),
      )
    }
    return payload
  }

  /** For one sealing. Throws a RangeError when there is none left. */
  nextCounter(): number {
    if (this.#counter >= Number.MAX_SAFE_INTEGER) throw new RangeError('sealing-exhausted')
    this.#counter += 1
    return this.#counter
  }

  /** What a payload that came by the relay holds. Never rejects. */
  async open(from: PeerId, payload: Uint8Array): Promise<Opened> {
    if (this.#openingBytes + payload.length > OPENING_BYTES) return NOTHING
    this.#openingBytes += payload.length
    try {
      let standing = this.#standing.get(from)
      if (standing instanceof Promise) {
        await standing
        standing = this.#standing.get(from)
      }
      if (!isMember(standing)) return NOTHING
      const record = decodeRecord(payload)
      if (record === undefined) return refused('unsealed')
      // Nobody gets so far; and it is not exact.
      if (record.counter > Number.MAX_SAFE_INTEGER) return refused('forged')
      return await (record.kind === RECORD.group ? this.#openGroup(standing, record) : this.#openLink(standing, record))
    } finally {
      this.#openingBytes -= payload.length
    }
  }

  async #openLink(member: Member, record: RecordHead): Promise<Opened> {
    const plain = await openRecord(member.receive, record)
    if (plain === undefined) return refused('forged')
    if (record.kind === RECORD.link) {
      if (isForGroup(plain)) return refused('forged')
      const { frame, since } = isGreeting(plain) ? splitSince(plain) : { frame: plain, since: 0 }
      if (since >= record.counter) return refused('forged')
      if (this.#isReplayed(member, record, !isRepeatable(plain))) return refused('replayed')
      member.floor = Math.max(member.floor, since)
      if (member.proven) return { frames: [frame] }
      member.proven = true
      return this.#release(member, { frames: [frame] })
    }
    const name = decodeKeyName(plain, record.kind === RECORD.key ? SENDER_KEY_BYTES : 0)
    if (name === undefined) return refused('forged')
    if (this.#isReplayed(member, record, true)) return refused('replayed')
    member.proven = true
    if (record.kind === RECORD.held) {
      member.given.held(name)
      this.#arm()
      return this.#release(member, NOTHING)
    }
    member.instance.keys.add(name, name.key)
    // When our counter is used up, whatever is sent next ends the room.
    const reply = this.#linkRecord(member, RECORD.held, encodeKeyName(name)).catch(() => undefined)
    const opened = await this.#release(member, NOTHING)
    return { ...opened, reply: await reply }
  }

  /** What waited and need not any more, after `first`. */
  async #release(member: Member, first: Opened): Promise<Opened> {
    const released = member.waiting.take((record) => member.instance.keys.find(record) !== undefined)
    const opened = [first, ...(await Promise.all(released.map((record) => this.#openGroup(member, record))))]
    const refusal = opened.find((one) => one.refused !== undefined)?.refused
    return { frames: opened.flatMap(({ frames }) => frames), ...(refusal && { refused: refusal }) }
  }

  async #openGroup(member: Member, record: RecordHead): Promise<Opened> {
    const found = member.proven ? member.instance.keys.find(record) : undefined
    if (found === undefined) {
      if (record.counter <= member.floor) return refused('replayed')
      member.waiting.add(record)
      return NOTHING
    }
    const held: HeldKey = await found
    const plain = await openRecord(await held.cipher, record)
    if (plain === undefined || !isForGroup(plain)) return refused('forged')
    if (this.#isReplayed(member, record, false)) return refused('replayed')
    member.instance.keys.keep(held)
    return { frames: [plain] }
  }

  /** Of a record that has opened. `once`: its frame has no number by which streams would know it. */
  #isReplayed({ instance, floor, announcement }: Member, { counter }: RecordHead, once: boolean): boolean {
    if (counter <= floor || counter <= instance.newest - MOST_AGE) return true
    if (once && !instance.take(counter)) return true
    if (instance.newest === 0) instance.announcement = announcement.bytes
    instance.newest = Math.max(instance.newest, counter)
    return false
  }

  /** Key records are repeated until they are held: one timer for all, and none when nothing waits. */
  #arm(): void {
    const { clock } = this.deps
    let dueAtMs = Number.POSITIVE_INFINITY
    for (const standing of this.#standing.values()) {
      if (isMember(standing)) dueAtMs = Math.min(dueAtMs, standing.given.dueAtMs)
    }
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
    const now = this.deps.clock.now()
    for (const [id, member] of this.#standing) {
      if (!isMember(member)) continue
      for (const key of member.given.takeDue(now)) {
        this.#keyRecord(member, key).then(
          ({ payload }) => {
            if (this.#standing.get(id) === member) this.deps.transmit(id, payload)
          },
          () => undefined,
        )
      }
    }
    this.#arm()
  }

  /** The room is closed: nothing is sealed or opened any more. */
  close(): void {
    this.#standing.clear()
    this.#arm()
  }
}
