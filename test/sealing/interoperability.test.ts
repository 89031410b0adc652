import { argon2id } from '@noble/hashes/argon2.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { webCrypto } from '../../web/client/sealing/web-crypto.ts'
import { nodePrimitives } from '../support/node-primitives.ts'
import {
  ackFrame,
  instanceId,
  latestFrame,
  peerId,
  roomFrame,
  SECRET,
  type SealedMember,
  SealedRoom,
  unicastFrame,
} from '../unit/sealing/sealed-room.ts'
import { IndependentMember, type IndependentOptions } from './independent.ts'
import { argon2Input, makeIdentity, Refusal, type SealedMode, safetyNumber } from './independent-announcement.ts'

const ROOM = 'Küche 7'
const PASSWORD = 'Cafe\u0301 am Markt'

/** What the document says that becomes of a password. Argon2id itself is the library's, as ours has no other. */
function stretched(): Uint8Array {
  const { password, salt } = argon2Input(ROOM, PASSWORD)
  return argon2id(password, salt, { m: 19_456, t: 2, p: 1, version: 0x13, dkLen: 32 })
}

interface Between {
  readonly room: SealedRoom
  readonly ours: SealedMember
  readonly other: IndependentMember
}

interface Given {
  readonly mode: SealedMode
  readonly keyed: 'nothing' | 'secret' | 'password'
  readonly ourX25519: boolean
  readonly itsX25519: boolean
  readonly identities: boolean
  /** Whose instance is the smaller. */
  readonly ourNumber: number
}

let fromPassword: Uint8Array

beforeAll(() => {
  fromPassword = stretched()
})

async function ourMember(room: SealedRoom, given: Given): Promise<SealedMember> {
  const keyed = { nothing: { secret: undefined }, secret: {}, password: { secret: undefined, password: PASSWORD } }
  const identity = given.identities ? { identity: await room.primitivesOf(room.random.fill).signer() } : {}
  return room.begin(
    { mode: given.mode, room: ROOM, instance: instanceId(given.ourNumber), ...keyed[given.keyed], ...identity },
    peerId(given.ourNumber),
    (primitives) => (given.ourX25519 ? primitives : { ...primitives, x25519: async () => undefined }),
  )
}

function otherMember(given: Given, number: number, change: Partial<IndependentOptions> = {}): IndependentMember {
  const keyed = { nothing: {}, secret: { S: SECRET }, password: { S: fromPassword } }
  return new IndependentMember({
    mode: given.mode,
    room: ROOM,
    id: peerId(number),
    instance: instanceId(number),
    x25519: given.itsX25519,
    ...keyed[given.keyed],
    ...(given.identities && { identity: makeIdentity() }),
    ...change,
  })
}

const shown = (of: SealedMember) => ({ id: of.id, instance: of.instance, seal: of.sealing.announcement })
const shownOther = (of: IndependentMember, number: number) => ({
  id: peerId(number),
  instance: instanceId(number),
  seal: of.announcement,
})

async function between(given: Given, primitivesOf?: ConstructorParameters<typeof SealedRoom>[1]): Promise<Between> {
  const room = new SealedRoom(1, primitivesOf)
  const ours = await ourMember(room, given)
  const other = otherMember(given, 5)
  expect(await ours.sealing.admit(shownOther(other, 5))).not.toHaveProperty('refused')
  other.admit(shown(ours))
  return { room, ours, other }
}

/** What the other got of what ours sent, its answers handed back. */
async function toOther({ ours, other }: Between, frame: Uint8Array): Promise<Uint8Array[]> {
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

async function toOurs({ ours, other }: Between, frame: Uint8Array): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for (const { payload } of other.seal([ours.id], frame)) {
    const opened = await ours.sealing.open(other.id as SealedMember['id'], new Uint8Array(payload))
    expect(opened).not.toHaveProperty('refused')
    frames.push(...opened.frames)
    if (opened.reply !== undefined) other.open(ours.id, opened.reply)
  }
  return frames
}

const FRAMES = [
  roomFrame(1),
  unicastFrame(2),
  ackFrame(3),
  latestFrame(4),
  roomFrame(5),
  Uint8Array.of(0xa0),
  roomFrame(),
]

const modes = [
  { mode: 'link', keyed: 'nothing' },
  { mode: 'secret', keyed: 'secret' },
  { mode: 'secret', keyed: 'password' },
] as const

const cases: Given[] = modes.flatMap(({ mode, keyed }) =>
  [true, false]
    .flatMap((ourX25519) =>
      [true, false].flatMap((itsX25519) =>
        [true, false].flatMap((identities) =>
          // A password costs a second of stretching each: its keys are like a secret's.
          (keyed === 'password' ? [9] : [1, 9]).map((ourNumber) => ({
            mode,
            keyed,
            ourX25519,
            itsX25519,
            identities,
            ourNumber,
          })),
        ),
      ),
    )
    .slice(0, keyed === 'password' ? 2 : undefined),
)

const PLAIN: Given = {
  mode: 'secret',
  keyed: 'secret',
  ourX25519: true,
  itsX25519: true,
  identities: false,
  ourNumber: 1,
}

describe('an implementation from the document alone', () => {
  it.each(cases)(
    'reads ours and is read: $mode, $keyed; X25519 $ourX25519 and $itsX25519, identities $identities, ours is $ourNumber',
    async (given) => {
      const pair = await between(given)
      for (const frame of FRAMES) {
        expect(await toOther(pair, frame)).toEqual([frame])
        expect(await toOurs(pair, frame)).toEqual([frame])
      }
      expect(pair.other.held).toEqual([`${pair.ours.id} 1 0`])
    },
  )

  it('works with ours over WebCrypto', async () => {
    const crypto = webCrypto()
    if (crypto === undefined) throw new Error('this Node has WebCrypto')
    const pair = await between({ ...PLAIN, identities: true }, () => crypto)
    for (const frame of FRAMES) {
      expect(await toOther(pair, frame)).toEqual([frame])
      expect(await toOurs(pair, frame)).toEqual([frame])
    }
  })

  it.each([true, false])('has the same safety number, with identities %s', async (identities) => {
    const { ours, other } = await between({ ...PLAIN, identities })
    const theirs = other.admit(shown(ours))
    expect(await ours.sealing.safetyNumber(other.id as SealedMember['id'])).toBe(safetyNumber(other.announced, theirs))
  })

  it('has the same safety number when one of the two has no identity', async () => {
    const room = new SealedRoom()
    const ours = await ourMember(room, { ...PLAIN, identities: true })
    const other = otherMember(PLAIN, 5)
    await ours.sealing.admit(shownOther(other, 5))
    const number = safetyNumber(other.announced, other.admit(shown(ours)))
    expect(await ours.sealing.safetyNumber(peerId(5))).toBe(number)
  })

  it('steps on when a member comes, and takes a new epoch when one has left', async () => {
    const pair = await between(PLAIN)
    const { ours, other } = pair
    await toOurs(pair, roomFrame(1))
    await toOther(pair, roomFrame(2))

    const [seven, eight] = [otherMember(PLAIN, 7), await ourMember(pair.room, { ...PLAIN, ourNumber: 8 })]
    await ours.sealing.admit(shownOther(seven, 7))
    other.admit(shown(eight))
    const ourKeys = await ours.sealing.seal([peerId(5), peerId(7)], roomFrame(3))
    expect(ourKeys.map(({ to }) => to)).toEqual([peerId(7), undefined])
    expect(other.open(ours.id, ourKeys.at(-1)?.payload ?? new Uint8Array()).frames.map((f) => [...f])).toEqual([
      [...roomFrame(3)],
    ])
    const itsKeys = other.seal([ours.id, eight.id], roomFrame(4))
    expect(itsKeys.map(({ to }) => to)).toEqual([eight.id, undefined])
    expect(await ours.sealing.open(peerId(5), new Uint8Array(itsKeys.at(-1)?.payload ?? []))).toEqual({
      frames: [roomFrame(4)],
    })

    // The one who came has the key of its step only.
    seven.admit(shown(ours))
    for (const { to, payload } of ourKeys) {
      if (to === undefined || to === peerId(7)) seven.open(ours.id, payload)
    }
    ours.sealing.left(peerId(7))
    other.left(eight.id)
    const [key, record] = await ours.sealing.seal([peerId(5)], roomFrame(6))
    expect(key?.to).toBe(peerId(5))
    // The one who left has no key for what comes after.
    expect(seven.open(ours.id, record?.payload ?? new Uint8Array()).frames).toEqual([])
    other.open(ours.id, key?.payload ?? new Uint8Array())
    expect(other.open(ours.id, record?.payload ?? new Uint8Array()).frames).toHaveLength(1)
    expect(await toOurs(pair, roomFrame(7))).toEqual([roomFrame(7)])
    expect(other.senderKey).toMatchObject({ epoch: 2, step: 0 })
  })

  it('opens what came before its key, and so does ours', async () => {
    const { ours, other } = await between(PLAIN)
    const [key, record] = await ours.sealing.seal([peerId(5)], roomFrame(1))
    expect(other.open(ours.id, record?.payload ?? new Uint8Array()).frames).toEqual([])
    expect(other.open(ours.id, key?.payload ?? new Uint8Array()).frames).toHaveLength(1)
    const [itsKey, itsRecord] = other.seal([ours.id], roomFrame(2))
    expect(await ours.sealing.open(peerId(5), new Uint8Array(itsRecord?.payload ?? []))).toEqual({ frames: [] })
    expect(await ours.sealing.open(peerId(5), new Uint8Array(itsKey?.payload ?? []))).toMatchObject({
      frames: [roomFrame(2)],
    })
  })

  it('follows ours over 16 steps from one key, and is given a new one at the 17th', async () => {
    const pair = await between(PLAIN)
    const givenAt: number[] = []
    for (let step = 0; step <= 17; step += 1) {
      if (step > 0) await pair.ours.sealing.admit(shownOther(otherMember(PLAIN, 100 + step), 100 + step))
      const frame = roomFrame(step)
      const opened: Uint8Array[] = []
      for (const { to, payload } of await pair.ours.sealing.seal([peerId(5)], frame)) {
        if (to !== undefined) givenAt.push(step)
        const { frames, reply } = pair.other.open(pair.ours.id, payload)
        opened.push(...frames.map((one) => new Uint8Array(one)))
        if (reply !== undefined) await pair.ours.sealing.open(peerId(5), reply)
      }
      expect(opened).toEqual([frame])
    }
    expect(givenAt).toEqual([0, 17])
  })

  it('refuses what ours refuses, by the same code', async () => {
    const room = new SealedRoom()
    const ours = await ourMember(room, PLAIN)
    const refusals: readonly [string, Partial<IndependentOptions>][] = [
      ['seal-mismatch', { mode: 'link' }],
      ['wrong-secret', { S: new Uint8Array(16).fill(9) }],
      ['wrong-secret', { room: 'Küche 8' }],
      ['seal-mismatch', { instance: instanceId(99) }],
      ['seal-mismatch', { instance: instanceId(PLAIN.ourNumber) }],
    ]
    for (const [code, change] of refusals) {
      const other = otherMember(PLAIN, 5, change)
      expect(await ours.sealing.admit(shownOther(other, 5))).toEqual({ refused: code })
      const instance = change.instance === undefined ? ours.instance : instanceId(98)
      expect(() => otherMember(PLAIN, 5, change).admit({ ...shown(ours), instance })).toThrow(Refusal)
      ours.sealing.left(peerId(5))
    }
  })

  it('agrees with ours on every byte of an announcement that is altered', async () => {
    const room = new SealedRoom(1, (fill) => nodePrimitives(fill))
    const ours = await ourMember(room, { ...PLAIN, identities: true })
    const altered = otherMember({ ...PLAIN, identities: true }, 6)
    const reader = otherMember(PLAIN, 7)
    const bytes = Buffer.from(altered.announcement, 'base64url')
    const codes = new Set<string>()
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      const seal = changed.toString('base64url')
      const member = { id: peerId(6), instance: instanceId(6), seal }
      const admitted = await ours.sealing.admit(member)
      ours.sealing.left(peerId(6))
      let code: string | undefined
      try {
        reader.admit(member)
      } catch (error) {
        code = error instanceof Refusal ? error.code : undefined
      }
      expect({ at, code }).toEqual({ at, code: 'refused' in admitted ? admitted.refused : undefined })
      expect(code).toBeDefined()
      codes.add(code ?? '')
    }
    expect([...codes].sort()).toEqual(['seal-mismatch', 'wrong-secret'])
  })
})
