import type { InstanceId, PeerId } from '../../signaling/protocol/index.ts'
import { writeEnvelope } from '../../signaling/protocol/index.ts'
import { systemClock } from '../../web/client/clock.ts'
import type { Primitives } from '../../web/client/sealing/primitives.ts'
import { RoomSealing } from '../../web/client/sealing/sealing.ts'

/** What sealing costs, in the place this runs in. */
export interface Costs {
  /** Frames a second: envelopes written alone, sealed and written, opened. */
  readonly frames: readonly { bytes: number; kind: string; bare: number; sealed: number; opened: number }[]
  /** ms until 50 members are admitted, by one that joins. */
  readonly admit50Ms: { readonly link: number; readonly secret: number }
  /** ms until the first message to all 50 is sealed, with its 50 key records. */
  readonly firstToFiftyMs: number
}

const id = (number: number): PeerId => number.toString(16).padStart(16, '0') as PeerId
const instance = (number: number): InstanceId => number.toString(16).padStart(32, '0') as InstanceId
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number

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

async function perSecond<T>(items: readonly T[], work: (item: T) => unknown): Promise<number> {
  const start = performance.now()
  for (let at = 0; at < items.length; at += AT_ONCE) await Promise.all(items.slice(at, at + AT_ONCE).map(work))
  return (items.length / (performance.now() - start)) * 1_000
}

export async function costs(primitives: Primitives): Promise<Costs> {
  const [alice, bob] = [await member(primitives, 1, 'secret'), await member(primitives, 2, 'secret')]
  await alice.admit({ id: id(2), instance: instance(2), seal: bob.announcement })
  await bob.admit({ id: id(1), instance: instance(1), seal: alice.announcement })
  const address = { kind: 'one', id: id(2) } as const
  const write = (frame: Uint8Array): void => {
    writeEnvelope(new Uint8Array(16 + frame.length), 0, address, frame, undefined)
  }
  const frames: Costs['frames'][number][] = []
  for (const bytes of [100, 16_384]) {
    for (const [kind, first] of [
      ['room', 0x01],
      ['unicast', 0x11],
    ] as const) {
      const figures: number[][] = [[], [], []]
      for (let round = 0; round < 5; round += 1) {
        const all = Array.from({ length: bytes > 1_000 ? 2_000 : 6_000 }, () =>
          new Uint8Array(bytes).fill(round).fill(first, 0, 1),
        )
        const payloads: Uint8Array[] = []
        figures[0]?.push(await perSecond(all, write))
        figures[1]?.push(
          await perSecond(all, async (frame) => {
            for (const { payload } of await alice.seal([id(2)], frame)) {
              write(payload)
              payloads.push(payload)
            }
          }),
        )
        figures[2]?.push(
          await perSecond(payloads, async (payload) => {
            const { reply } = await bob.open(id(1), payload)
            if (reply !== undefined) await alice.open(id(2), reply)
          }),
        )
      }
      const [bare, sealed, opened] = figures.map((values) => Math.round(median(values))) as [number, number, number]
      frames.push({ bytes, kind, bare, sealed, opened })
    }
  }
  const admit50Ms = { link: 0, secret: 0 }
  let firstToFiftyMs = 0
  for (const mode of ['link', 'secret'] as const) {
    const others = await Promise.all(Array.from({ length: 50 }, (_, number) => member(primitives, 100 + number, mode)))
    const ids = others.map((_, number) => id(100 + number))
    const times: number[] = []
    const first: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const newcomer = await member(primitives, 10 + round, mode)
      const start = performance.now()
      await Promise.all(
        others.map(({ announcement }, number) =>
          newcomer.admit({ id: id(100 + number), instance: instance(100 + number), seal: announcement }),
        ),
      )
      times.push(performance.now() - start)
      const begin = performance.now()
      await newcomer.seal(ids, Uint8Array.of(0x01, 1, 2, 3))
      first.push(performance.now() - begin)
      newcomer.close()
    }
    admit50Ms[mode] = Number(median(times).toFixed(1))
    firstToFiftyMs = Number(median(first).toFixed(1))
  }
  return { frames, admit50Ms, firstToFiftyMs }
}
