/** Who counts as a member, and what of theirs does: announcements checked, frames sealed and opened, refusals told. */
import { type Address, type InstanceId, type MemberInfo, type PeerId, VERSION } from '../../signaling/protocol/index.ts'
import { PartylineError } from './errors.ts'
import type { AdmitMember, RefusedCode, SealingMode, SealingStats } from './face.ts'
import type { Primitives } from './sealing/primitives.ts'
import { RECORD, SEALED_BYTES } from './sealing/records.ts'
import { type Admitted, RoomSealing, type SealingDeps, type SealingOptions } from './sealing/sealing.ts'
import type { Sealed, Sealer } from './uplink/outbox.ts'

export interface GateDeps extends Pick<SealingDeps, 'clock' | 'fillRandom'> {
  readonly primitives: Primitives | undefined
  /** Hand to the uplink what is sealed already. */
  transmit(to: PeerId, payload: Uint8Array): void
  /** Members that the relay reaches. */
  here(): Iterable<PeerId>
  refused(id: PeerId, error: PartylineError): void
  /** The room cannot go on. */
  failed(error: PartylineError): void
}

export interface GateOptions extends Pick<SealingOptions, 'room' | 'instance' | 'secret' | 'password'> {
  readonly sealing: SealingMode
  readonly identity: CryptoKeyPair | undefined
  readonly admit: AdmitMember | undefined
}

type Admission = Exclude<Admitted, { readonly refused: unknown }> | { readonly refused: RefusedCode }

const INSECURE =
  "Sealing needs a page opened by https or on localhost; without, everybody must enter with sealing: 'open'"
/** For each member and code. */
const TELL_EVERY_MS = 1_000
const MOST_TOLD = 1_024
/** For the application, to say whom it admits. */
const ADMIT_MS = 5_000

interface Known {
  readonly instance: InstanceId
  readonly identity: string | undefined
}

export class Gate {
  readonly #options: GateOptions
  readonly #deps: GateDeps
  #keys: RoomSealing | undefined
  #self: PeerId | undefined
  readonly #known = new Map<PeerId, Known>()
  /** In the room, and not let in. */
  readonly #strangers = new Set<PeerId>()
  readonly #told = new Map<string, number>()
  readonly #refused: { [Code in RefusedCode]?: number } = {}
  #sealed = 0
  #opened = 0

  constructor(options: GateOptions, deps: GateDeps) {
    this.#options = options
    this.#deps = deps
  }

  /** Makes the keys, if the room is sealed. Rejects with the PartylineError that ends it. */
  async lock(): Promise<{ readonly announcement: string; readonly sealer: Sealer }> {
    const { sealing: mode, identity, ...options } = this.#options
    const { primitives } = this.#deps
    const fatal = (code: 'insecure-context' | 'unsupported', text: string, cause?: unknown): PartylineError =>
      new PartylineError(code, text, { fatal: true, cause })
    if (primitives === undefined || mode === 'open') throw fatal('insecure-context', INSECURE)
    try {
      const signer = identity && (await import('./sealing/identity.ts')).signingKey(identity)
      const wanted = { ...options, mode, protocol: VERSION.max, identity: await signer }
      const keys = await RoomSealing.begin(wanted, { ...this.#deps, primitives })
      this.#keys = keys
      keys.prepare()
      return {
        announcement: keys.announcement,
        sealer: { overheadBytes: SEALED_BYTES, seal: (address, frame) => this.#seal(keys, address, frame) },
      }
    } catch (cause) {
      throw fatal('unsupported', `No keys could be made: ${cause}`, cause)
    }
  }

  close(): void {
    this.#keys?.close()
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
    return this.#known.size === 0 && wrong !== undefined && unwanted === undefined && invalid === undefined
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

  /** The server lists these alone, and us. As `look`. */
  welcomed(self: PeerId, members: readonly MemberInfo[]): void | Promise<void> {
    // Under another id, everything begins anew.
    if (this.#self !== self) this.#known.clear()
    this.#self = self
    this.#keys?.welcomed(self)
    return this.listed(members)
  }

  listed(members: readonly MemberInfo[]): void | Promise<void> {
    this.#strangers.clear()
    return this.look(members)
  }

  /** The server lists these: look at their announcements, all at a time. What comes later waits for that. */
  look(members: readonly MemberInfo[]): void | Promise<void> {
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

  async #open(keys: RoomSealing, from: PeerId, payload: Uint8Array): Promise<readonly Uint8Array[]> {
    const { frames, reply, refused } = await keys.open(from, payload)
    if (refused !== undefined) this.#refuse(from, refused)
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

  async #look(member: MemberInfo): Promise<void> {
    const { id, instance } = member
    const keys = this.#keys
    const again = this.admits(member)
    if (!again) this.gone(id, instance)
    const admission = keys === undefined ? checkOpen(member) : await keys.admit({ id, instance, seal: member.seal })
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
    const { admit } = this.#options
    const { clock } = this.#deps
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
  seal === undefined ? { identity: undefined } : { refused: 'seal-mismatch' }
