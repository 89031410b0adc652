import { type Figure, figureOf, type Goal } from '../figure.ts'
import type { ContestantName, LaneName } from '../page/contestant.ts'
import { type Effort, interleaved } from '../rounds.ts'
import type { Company } from '../stage.ts'

type Pairs = ReadonlyMap<ContestantName, Company>

const LARGE: Goal = { of: 'ratio', least: 0.95 }
const SMALL: Goal = { of: 'ratio', least: 0.9 }

/** Sizes of messages over which cost is shown, bytes. The largest is the largest that a data channel takes. */
const SIZES = [100, 1_024, 4_096, 16_384, 65_536, 262_144] as const
const MEGABYTE = 1e6

/** Messages that came, per second, over all rounds. */
function perSecond(pairs: Pairs, who: readonly ContestantName[], effort: Effort, sizeBytes: number, lane: LaneName) {
  return interleaved(who, effort.rounds, async (name) => {
    const company = pairs.get(name) as Company
    const plan = { sizeBytes, lane, ms: effort.loadMs }
    const { received, ms } = await company.first.evaluate((given) => guest.load(given), plan)
    return ((received[0] ?? 0) / ms) * 1_000
  })
}

const scaled = (samples: ReadonlyMap<ContestantName, readonly number[]>, factor: number) =>
  new Map([...samples].map(([name, values]) => [name, values.map((value) => value * factor)]))

/** Large messages, and how throughput goes with the size of a message. */
export async function throughput(pairs: Pairs, effort: Effort): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const sizeBytes of SIZES) {
    const large = sizeBytes === 16_384 || sizeBytes === 65_536
    const samples = await perSecond(pairs, large ? [...pairs.keys()] : ['ours', 'bare'], effort, sizeBytes, 'reliable')
    figures.push(
      figureOf(
        {
          name: `throughput, messages of ${sizeBytes.toLocaleString('en')} bytes`,
          unit: 'MB/s',
          note: 'One sender, one receiver. Bare and PeerJS wait at 1 MiB queued until 512 KiB are left.',
          at: { sizeBytes },
        },
        scaled(samples, sizeBytes / MEGABYTE),
        large ? LARGE : undefined,
      ),
    )
  }
  return figures
}

export async function smallMessages(pairs: Pairs, effort: Effort): Promise<Figure[]> {
  const reliable = await perSecond(pairs, [...pairs.keys()], effort, 100, 'reliable')
  const latest = await perSecond(pairs, ['ours', 'bare'], effort, 100, 'latest')
  const { leftDirect, resent } = await (pairs.get('ours') as Company).first.evaluate(() => guest.trouble())
  return [
    figureOf(
      {
        name: 'messages of 100 bytes, reliable',
        unit: 'messages/s',
        note: `Handed to the receiving application. Ours: \`await sent.accepted\` between sends. Under all loads up to here our sender left the direct path ${leftDirect} times and sent ${resent} frames again.`,
      },
      reliable,
      SMALL,
    ),
    figureOf(
      {
        name: 'messages of 100 bytes, latest',
        unit: 'messages/s',
        note: 'Handed to the receiving application. Set in bursts of 32, then a turn of the event loop. Bare: a channel without order and repetition, which drops while 64 KiB are queued, as ours does.',
      },
      latest,
      SMALL,
    ),
  ]
}
