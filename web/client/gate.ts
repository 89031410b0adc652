/**
 * Who counts as a member, and what of theirs does: announcements checked, frames sealed and opened, refusals told.
 *
 * Whom the server lists is one of these here, by its id:
 *
 *   looked at  its announcement is checked and its profile opened: milliseconds, for which all that comes later waits
 *   asked      both are good, and the application has not said yet whether it is let in: `Newcomers` keeps what it sends
 *   known      let in
 *   stranger   not let in: it gets nothing, and is not heard. Who is looked at or asked about is one as well
 *
 *   looked at → stranger      its announcement is refused, or the application says no at once
 *             → known         the application says yes at once, or is not to be asked
 *             → asked         it says so later
 *   asked     → asked         shown again as the same instance: with the profile it has then, and not asked about again
 *             → known         yes: the link to it begins, and what it has sent is opened, before anything newer of it
 *             → stranger      no, an error, or nothing in 5 s: what it has sent is dropped
 *   any       → nothing       it left, or is another instance, or we are somebody else, or the room is closed: what is
 *                             kept of it is dropped, and whatever the application answers then is about nobody
 *
 * An answer counts in its turn: after what came before it (`decided`, `settle`).
 */
import {
  type Address,
  type InstanceId,
  type Json,
  type MemberInfo,
  type PeerId,
  VERSION,
} from '../../signaling/protocol/index.ts'
import { PartylineError } from './errors.ts'
import type { AdmitMember, RefusedCode, SealingMode, SealingStats } from './face.ts'
import { Newcomers } from './newcomers.ts'
import type { RoomWorld } from './room-world.ts'
import type { Primitives } from './sealing/primitives.ts'
import type { Profiles } from './sealing/profiles.ts'
import { RECORD, SEALED_BYTES } from './sealing/records.ts'
import type * as SealedProfiles from './sealing/sealed-profile.ts'
import { RoomSealing, type SealingDeps, type SealingOptions, type Verification } from './sealing/sealing.ts'
import type { Sealed, Sealer } from './uplink/outbox.ts'

export interface GateDeps extends Pick<SealingDeps, 'clock' | 'fillRandom' | 'taken'> {
  readonly primitives: Primitives | undefined
  readonly sealedProfiles?: RoomWorld['sealedProfiles']
  /** Hand to the uplink what is sealed already. */
  transmit(to: PeerId, payload: Uint8Array): void
  /** Members that the relay reaches. */
  here(): Iterable<PeerId>
  refused(id: PeerId, error: PartylineError): void
  /** The server shows this of a member, which announced the digest of a profile. */
  shown(member: MemberInfo, announced: string | undefined): void
  /** The application has answered: `settle` is to be called when all that came before has been taken. */
  decided(id: PeerId): void
  /** The room cannot go on. */
  failed(error: PartylineError): void
}

export interface GateOptions extends Pick<SealingOptions, 'room' | 'instance' | 'secret' | 'password'> {
  readonly sealing: SealingMode
  readonly identity: CryptoKeyPair | undefined
  readonly admit: AdmitMember | undefined
  readonly profile: Json
  readonly sealProfile: boolean
}

type Admission = Verification | { readonly refused: RefusedCode }

/** What the server is told with the first join. */
export interface Locked {
  readonly announcement: string
  readonly sealer: Sealer
  readonly profile: Json
}

const INSECURE =
  "Sealing needs a page opened by https or on localhost; without, everybody must enter with sealing: 'open'"
/** For each member and code. */
const TELL_EVERY_MS = 1_000
const MOST_TOLD = 1_024

type Members = readonly MemberInfo[] | Promise<readonly MemberInfo[]>

type Opening = readonly Uint8Array[] | Promise<readonly Uint8Array[]>

interface Known {
  readonly instance: InstanceId
  readonly identity: string | undefined
}

export class Gate {
  readonly #options: GateOptions
  readonly #deps: GateDeps
  #keys: RoomSealing | undefined
  #locked: Promise<Locked> | undefined
  #self: PeerId | undefined
  #known = new Map<PeerId, Known>()
  readonly newcomers: Newcomers
  /** In the room, and not let in. */
  readonly #strangers = new Set<PeerId>()
  /** Since they were looked at last, the instance that they show has turned out to be another's. */
  readonly #ousted = new Set<PeerId>()
  /** Once they are loaded. */
  profiles: Profiles | undefined
  readonly #told = new Map<string, number>()
  readonly #refused: { [Code in RefusedCode]?: number } = {}
  #closed = false
  #sealed = 0
  #opened = 0

  constructor(options: GateOptions, deps: GateDeps) {
    this.#options = options
    this.#deps = deps
    this.newcomers = new Newcomers(deps.clock, deps.decided)
  }

  /** Makes the keys, if the room is sealed: once. Rejects with the PartylineError that ends it. */
  lock(): Promise<Locked> {
    this.#locked ??= this.#lock()
    return this.#locked
  }

  async #lock(): Promise<Locked> {
    const { sealing: mode, identity, ...options } = this.#options
    const { primitives } = this.#deps
    const fatal = (code: 'insecure-context' | 'unsupported', text: string, cause?: unknown): PartylineError =>
      new PartylineError(code, text, { fatal: true, cause })
    if (primitives === undefined || mode === 'open') throw fatal('insecure-context', INSECURE)
    try {
      const signer = identity && (await import('./sealing/identity.ts')).signingKey(identity)
      const wanted = { ...options, mode, protocol: VERSION.max, identity: await signer }
      const keys = await RoomSealing.begin(wanted, {
        ...this.#deps,
        primitives,
        taken: (instance, from) => this.#taken(instance, from),
      })
      this.#keys = keys
      keys.prepare()
      return {
        announcement: keys.announcement,
        profile: this.sealsProfile ? await this.#sealedProfile(keys, options.profile) : options.profile,
        sealer: { overheadBytes: SEALED_BYTES, seal: (address, frame) => this.#seal(keys, address, frame) },
      }
    } catch (cause) {
      throw fatal('unsupported', `No keys could be made: ${cause}`, cause)
    }
  }

  close(): void {
    this.#closed = true
    this.newcomers.close()
    this.#keys?.close()
  }

  get sealsProfile(): boolean {
    return this.#options.sealProfile
  }

  /** Our profile is this: the server is told what it is to show. */
  show(profile: Json, tell: (shown: Json) => Promise<void>): Promise<void> {
    if (!this.sealsProfile) return tell(profile)
    return this.lock()
      .then(() => this.#sealedProfile(this.#keys as RoomSealing, profile))
      .then(tell)
  }

  #sealedProfiles(): Promise<typeof SealedProfiles> {
    return this.#deps.sealedProfiles?.() ?? import('./sealing/sealed-profile.ts')
  }

  async #sealedProfile(keys: RoomSealing, profile: Json): Promise<Json> {
    return (await this.#sealedProfiles()).sealProfile(keys, profile)
  }

  /** The profile of a member, from what the server shows. Without the code for it, a sealed one does not open: null. */
  async profileOf(instance: InstanceId, shown: Json): Promise<Json> {
    const keys = this.#keys
    const isSealed = this.#options.sealing === 'secret' && (shown as { sealed?: unknown } | null)?.sealed !== undefined
    if (keys === undefined || !isSealed) return shown
    return this.#sealedProfiles().then(
      ({ openProfile }) => openProfile(keys, instance, shown),
      () => null,
    )
  }

  /** By which its member says which profile is its own. `undefined` in an open room. */
  async digest(instance: InstanceId, profile: Json): Promise<string | undefined> {
    return this.#keys?.profileDigest(instance, profile)
  }

  profileVerified(id: PeerId): boolean | undefined {
    return this.profiles?.verified(id)
  }

  /** The other side ended the link and has begun another, as we do. */
  begunAgain(id: PeerId): void {
    this.#keys?.begunAgain(id)
  }

  /** Once locked, in a sealed room. */
  get keys(): RoomSealing | undefined {
    return this.#keys
  }

  get stats(): SealingStats {
    return { sealed: this.#sealed, opened: this.#opened, refused: { ...this.#refused } }
  }

  get strangers(): ReadonlySet<PeerId> {
    return this.#strangers
  }

  /** Nobody who could prove it has the secret, let in or not, and somebody who could not. */
  get wrongSecret(): boolean {
    const { 'wrong-secret': wrong, 'not-admitted': unwanted, 'identity-invalid': invalid } = this.#refused
    const nobody = this.#known.size === 0 && this.newcomers.over === undefined
    return nobody && wrong !== undefined && unwanted === undefined && invalid === undefined
  }

  admits({ id, instance }: MemberInfo): boolean {
    return this.#known.get(id)?.instance === instance
  }

  /** The application has not said yet whether it is let in. */
  asks({ id, instance }: MemberInfo): boolean {
    return this.newcomers.get(id)?.member.instance === instance
  }

  identity(id: PeerId): string | undefined {
    return this.#known.get(id)?.identity
  }

  safetyNumber(id: PeerId): Promise<string | undefined> {
    return this.#keys?.safetyNumber(id) ?? Promise.resolve(undefined)
  }

  /** The server lists these alone, and us. As `look`. */
  welcomed(self: PeerId, members: readonly MemberInfo[]): Members {
    const before = this.#known
    // Under another id, everything begins anew; nobody is asked about twice.
    if (this.#self !== self) {
      this.#known = new Map()
      this.newcomers.close()
      this.profiles?.close()
    }
    this.#self = self
    this.#keys?.welcomed(self)
    return this.listed(members, before)
  }

  listed(members: readonly MemberInfo[], before?: ReadonlyMap<PeerId, Known>): Members {
    const listed = new Set(members.map(({ id }) => id))
    for (const id of this.#strangers) if (!listed.has(id)) this.#strangers.delete(id)
    return this.look(members, before)
  }

  /**
   * The server lists these: look at their announcements, all at a time. What comes later waits for that. They come back
   * with their profiles opened. `before`: whom the application has let in.
   */
  look(members: readonly MemberInfo[], before?: ReadonlyMap<PeerId, Known>): Members {
    if (this.#keys === undefined && this.#options.admit === undefined) {
      for (const member of members) {
        const admission = checkOpen(member)
        if ('refused' in admission) {
          if (!this.admits(member)) this.#strangers.add(member.id)
          this.refuse(member.id, admission.refused)
        } else this.#decide(member, admission, true)
      }
      return members
    }
    return Promise.all(members.map((member) => this.#look(member, before)))
  }

  /** The server lists it no more, or as somebody else. */
  gone(id: PeerId, present: InstanceId | undefined): void {
    const instance = this.#known.get(id)?.instance ?? this.newcomers.get(id)?.member.instance
    if (instance !== undefined && instance === present) return
    this.#strangers.delete(id)
    this.#ousted.delete(id)
    if (instance === undefined) return
    this.newcomers.drop(id)
    this.#known.delete(id)
    this.profiles?.gone(id)
    this.#keys?.left(id)
  }

  /** Of what came by the server: frames of a member. */
  open(from: PeerId, payload: Uint8Array): Opening {
    if (!this.#known.has(from)) {
      this.newcomers.hold(from, payload)
      return []
    }
    return this.#keys === undefined ? [payload] : this.#open(this.#keys, from, payload)
  }

  async #open(keys: RoomSealing, from: PeerId, payload: Uint8Array): Promise<readonly Uint8Array[]> {
    const { frames, reply, refused } = await keys.open(from, payload)
    if (refused !== undefined) this.refuse(from, refused)
    if (reply !== undefined) this.#deps.transmit(from, reply)
    this.#opened += frames.length
    return frames
  }

  async #seal(keys: RoomSealing, address: Address, frame: Uint8Array): Promise<readonly Sealed[]> {
    this.#sealed += 1
    try {
      const records = await keys.seal(this.#receivers(address), frame)
      return records.map(({ to, payload }) => ({
        to: to === undefined ? address : { kind: 'one', id: to },
        payload,
        lasting: payload[0] === RECORD.key,
      }))
    } catch (cause) {
      const text = 'The keys are used up: enter the room again'
      if (cause instanceof RangeError) {
        this.#deps.failed(new PartylineError('sealing-exhausted', text, { fatal: true, cause }))
      }
      return []
    }
  }

  #receivers(address: Address): readonly PeerId[] {
    if (address.kind === 'one') return [address.id]
    if (address.kind === 'several') return address.ids
    const here = [...this.#deps.here()]
    return address.kind === 'all' ? here : here.filter((id) => !address.ids.includes(id))
  }

  async #look(shown: MemberInfo, before?: ReadonlyMap<PeerId, Known>): Promise<MemberInfo> {
    const { id, instance, seal, profile } = shown
    const keys = this.#keys
    this.#ousted.delete(id)
    const isIn = this.admits(shown)
    const isAsked = this.asks(shown)
    // Who is the same, and asked about, stays; but the server may not have listed it for a while.
    if (!isIn) {
      this.gone(id, instance)
      this.#strangers.add(id)
    }
    const admission = keys === undefined ? checkOpen(shown) : await keys.admit({ id, instance, seal })
    const isRefused = 'refused' in admission
    // Who is in already stays, with the keys it came with.
    if (isRefused) this.refuse(id, admission.refused)
    if (isRefused && !isIn && !isAsked) return shown
    const member = { ...shown, profile: await this.profileOf(instance, profile) }
    const asked = this.newcomers.get(id)
    if (asked !== undefined) asked.member = member
    else if (isRefused) this.#deps.shown(member, undefined)
    else {
      const answer = isIn || (await this.#ask(member, admission, before?.get(id)))
      if (this.#ousted.has(id)) {
        this.newcomers.drop(id)
        if (!isIn) this.refuse(id, 'seal-changed')
      } else if (answer !== undefined) this.#decide(member, admission, answer)
    }
    return member
  }

  /** Whether it is let in. `undefined`: `decided` will tell. */
  async #ask(member: MemberInfo, verification: Verification, before: Known | undefined): Promise<boolean | undefined> {
    const { admit } = this.#options
    const { id, userId, profile, instance } = member
    const { identity, profile: said } = verification
    if (admit === undefined || (before?.instance === instance && before.identity === identity)) return true
    const profileVerified = said === undefined ? undefined : said === (await this.digest(instance, profile))
    if (this.#closed) return undefined
    try {
      const answer = admit({ id, userId, profile, identity, profileVerified })
      if (typeof answer === 'boolean') return answer
      this.newcomers.ask(member, verification, Promise.resolve(answer))
      return undefined
    } catch {
      return false
    }
  }

  #taken(instance: InstanceId, from: readonly PeerId[]): void {
    for (const id of from) {
      this.#ousted.add(id)
      const isAsked = this.newcomers.get(id) !== undefined
      this.newcomers.drop(id)
      // Who is being looked at is refused there.
      if (!this.#known.delete(id) && !isAsked) continue
      this.#strangers.add(id)
      this.profiles?.gone(id)
      this.refuse(id, 'seal-changed')
    }
    this.#deps.taken?.(instance, from)
  }

  #decide(member: MemberInfo, { identity, profile }: Verification, isIn: boolean): void {
    const { id, instance } = member
    if (isIn) {
      this.#strangers.delete(id)
      this.#known.set(id, { instance, identity })
      if (this.#keys) this.#deps.shown(member, profile)
    } else {
      this.#keys?.left(id)
      this.refuse(id, 'not-admitted')
    }
  }

  /** In the turn of `decided`: what it has sent, if it is let in. `undefined`: it is gone, and nothing has changed. */
  settle(id: PeerId): Opening | undefined {
    const asked = this.newcomers.answered(id)
    if (asked === undefined) return undefined
    const { member, verification, frames, answer = false } = asked
    this.#decide(member, verification, answer)
    if (!answer) return []
    // So that it is never given a key by which anything opens that was sealed while it was asked about.
    this.begunAgain(id)
    const keys = this.#keys
    if (keys === undefined) return frames
    return Promise.all(frames.map((frame) => this.#open(keys, id, frame))).then((opened) => opened.flat())
  }

  /** Something of this member was refused. */
  refuse(id: PeerId, code: RefusedCode): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1
    const { clock, refused } = this.#deps
    const key = id + code
    const nowMs = clock.now()
    if (nowMs - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return
    if (this.#told.size >= MOST_TOLD) this.#told.clear()
    this.#told.set(key, nowMs)
    refused(id, new PartylineError(code, `Refused, of a member: ${code}`))
  }
}

/** Who announces keys is not for an open room. */
const checkOpen = ({ seal }: MemberInfo): Admission =>
  seal === undefined ? { identity: undefined, profile: undefined } : { refused: 'seal-mismatch' }
