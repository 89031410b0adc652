/**
 * What the server says, as the room may take it: past the gate, and in the order in which it came. Here is written down
 * which check each thing has to pass, what waits for that, and what may be left out where too much waits. What tells of
 * members goes to `Membership`; what the rest means is the room's matter.
 */
import type { MemberInfo, PeerId } from '../../signaling/protocol/index.ts'
import type { PartylineError } from './errors.ts'
import type { Gate } from './gate.ts'
import { Inbound } from './inbound.ts'
import type { Membership } from './membership.ts'
import type { RoomMessage, Uplink, UplinkEvents } from './uplink/uplink.ts'

type Heard = UplinkEvents['welcome']

/** The newer one says it all, but for what has been missed, and what we have become since. */
const instead = (older: Heard, newer: Heard): Heard => ({
  ...newer,
  how: older.how === 'resumed' ? newer.how : older.how,
  missed: older.missed + newer.missed,
})

/** As `UplinkEvents`, in its turn. */
export interface RoomIntakeDeps {
  readonly uplink: Pick<Uplink, 'on' | 'restart'>
  readonly gate: Pick<Gate, 'welcomed' | 'listed' | 'look' | 'open' | 'settle' | 'gone'>
  readonly membership: Pick<Membership, 'on' | 'get' | 'decided' | 'apply' | 'heardOf' | 'awaits'>
  welcome(message: Heard['message'], how: Heard['how']): void
  /** What does not tell of members. */
  message(message: RoomMessage): void
  frame(from: PeerId, frame: Uint8Array): void
  state(state: UplinkEvents['state']): void
  closed(error: PartylineError | undefined): void
  /** So many messages from backends are lost. */
  missed(messages: number): void
}

export class RoomIntake {
  readonly #deps: RoomIntakeDeps
  readonly #inbound = new Inbound()
  /** Waits to be come to. Only the newest does: a server could have them come faster than their members are looked at. */
  #coming: { heard: Heard | undefined } = { heard: undefined }

  constructor(deps: RoomIntakeDeps) {
    this.#deps = deps
    const { uplink, gate, membership } = deps
    const inbound = this.#inbound
    uplink.on('welcome', (heard) => this.#welcome(heard))
    uplink.on('message', (message) => this.#message(message))
    uplink.on('frame', ({ from, payload }) =>
      inbound.beside(
        payload.length,
        () => gate.open(from, payload),
        (frames) => this.#frames(from, frames),
      ),
    )
    uplink.on('closed', (error) => inbound.run(() => deps.closed(error)))
    uplink.on('state', (state) => inbound.run(() => deps.state(state)))
    // Once what tells of it has been taken whole: it may be back under the same id.
    membership.on('leave', ({ member }) => inbound.run(() => this.#gone(member.id)))
  }

  /** After all that has come so far. */
  run(what: () => void): void {
    this.#inbound.run(what)
  }

  /** The application has said whether this one is let in. */
  decided(id: PeerId): void {
    this.#inbound.alone(
      () => this.#deps.gate.settle(id),
      (frames) => {
        if (frames === undefined) return
        this.#deps.membership.decided(id)
        this.#frames(id, frames)
      },
    )
  }

  /** Nothing is taken from now on. */
  close(): void {
    this.#inbound.close()
  }

  #welcome(heard: Heard): void {
    const { gate, welcome, missed } = this.#deps
    const older = this.#coming.heard
    this.#coming.heard = undefined
    const coming = { heard: older === undefined ? heard : instead(older, heard) }
    this.#coming = coming
    this.#inbound.alone<readonly MemberInfo[] | undefined>(
      () => {
        if (this.#coming === coming) this.#coming = { heard: undefined }
        return coming.heard && gate.welcomed(coming.heard.message.peerId, coming.heard.message.members)
      },
      (members) => {
        if (coming.heard === undefined || members === undefined) return
        welcome({ ...coming.heard.message, members }, coming.heard.how)
        missed(coming.heard.missed)
      },
    )
  }

  #frames(from: PeerId, frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.#deps.frame(from, frame)
  }

  #message(message: RoomMessage): void {
    const inbound = this.#inbound
    const { gate, membership, uplink, missed } = this.#deps
    if (inbound.full) {
      inbound.skip()
      if (message.t === 'published') missed(1)
      uplink.restart()
    } else if (message.t === 'joined') {
      inbound.alone(
        // Of who is not listed for it, nothing is kept.
        () => (membership.awaits(message.version) ? gate.look([message.member]) : []),
        ([member = message.member]) => this.#take({ ...message, member }),
        true,
      )
    } else if (message.t === 'snapshot') {
      inbound.alone(
        () => gate.listed(message.members),
        (members) => this.#take({ ...message, members }),
        true,
      )
    } else if (message.t === 'changed' && (message.seal !== undefined || message.profile !== undefined)) {
      inbound.alone(
        () => gate.look(this.#shownAgain(message)),
        ([member]) =>
          this.#take(message.profile === undefined ? message : { ...message, profile: member?.profile ?? null }),
        true,
      )
    } else inbound.run(() => this.#take(message), message.t !== 'published')
  }

  #take(message: RoomMessage): void {
    const { membership } = this.#deps
    switch (message.t) {
      case 'joined':
      case 'changed':
      case 'left':
      case 'snapshot':
        membership.apply(message)
        if (message.t === 'left') this.#gone(message.id)
        return
      case 'pong':
        if (message.version !== undefined) membership.heardOf(message.version)
        return
      default:
        this.#deps.message(message)
    }
  }

  /** A member that we know, with the keys or the profile that the server shows of it now. */
  #shownAgain({ id, seal, profile }: Pick<MemberInfo, 'id' | 'seal'> & Partial<MemberInfo>): readonly MemberInfo[] {
    const info = this.#deps.membership.get(id)
    if (info === undefined) return []
    return [{ ...info, ...(seal === undefined ? {} : { seal }), ...(profile === undefined ? {} : { profile }) }]
  }

  #gone(id: PeerId): void {
    this.#deps.gate.gone(id, this.#deps.membership.get(id)?.instance)
  }
}
