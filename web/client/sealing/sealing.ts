/**
 * Sealing of what leaves by the relay, for one room: the only thing of this folder that the rest of the client uses.
 * SEALING.md is the construction.
 *
 *   RoomSealing      who is admitted: by peer id, a `Member`, or that it is being looked at
 *   `RoomSecrets`    our own keys, and what follows from the room's
 *   `verifyMember`   whether what the server shows of a member holds
 *   `Instance`       by instance: its announcement, which counters it has used, its sender keys; outlives its members
 *   `LinkSealer`     of one member: what is sealed for it alone
 *   `GroupSealer`    what is sealed for the room, and which of our sender keys who has been given
 *   `LinkOpener`     of one member: what it has sealed
 *
 * Order is the caller's: it hands on what `seal` and `open` resolve with in the order in which it called them.
 */
import type { InstanceId, Json, PeerId } from '../../../signaling/protocol/index.ts'
import { decodeAnnouncement, type SealingRefusal } from './announcement.ts'
import { isForGroup } from './framing.ts'
import { GroupSealer, type GroupSealerDeps } from './group-sealer.ts'
import { HeldKeys } from './held-keys.ts'
import { Instance, Instances } from './instances.ts'
import { LinkOpener, NOTHING, type Opened, refused } from './link-opener.ts'
import { LinkSealer, type Sealed, sealToEach } from './link-sealer.ts'
import { base64url, compare, fromHex } from './octets.ts'
import { profileDigest } from './profile-digest.ts'
import { RecordCounter } from './record-counter.ts'
import { decodeRecord } from './records.ts'
import { makeSecrets, type RoomSecrets, type SealingOptions } from './room-secrets.ts'
import { type ShownMember, type Verification, type VerifiedMember, verifyMember } from './verify-member.ts'
import { WaitingRecords } from './waiting-records.ts'

export type { Opened, Sealed, SealingOptions, Verification }

/** Being opened at once. Beyond, it is as if the network had lost it. */
const OPENING_BYTES = 4_194_304

export interface SealingDeps extends GroupSealerDeps {
  /**
   * Who has the keys of this instance is here: what was known of it was another's. These members showed that, and are
   * none any more. Default: nobody need know.
   */
  taken?(instance: InstanceId, from: readonly PeerId[]): void
}

export type Admitted = Verification | { readonly refused: SealingRefusal }

interface Member extends Pick<VerifiedMember, 'announcement' | 'verification'> {
  readonly instanceId: InstanceId
  readonly instance: Instance
  readonly sealer: LinkSealer
  readonly opener: LinkOpener
}
type Standing = Member | Promise<unknown>

const isMember = (standing: Standing | undefined): standing is Member =>
  standing !== undefined && !(standing instanceof Promise)

export class RoomSealing {
  /** For `join.seal`: the same as long as this instance lives. */
  readonly announcement: string
  readonly #counter = new RecordCounter()
  readonly #group: GroupSealer
  readonly #instances = new Instances()
  readonly #standing = new Map<PeerId, Standing>()
  readonly #waiting = { bytes: 0 }
  /** Of two that are shown with one instance, the first one shown counts. */
  #entered: Promise<unknown> | undefined
  /** No member's before the welcome. */
  #self = '' as PeerId
  #openingBytes = 0

  private constructor(
    readonly deps: SealingDeps,
    readonly secrets: RoomSecrets,
  ) {
    const { own, roomHash } = secrets
    this.announcement = base64url(own.bytes)
    this.#group = new GroupSealer(deps, { instance: own.instance, roomHash }, this.#counter)
  }

  /** Makes this instance's keys. Some hundred ms with a password, else a few. */
  static async begin(options: SealingOptions, deps: SealingDeps): Promise<RoomSealing> {
    return new RoomSealing(deps, await makeSecrets(deps.primitives, options))
  }

  /** Makes what the first message will need, while the server is waited for. */
  prepare(): void {
    this.#group.prepare()
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
    const { deps, secrets } = this
    const before = this.#standing.get(id)
    if (isMember(before) && before.instanceId === instance) {
      const again = decodeAnnouncement(seal, secrets.seal.mode)?.bytes
      const isSame = again !== undefined && compare(again, before.announcement.bytes) === 0
      return isSame ? before.verification : { refused: 'seal-changed' }
    }
    this.left(id)
    const verifying = Promise.all([
      verifyMember(deps.primitives, secrets, this.#self, shown, this.#instances),
      this.#entered,
    ]).then(([verified]) => {
      // Not when it left, or was shown otherwise, meanwhile.
      if (this.#standing.get(id) !== verifying) return verified
      const standing = typeof verified === 'string' ? verified : this.#enter(shown, verified)
      if (typeof standing === 'string') this.#standing.delete(id)
      else this.#standing.set(id, standing)
      return standing
    })
    this.#entered = verifying.catch(() => undefined)
    this.#standing.set(id, verifying)
    const standing = await verifying
    return typeof standing === 'string' ? { refused: standing } : standing.verification
  }

  #enter({ id, instance: instanceId }: ShownMember, verified: VerifiedMember): Member | SealingRefusal {
    const { announcement, bound, verification, send, receive } = verified
    const { bytes } = announcement
    // Another one of the same instance may have been faster.
    if (this.#instances.isTaken(instanceId, bytes, bound)) return 'seal-changed'
    const known = this.#instances.get(instanceId)
    const isAnothers = bound && known?.bound === false
    if (isAnothers) this.#oust(instanceId, known)
    const { primitives, clock } = this.deps
    const owner = { instance: announcement.instance, roomHash: this.secrets.roomHash }
    const instance =
      (isAnothers ? undefined : known) ?? new Instance(bytes, bound, new HeldKeys(primitives, owner, clock))
    this.#instances.enter(instanceId, instance)
    const sealer = new LinkSealer(id, send, this.#counter)
    this.#group.begun(sealer)
    const opener = new LinkOpener(receive, instance, bytes, new WaitingRecords(this.#waiting), {
      held: (name) => this.#group.held(sealer, name),
      given: (name) => sealer.held(name),
    })
    return { instanceId, announcement, verification, instance, sealer, opener }
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
    const { sealer, opener, instanceId, instance } = standing
    this.#group.ended(sealer)
    opener.close()
    this.#instances.leave(instanceId, instance)
  }

  /**
   * The other side ended the link and began another: so do we. What we have sealed before does not go to it again; what
   * it sealed before its own beginning is refused from the greeting on that says so, which has come.
   */
  begunAgain(id: PeerId): void {
    const member = this.#standing.get(id)
    if (!isMember(member)) return
    member.sealer.beginAgain()
    this.#group.begun(member.sealer)
  }

  /** By which a member of this instance says that this profile is its own, as base64url. */
  async profileDigest(instance: InstanceId, profile: Json | undefined): Promise<string> {
    const { profileKey, seal } = this.secrets
    return base64url(await profileDigest(this.deps.primitives, profileKey, seal.room, fromHex(instance), profile))
  }

  /** Digits that two people compare. `undefined` when `id` is not admitted. */
  async safetyNumber(id: PeerId): Promise<string | undefined> {
    const member = this.#standing.get(id)
    if (!isMember(member)) return undefined
    const { safetyNumber } = await import('./safety-number.ts')
    return safetyNumber(this.deps.primitives, this.secrets.own, member.announcement)
  }

  /**
   * What is sent instead of `frame`. At once where it was sealed before. `frame` must not change any more; data,
   * fragments and `latest` are sealed once. Throws a RangeError when the instance has used up its counter.
   */
  seal(receivers: readonly PeerId[], frame: Uint8Array): Sealed | Promise<Sealed> {
    const links: LinkSealer[] = []
    for (const id of receivers) {
      const standing = this.#standing.get(id)
      if (standing instanceof Promise) return standing.then(() => this.seal(receivers, frame))
      if (isMember(standing)) links.push(standing.sealer)
    }
    if (links.length === 0) return []
    return isForGroup(frame) ? this.#group.seal(links, frame) : sealToEach(links, frame)
  }

  /** For one sealing. Throws a RangeError when there is none left. */
  nextCounter(): number {
    return this.#counter.next()
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
      return await standing.opener.open(record)
    } finally {
      this.#openingBytes -= payload.length
    }
  }

  /** The room is closed: nothing is sealed or opened any more. */
  close(): void {
    this.#standing.clear()
    this.#group.close()
  }
}
