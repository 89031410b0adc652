import { type Figure, figureOf, type Goal, type Samples } from '../figure.ts'
import type { LaneName } from '../page/contestant.ts'
import { type Effort, type Measured, overSets } from '../rounds.ts'
import type { Stage } from '../stage.ts'

const LARGE: Goal = { of: 'ratio', least: 0.95 }
const SMALL: Goal = { of: 'ratio', least: 0.9 }

/** Sizes of messages over which cost is shown, bytes. The largest is the largest that a data channel takes. */
const SIZES = [100, 1_024, 4_096, 16_384, 65_536, 262_144] as const
const MEGABYTE = 1e6

interface Load {
  readonly sizeBytes: number
  readonly lane: LaneName
  readonly peers: boolean
}

type Shown = 'perSecond' | 'processorMs' | 'leftDirect' | 'resent'

/** Messages that came, per second; processor time of one, on both sides and in all processes. */
function load(stage: Stage, effort: Effort, { sizeBytes, lane, peers }: Load): Promise<Measured<Shown>> {
  const plan = { sizeBytes, lane, ms: effort.loadMs }
  return overSets(stage, effort, { peers }, async ({ first }) => {
    const beforeSeconds = await stage.processorSeconds()
    const { received, ms } = await first.evaluate((given) => guest.load(given), plan)
    const usedMs = ((await stage.processorSeconds()) - beforeSeconds) * 1_000
    const [messages = 0] = received
    const trouble = await first.evaluate(() => guest.trouble())
    return { perSecond: (messages / ms) * 1_000, processorMs: usedMs / messages, ...trouble }
  })
}

const scaled = (samples: Samples, factor: number): Samples =>
  new Map([...samples].map(([name, values]) => [name, values.map((value) => value * factor)]))

/** Large messages, and how throughput and cost go with the size of a message. */
export async function throughput(stage: Stage, effort: Effort): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const sizeBytes of SIZES) {
    const large = sizeBytes === 16_384 || sizeBytes === 65_536
    // What has no goal is for the picture.
    const given = large ? effort : { ...effort, sets: 1 }
    const measured = await load(stage, given, { sizeBytes, lane: 'reliable', peers: large })
    const size = `messages of ${sizeBytes.toLocaleString('en')} bytes`
    figures.push(
      figureOf(
        {
          name: `throughput, ${size}`,
          unit: 'MB/s',
          note: 'One sender, one receiver. Bare and PeerJS wait at 1 MiB queued until 512 KiB are left.',
          at: { sizeBytes },
        },
        scaled(measured.of('perSecond'), sizeBytes / MEGABYTE),
        large ? LARGE : undefined,
      ),
      figureOf(
        {
          name: `processor time of 100 MB, ${size}`,
          unit: 's',
          note: 'All processes of both browsers. On a machine that has other things to do, trust this before throughput.',
          at: { sizeBytes },
        },
        scaled(measured.of('processorMs'), (100 * MEGABYTE) / sizeBytes / 1_000),
      ),
    )
  }
  return figures
}

export async function smallMessages(stage: Stage, effort: Effort): Promise<Figure[]> {
  const reliable = await load(stage, effort, { sizeBytes: 100, lane: 'reliable', peers: true })
  const latest = await load(stage, effort, { sizeBytes: 100, lane: 'latest', peers: false })
  const most = (what: 'leftDirect' | 'resent'): number => Math.ceil(Math.max(...(reliable.of(what).get('ours') ?? [])))
  return [
    figureOf(
      {
        name: 'messages of 100 bytes, reliable',
        unit: 'messages/s',
        note: `Handed to the receiving application. Ours: \`await sent.accepted\` between sends. Of one pair, our sender left the direct path ${most('leftDirect')} times at most and sent ${most('resent')} frames again.`,
      },
      reliable.of('perSecond'),
      SMALL,
    ),
    figureOf(
      {
        name: 'messages of 100 bytes, latest',
        unit: 'messages/s',
        note: 'Handed to the receiving application. Set in bursts of 32, then a turn of the event loop. Bare: a channel without order and repetition, which drops while 64 KiB are queued, as ours does.',
      },
      latest.of('perSecond'),
      SMALL,
    ),
  ]
}
