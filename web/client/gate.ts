/** Who counts as a member, and what of theirs does: announcements checked, frames sealed and opened, refusals told. */
import type { Address, InstanceId, MemberInfo, PeerId } from '../../signaling/protocol/index.ts'
import type { Clock } from './clock.ts'
import { PartylineError } from './errors.ts'
import type { AdmitMember, RefusedCode, SealingStats } from './face.ts'
import type { Sealed, Sealer } from './uplink/outbox.ts'

/** A room's keys. Absent in an open room. */
export interface Keys extends Pick<Sealer, 'overheadBytes'> {
  /** For the `seal` of the join. */
  readonly announcement: string
  admit(member: Pick<MemberInfo, 'id' | 'instance' | 'seal'>): Promise<Admission>
  /** The member is gone: what is sealed from now on is not for it. */
  left(id: PeerId): void
  safetyNumber(id: PeerId): Promise<string>
  seal(address: Address, receivers: readonly PeerId[], frame: Uint8Array): Promise<readonly Sealed[]>
  open(from: PeerId, payload: Uint8Array): Promise<Opened>
}

export interface KeysWanted {
  readonly mode: 'link' | 'secret'
  readonly room: string
  readonly instance: InstanceId
  /** The newest version of the wire that we speak. */
  readonly protocol: number
  readonly secret: Uint8Array | undefined
  readonly password: string | undefined
  readonly identity: CryptoKeyPair | undefined
}

export type MakeKeys = (wanted: KeysWanted) => Promise<Keys>

export type Admission = { readonly identity: string | undefined } | { readonly refused: RefusedCode }
/** Frames that can be had now: none of a record that is none, or that waits for its key. */
export type Opened = { readonly frames: readonly Uint8Array[] } | { readonly refused: RefusedCode }

export interface GateOptions {
  readonly clock: Clock
  readonly admit: AdmitMember | undefined
  /** Members that the relay reaches. */
  here(): Iterable<PeerId>
  refused(id: PeerId, error: PartylineError): void
}

/** For each member and code. */
const TELL_EVERY_MS = 1_000
const MOST_TOLD = 1_024
/** For the application, to say whom it admits. */
const ADMIT_MS = 5_000

const WHY: { readonly [Code in RefusedCode]: string } = {
  'wrong-secret': 'It has another secret or password than this room',
  'seal-mismatch': 'It seals in another way than this room, or not at all',
  'seal-changed': 'The server shows other keys of it than before',
  'identity-invalid': 'It does not hold the identity that it shows',
  'not-admitted': 'The application did not admit it',
  unsealed: 'What came by the server is not sealed',
  forged: 'What came by the server does not open: it was altered, or is from somebody else',
  replayed: 'What came by the server came before',
}

interface Known {
  readonly instance: InstanceId
  readonly identity: string | undefined
}

export class Gate {
  readonly #options: GateOptions
  #keys: Keys | undefined
  readonly #known = new Map<PeerId, Known>()
  /** In the room, and not let in. */
  readonly #strangers = new Set<PeerId>()
  readonly #told = new Map<string, number>()
  readonly #refused: { [Code in RefusedCode]?: number } = {}
  #sealed = 0
  #opened = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** From now on the room is sealed. */
  lock(keys: Keys): { readonly announcement: string; readonly sealer: Sealer } {
    this.#keys = keys
    const { announcement, overheadBytes } = keys
    return { announcement, sealer: { overheadBytes, seal: (address, frame) => this.#seal(keys, address, frame) } }
  }

  get stats(): SealingStats {
    return { sealed: this.#sealed, opened: this.#opened, refused: { ...this.#refused } }
  }

  get strangers(): ReadonlySet<PeerId> {
    return this.#strangers
  }

  /** Nobody who could prove it has the secret, and somebody who could not. */
  get wrongSecret(): boolean {
    return this.#known.size === 0 && (this.#refused['wrong-secret'] ?? 0) > 0
  }

  admits({ id, instance }: MemberInfo): boolean {
    return this.#known.get(id)?.instance === instance
  }

  identity(id: PeerId): string | undefined {
    return this.#known.get(id)?.identity
  }

  safetyNumber(id: PeerId): Promise<string | undefined> {
    return this.#keys?.safetyNumber(id) ?? Promise.resolve(undefined)
  }

  /** The server lists these, or these alone: look at their announcements, all at a time. What comes later waits. */
  look(members: readonly MemberInfo[], alone = false): void | Promise<void> {
    if (alone) this.#strangers.clear()
    if (this.#keys === undefined && this.#options.admit === undefined) {
      for (const member of members) this.#settle(member, checkOpen(member))
      return
    }
    return Promise.all(members.map((member) => this.#look(member))).then(() => undefined)
  }

  /** The server lists it no more, or as somebody else. */
  gone(id: PeerId, present: InstanceId | undefined): void {
    this.#strangers.delete(id)
    const known = this.#known.get(id)
    if (known === undefined || known.instance === present) return
    this.#known.delete(id)
    this.#keys?.left(id)
  }

  /** Of what came by the server: frames of a member. */
  open(from: PeerId, payload: Uint8Array): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    if (!this.#known.has(from)) return []
    return this.#keys === undefined ? [payload] : this.#open(this.#keys, from, payload)
  }

  async #open(keys: Keys, from: PeerId, payload: Uint8Array): Promise<readonly Uint8Array[]> {
    const opened = await keys.open(from, payload)
    if ('refused' in opened) {
      this.#refuse(from, opened.refused)
      return []
    }
    this.#opened += opened.frames.length
    return opened.frames
  }

  async #seal(keys: Keys, address: Address, frame: Uint8Array): Promise<readonly Sealed[]> {
    this.#sealed += 1
    return keys.seal(address, this.#receivers(address), frame)
  }

  #receivers(address: Address): readonly PeerId[] {
    if (address.kind === 'one') return [address.id]
    if (address.kind === 'several') return address.ids
    const here = [...this.#options.here()]
    return address.kind === 'all' ? here : here.filter((id) => !address.ids.includes(id))
  }

  async #look(member: MemberInfo): Promise<void> {
    const { id, instance } = member
    const keys = this.#keys
    const again = this.admits(member)
    if (!again) this.gone(id, instance)
    const admission =
      keys === undefined
        ? checkOpen(member)
        : member.seal === undefined
          ? ({ refused: 'seal-mismatch' } as const)
          : await keys.admit(member)
    if ('refused' in admission || again || (await this.#admit(member, admission.identity))) {
      this.#settle(member, admission)
      return
    }
    keys?.left(id)
    this.#settle(member, { refused: 'not-admitted' })
  }

  #settle(member: MemberInfo, admission: Admission): void {
    const { id, instance } = member
    if (!('refused' in admission)) {
      this.#strangers.delete(id)
      if (!this.admits(member)) this.#known.set(id, { instance, identity: admission.identity })
      return
    }
    // Who is in already stays, with the keys it came with.
    if (!this.admits(member)) this.#strangers.add(id)
    this.#refuse(id, admission.refused)
  }

  #admit({ id, userId, profile }: MemberInfo, identity: string | undefined): boolean | Promise<boolean> {
    const { admit, clock } = this.#options
    if (admit === undefined) return true
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(false), ADMIT_MS)
      const settle = (good: boolean): void => {
        clock.clearTimeout(timer)
        resolve(good)
      }
      // What it throws, too, is no.
      Promise.resolve({ id, userId, profile, identity })
        .then(admit)
        .then(settle, () => settle(false))
    })
  }

  #refuse(id: PeerId, code: RefusedCode): void {
    this.#refused[code] = (this.#refused[code] ?? 0) + 1
    const { clock, refused } = this.#options
    const key = id + code
    const nowMs = clock.now()
    if (nowMs - (this.#told.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return
    if (this.#told.size >= MOST_TOLD) this.#told.clear()
    this.#told.set(key, nowMs)
    refused(id, new PartylineError(code, WHY[code]))
  }
}

/** Who announces keys is not for an open room. */
const checkOpen = ({ seal }: MemberInfo): Admission => (seal === undefined ? { identity: undefined } : { refused: 'seal-mismatch' })
