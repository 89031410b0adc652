import type { FillRandom, InstanceId, PeerId } from '../../../signaling/protocol/index.ts'
import type { Primitives } from '../../../web/client/sealing/primitives.ts'
import {
  type Admitted,
  type Opened,
  RoomSealing,
  type Sealed,
  type SealingOptions,
} from '../../../web/client/sealing/sealing.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { nodePrimitives } from '../../support/node-primitives.ts'

export const SECRET = Uint8Array.from({ length: 16 }, (_, index) => index)

/** One record on its way, from one member to one other. */
export interface OnTheWay {
  readonly from: SealedMember
  readonly to: SealedMember
  readonly payload: Uint8Array
}

export interface SealedMember {
  readonly id: PeerId
  readonly instance: InstanceId
  readonly sealing: RoomSealing
  /** Key records that it has repeated by itself. */
  readonly repeated: { readonly to: PeerId; readonly payload: Uint8Array }[]
}

export const peerId = (number: number): PeerId => number.toString(16).padStart(16, '0') as PeerId
export const instanceId = (number: number): InstanceId => number.toString(16).padStart(32, '0') as InstanceId

/** Frames: data to the room, data to one, an ack, a `latest` value to the room. The rest of the bytes is the content. */
export const roomFrame = (...content: number[]): Uint8Array => Uint8Array.of(0x01, ...content)
export const unicastFrame = (...content: number[]): Uint8Array => Uint8Array.of(0x11, ...content)
export const ackFrame = (...content: number[]): Uint8Array => Uint8Array.of(0x41, ...content)
export const latestFrame = (...content: number[]): Uint8Array => Uint8Array.of(0xe0, ...content)

/** A sealed room with a server between that does as the test says. */
export class SealedRoom {
  readonly clock = new FakeClock()
  readonly random: SeededRandom
  readonly members: SealedMember[] = []
  #made = 0

  constructor(
    seed = 1,
    readonly primitivesOf: (fill: FillRandom) => Primitives = nodePrimitives,
  ) {
    this.random = new SeededRandom(seed)
  }

  /** A member that knows nobody yet. */
  async begin(options: Partial<SealingOptions> = {}, id?: PeerId, change?: (of: Primitives) => Primitives) {
    this.#made += 1
    const number = this.#made
    const instance = options.instance ?? instanceId(number)
    const repeated: SealedMember['repeated'] = []
    const primitives = this.primitivesOf(this.random.fill)
    const sealing = await RoomSealing.begin(
      { mode: 'secret', room: 'lobby', instance, protocol: 1, secret: SECRET, ...options },
      {
        primitives: change?.(primitives) ?? primitives,
        fillRandom: this.random.fill,
        clock: this.clock,
        transmit: (to, payload) => repeated.push({ to, payload }),
      },
    )
    const shown = hex(sealing.secrets.keys.instance) as InstanceId
    const member: SealedMember = { id: id ?? peerId(number), instance: shown, sealing, repeated }
    sealing.welcomed(member.id)
    return member
  }

  /** A member that all others know, and that knows them. */
  async join(
    options: Partial<SealingOptions> = {},
    id?: PeerId,
    change?: (of: Primitives) => Primitives,
  ): Promise<SealedMember> {
    const member = await this.begin(options, id, change)
    await Promise.all(this.members.flatMap((other) => [admit(other, member), admit(member, other)]))
    this.members.push(member)
    return member
  }

  leave(member: SealedMember): void {
    this.members.splice(this.members.indexOf(member), 1)
    for (const other of this.members) other.sealing.left(member.id)
  }

  /** What goes out for a frame, one by one. */
  async sealed(from: SealedMember, to: readonly SealedMember[], frame: Uint8Array): Promise<OnTheWay[]> {
    return onTheWay(
      from,
      to,
      await from.sealing.seal(
        to.map(({ id }) => id),
        frame,
      ),
    )
  }

  /** Sends a frame, answers included. What each receiver got, in the order of `to`. */
  async send(from: SealedMember, to: readonly SealedMember[], frame: Uint8Array): Promise<(readonly Uint8Array[])[]> {
    const got = new Map<SealedMember, Uint8Array[]>(to.map((member) => [member, []]))
    for (const record of await this.sealed(from, to, frame)) {
      const { frames } = await deliver(record)
      got.get(record.to)?.push(...frames)
    }
    return [...got.values()]
  }
}

export const admit = (at: SealedMember, { id, instance, sealing }: SealedMember): Promise<Admitted> =>
  at.sealing.admit({ id, instance, seal: sealing.announcement })

export function onTheWay(from: SealedMember, to: readonly SealedMember[], sealed: Sealed): OnTheWay[] {
  return sealed.flatMap(({ to: one, payload }) =>
    to.filter(({ id }) => one === undefined || one === id).map((receiver) => ({ from, to: receiver, payload })),
  )
}

/** Hands a record to its receiver, and what that answers to the sender. */
export async function deliver({ from, to, payload }: OnTheWay): Promise<Opened> {
  const opened = await to.sealing.open(from.id, payload)
  if (opened.reply !== undefined) await from.sealing.open(to.id, opened.reply)
  return opened
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
