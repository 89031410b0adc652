import { type Figure, rounded, withGoal } from '../figure.ts'
import type { ContestantName } from '../page/contestant.ts'
import { type Effort, pairs } from '../rounds.ts'
import type { Company, Stage } from '../stage.ts'

const SIZE_BYTES = 100

/** Bytes handed to data channels beyond the messages' own. */
export async function overhead(stage: Stage, effort: Effort): Promise<Figure[]> {
  const companies = await pairs(stage)
  for (const { pages } of companies.values()) for (const page of pages) await page.evaluate(() => bench.countWire())
  const count = Math.min(effort.messages, 5_000)
  const figures = [
    ...(await measured(companies, 'sent at once', { count })),
    ...(await measured(companies, 'sent one by one', { count: Math.min(100, count), pauseMs: 20 })),
  ]
  for (const company of companies.values()) await company.leave()
  return figures
}

async function measured(
  companies: ReadonlyMap<ContestantName, Company>,
  how: string,
  plan: { readonly count: number; readonly pauseMs?: number },
): Promise<Figure[]> {
  const there: Record<string, number> = {}
  const both: Record<string, number> = {}
  for (const [name, { pages }] of companies) {
    const bytes = (): Promise<number[]> =>
      Promise.all(pages.map((page) => page.evaluate(() => bench.wireCount().bytes)))
    const before = await bytes()
    const load = { sizeBytes: SIZE_BYTES, lane: 'reliable', ...plan } as const
    await pages[0]?.evaluate((given) => guest.load(given), load)
    const [sender = 0, receiver = 0] = (await bytes()).map((after, at) => after - (before[at] ?? 0))
    there[name] = rounded(sender / plan.count - SIZE_BYTES)
    both[name] = rounded((sender + receiver) / plan.count - SIZE_BYTES)
  }
  const figure = (name: string, note: string, values: Readonly<Record<string, number>>): Figure => {
    const { ours = Number.NaN, bare = 0, ...peers } = values
    return withGoal({ name, unit: 'bytes a message', note, ours, bare, peers, ratio: null }, { of: 'ours', most: 12 })
  }
  return [
    figure(
      `overhead of a message of 100 bytes, ${how}, its own frame`,
      "Handed to the sender's data channels, less the messages; a few bytes of the benchmark's own are in it.",
      there,
    ),
    figure(
      `overhead of a message of 100 bytes, ${how}, with all that comes back`,
      'Acknowledgements and pings of both sides.',
      both,
    ),
  ]
}
