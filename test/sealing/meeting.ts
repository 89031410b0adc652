/** One member of ours and one of the second implementation, who meet. */
import { argon2id } from '@noble/hashes/argon2.js'
import { expect } from 'vitest'
import { instanceId, peerId, SECRET, type SealedMember, SealedRoom } from '../unit/sealing/sealed-room.ts'
import { IndependentMember, type IndependentOptions } from './independent.ts'
import { argon2Input, makeIdentity, type SealedMode } from './independent-announcement.ts'

const ROOM = 'Küche 7'
const PASSWORD = 'Cafe\u0301 am Markt'

/** What the document says that becomes of a password. Argon2id itself is the library's, as ours has no other. */
export function stretched(): Uint8Array {
  const { password, salt } = argon2Input(ROOM, PASSWORD)
  return argon2id(password, salt, { m: 19_456, t: 2, p: 1, version: 0x13, dkLen: 32 })
}

export interface Between {
  readonly room: SealedRoom
  readonly ours: SealedMember
  readonly other: IndependentMember
}

export interface Given {
  readonly mode: SealedMode
  readonly keyed: 'nothing' | 'secret' | 'password'
  readonly ourX25519: boolean
  readonly itsX25519: boolean
  readonly identities: boolean
  /** Whose instance is the smaller. */
  readonly ourNumber: number
  /** What has become of the password already. */
  readonly S?: Uint8Array
}

export async function ourMember(room: SealedRoom, given: Given): Promise<SealedMember> {
  const keyed = { nothing: { secret: undefined }, secret: {}, password: { secret: undefined, password: PASSWORD } }
  const identity = given.identities ? { identity: await room.primitivesOf(room.random.fill).signer() } : {}
  return room.begin(
    { mode: given.mode, room: ROOM, instance: instanceId(given.ourNumber), ...keyed[given.keyed], ...identity },
    peerId(given.ourNumber),
    (primitives) => (given.ourX25519 ? primitives : { ...primitives, x25519: async () => undefined }),
  )
}

export function otherMember(given: Given, number: number, change: Partial<IndependentOptions> = {}): IndependentMember {
  const keyed = { nothing: () => ({}), secret: () => ({ S: SECRET }), password: () => ({ S: given.S ?? stretched() }) }
  return new IndependentMember({
    mode: given.mode,
    room: ROOM,
    id: peerId(number),
    instance: instanceId(number),
    x25519: given.itsX25519,
    ...keyed[given.keyed](),
    ...(given.identities && { identity: makeIdentity() }),
    ...change,
  })
}

export const shown = (of: SealedMember) => ({ id: of.id, instance: of.instance, seal: of.sealing.announcement })
export const shownOther = (of: IndependentMember, number: number) => ({
  id: peerId(number),
  instance: instanceId(number),
  seal: of.announcement,
})

export async function between(
  given: Given,
  primitivesOf?: ConstructorParameters<typeof SealedRoom>[1],
): Promise<Between> {
  const room = new SealedRoom(1, primitivesOf)
  const ours = await ourMember(room, given)
  const other = otherMember(given, 5)
  expect(await ours.sealing.admit(shownOther(other, 5))).not.toHaveProperty('refused')
  other.admit(shown(ours))
  return { room, ours, other }
}

/** What the other got of what ours sent, its answers handed back. */
export async function toOther({ ours, other }: Between, frame: Uint8Array): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for (const { payload } of await ours.sealing.seal([other.id as SealedMember['id']], frame)) {
    const read = other.open(ours.id, payload)
    frames.push(...read.frames.map((one) => new Uint8Array(one)))
    if (read.reply !== undefined) {
      expect(await ours.sealing.open(other.id as SealedMember['id'], read.reply)).toEqual({ frames: [] })
    }
  }
  return frames
}

export async function toOurs({ ours, other }: Between, frame: Uint8Array): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for (const { payload } of other.seal([ours.id], frame)) {
    const opened = await ours.sealing.open(other.id as SealedMember['id'], new Uint8Array(payload))
    expect(opened).not.toHaveProperty('refused')
    frames.push(...opened.frames)
    if (opened.reply !== undefined) other.open(ours.id, opened.reply)
  }
  return frames
}

export const PLAIN: Given = {
  mode: 'secret',
  keyed: 'secret',
  ourX25519: true,
  itsX25519: true,
  identities: false,
  ourNumber: 1,
}
