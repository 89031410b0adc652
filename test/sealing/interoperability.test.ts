import { beforeAll, describe, expect, it } from 'vitest'
import { webCrypto } from '../../web/client/sealing/web-crypto.ts'
import {
  ackFrame,
  latestFrame,
  peerId,
  roomFrame,
  type SealedMember,
  SealedRoom,
  unicastFrame,
} from '../unit/sealing/sealed-room.ts'
import { safetyNumber } from './independent-announcement.ts'
import {
  between,
  type Given,
  otherMember,
  ourMember,
  PLAIN,
  shown,
  shownOther,
  stretched,
  toOther,
  toOurs,
} from './meeting.ts'

/** A password takes a second where nothing else runs. */
const SLOW_MS = 30_000

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

let fromPassword: Uint8Array

beforeAll(() => {
  fromPassword = stretched()
})

describe('an implementation from the document alone', { timeout: SLOW_MS }, () => {
  it.each(cases)(
    'reads ours and is read: $mode, $keyed; X25519 $ourX25519 and $itsX25519, identities $identities, ours is $ourNumber',
    async (given) => {
      const pair = await between({ ...given, S: fromPassword })
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
})
