import { farVenue } from '../far-venue.ts'
import { type Figure, figureOf, median, quantile, rounded } from '../figure.ts'
import { type Effort, interleaved, pairs } from '../rounds.ts'
import { type Company, Stage } from '../stage.ts'

const ROUND_TRIP_MS = 50
const LOSS_PERCENT = 1
const SIZE_BYTES = 65_536
const QUIET_MS = 5_000
const WAY = `${ROUND_TRIP_MS} ms and ${LOSS_PERCENT} % loss`

/**
 * Large messages over a long way that loses packets, where one association is slow, and how small messages fare
 * meanwhile. In the NAT lab's namespaces, so it needs root: else no figures.
 */
export async function lossy(
  effort: Effort,
  client: string | undefined,
  log: (text: string) => void,
): Promise<Figure[]> {
  if (process.getuid?.() !== 0) {
    log('a lossy way needs root: left out')
    return []
  }
  const venue = await farVenue(ROUND_TRIP_MS / 2)
  const stage = await Stage.open({ venue, client })
  try {
    const companies = await pairs(stage, ['ours', 'bare'])
    await venue.lose(LOSS_PERCENT)
    const first = (name: 'ours' | 'bare') => (companies.get(name) as Company).first
    const quiet = await first('ours').evaluate((ms) => guest.quietRoundTrips(ms), QUIET_MS)
    const measured = await interleaved(['ours', 'bare'], { rounds: effort.lossyRounds }, async (name) => {
      const plan = { sizeBytes: SIZE_BYTES, lane: 'reliable', ms: effort.lossyMs } as const
      const { received, ms, roundTripsMs } = await first(name as 'ours' | 'bare').evaluate(
        (given) => guest.loadAndRoundTrips(given),
        plan,
      )
      const perSecond = ((received[0] ?? 0) * SIZE_BYTES) / ms / 1_000
      log(`lossy, ${name}: ${rounded(perSecond)} MB/s, round trip ${rounded(median(roundTripsMs))} ms`)
      return { perSecond, p50: quantile(roundTripsMs, 0.5), p99: quantile(roundTripsMs, 0.99) }
    })
    const note = `Of 100 bytes on a channel of their own, one after another with pauses of 50 ms, during the transfer. Ours without one: p50 ${rounded(median(quiet))} ms, p99 ${rounded(quantile(quiet, 0.99))} ms.`
    return [
      figureOf(
        {
          name: `throughput, messages of ${SIZE_BYTES.toLocaleString('en')} bytes, ${WAY}`,
          unit: 'MB/s',
          note: `Each way; for ${effort.lossyMs / 1_000} s, until the last is there. Bare waits at 1 MiB queued until 512 KiB are left. Ours opens further peer connections for large messages where one is slow.`,
          at: { sizeBytes: SIZE_BYTES, addedRttMs: ROUND_TRIP_MS, lossPercent: LOSS_PERCENT },
        },
        measured.of('perSecond'),
        { of: 'ratio', least: 3 },
      ),
      figureOf({ name: `round trip beside it, p50, ${WAY}`, unit: 'ms', note }, measured.of('p50'), {
        of: 'ratio',
        most: 1.1,
      }),
      figureOf({ name: `round trip beside it, p99, ${WAY}`, unit: 'ms', note }, measured.of('p99'), {
        of: 'ratio',
        most: 1.1,
      }),
    ]
  } finally {
    await stage.close()
  }
}
