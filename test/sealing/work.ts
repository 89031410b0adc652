import type { InstanceId, PeerId } from '../../signaling/protocol/index.ts'
import { writeEnvelope } from '../../signaling/protocol/index.ts'
import { systemClock } from '../../web/client/clock.ts'
import type { Primitives } from '../../web/client/sealing/primitives.ts'
import { RoomSealing } from '../../web/client/sealing/sealing.ts'
import { medianOf, type Spent, type Stopwatch } from './stopwatch.ts'

/** What sealing costs, in the place this runs in. Medians of `ROUNDS`, in which everything takes its turn. */
export interface Costs {
  /** µs for each frame: its envelope written alone; sealed, and its envelope written; opened. */
  readonly frames: readonly {
    readonly bytes: number
    readonly kind: string
    readonly bareUs: Spent
    readonly sealedUs: Spent
    readonly openedUs: Spent
  }[]
  /** ms until 50 members are admitted, by one that joins. */
  readonly admit50Ms: { readonly link: Spent; readonly secret: Spent }
  /** ms until the first message to all 50 is sealed, with its 50 key records. */
  readonly firstToFiftyMs: Spent
}

const ROUNDS = 9

const id = (number: number): PeerId => number.toString(16).padStart(16, '0') as PeerId
const instance = (number: number): InstanceId => number.toString(16).padStart(32, '0') as InstanceId

async function member(primitives: Primitives, number: number, mode: 'link' | 'secret'): Promise<RoomSealing> {
  const sealing = await RoomSealing.begin(
    { mode, room: 'lobby', instance: instance(number), protocol: 1, secret: new Uint8Array(16) },
    {
      primitives,
      fillRandom: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      clock: systemClock,
      transmit: () => {},
    },
  )
  sealing.welcomed(id(number))
  return sealing
}

/** At most so many at once, as an uplink's queue has. */
const AT_ONCE = 64

export async function costs(primitives: Primitives, stopwatch: Stopwatch): Promise<Costs> {
  const [alice, bob] = [await member(primitives, 1, 'secret'), await member(primitives, 2, 'secret')]
  await alice.admit({ id: id(2), instance: instance(2), seal: bob.announcement })
  await bob.admit({ id: id(1), instance: instance(1), seal: alice.announcement })
  const address = { kind: 'one', id: id(2) } as const
  const write = (frame: Uint8Array): void => {
    writeEnvelope(new Uint8Array(16 + frame.length), 0, address, frame, undefined)
  }
  const eachUs = <T>(items: readonly T[], work: (item: T) => unknown): Promise<Spent> =>
    stopwatch(1_000 / items.length, async () => {
      for (let at = 0; at < items.length; at += AT_ONCE) await Promise.all(items.slice(at, at + AT_ONCE).map(work))
    })
  const frames: Costs['frames'][number][] = []
  for (const bytes of [100, 16_384]) {
    for (const [kind, first] of [
      ['room', 0x01],
      ['unicast', 0x11],
    ] as const) {
      const bare: Spent[] = []
      const sealed: Spent[] = []
      const opened: Spent[] = []
      for (let round = 0; round < ROUNDS; round += 1) {
        const all = Array.from({ length: bytes > 1_000 ? 2_000 : 6_000 }, () =>
          new Uint8Array(bytes).fill(round).fill(first, 0, 1),
        )
        const payloads: Uint8Array[] = []
        bare.push(await eachUs(all, write))
        sealed.push(
          await eachUs(all, async (frame) => {
            for (const { payload } of await alice.seal([id(2)], frame)) {
              write(payload)
              payloads.push(payload)
            }
          }),
        )
        opened.push(
          await eachUs(payloads, async (payload) => {
            const { reply } = await bob.open(id(1), payload)
            if (reply !== undefined) await alice.open(id(2), reply)
          }),
        )
      }
      frames.push({ bytes, kind, bareUs: medianOf(bare), sealedUs: medianOf(sealed), openedUs: medianOf(opened) })
    }
  }
  const admitted = { link: [] as Spent[], secret: [] as Spent[] }
  const first: Spent[] = []
  for (const mode of ['link', 'secret'] as const) {
    const others = await Promise.all(Array.from({ length: 50 }, (_, number) => member(primitives, 100 + number, mode)))
    const ids = others.map((_, number) => id(100 + number))
    for (let round = 0; round < ROUNDS; round += 1) {
      const newcomer = await member(primitives, 10 + round, mode)
      const admitAll = () =>
        Promise.all(
          others.map(({ announcement }, number) =>
            newcomer.admit({ id: id(100 + number), instance: instance(100 + number), seal: announcement }),
          ),
        )
      admitted[mode].push(await stopwatch(1, admitAll))
      first.push(await stopwatch(1, async () => newcomer.seal(ids, Uint8Array.of(0x01, 1, 2, 3))))
      newcomer.close()
    }
  }
  return {
    frames,
    admit50Ms: { link: medianOf(admitted.link), secret: medianOf(admitted.secret) },
    firstToFiftyMs: medianOf(first),
  }
}
