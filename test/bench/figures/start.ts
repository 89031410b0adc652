import { type Figure, figureOf, median, rounded, withGoal } from '../figure.ts'
import { CONTESTANTS, type ContestantName } from '../page/contestant.ts'
import { type Effort, interleaved } from '../rounds.ts'
import type { Stage } from '../stage.ts'

/** A member is in the room, a second one enters, in pages that have done nothing before: when is its first message there? */
export async function start(stage: Stage, effort: Effort, addedRttMs = 0): Promise<Figure[]> {
  const direct = new Map<ContestantName, number[]>()
  const floor: number[] = []
  const first = await interleaved(CONTESTANTS, effort.starts, async (name) => {
    const company = await stage.prepare(name, 2)
    const [host, newcomer] = company.pages
    if (host === undefined || newcomer === undefined) throw new Error('a pair is two pages')
    try {
      await host.evaluate(() => guest.enter())
      const fromMs = await newcomer.evaluate(() => guest.enterAndSend())
      const firstAtMs = await host.evaluate(() => guest.firstMessage())
      const connectedAtMs = await newcomer.evaluate(() => guest.connected())
      if (name === 'ours') {
        direct.set(name, [...(direct.get(name) ?? []), connectedAtMs - fromMs])
        const page = await stage.page(1)
        floor.push(await page.evaluate((address) => bench.webSocketRoundTrip(address), stage.addresses.pubSub))
        await page.context().close()
      } else {
        direct.set(name, [...(direct.get(name) ?? []), firstAtMs - fromMs])
      }
      return firstAtMs - fromMs
    } finally {
      await company.leave()
    }
  })
  floor.shift()
  for (const times of direct.values()) times.shift()
  const ours = first.get('ours') ?? []
  const peers: Record<string, number> = {}
  for (const [name, times] of first) {
    if (name !== 'ours') peers[name === 'bare' ? 'bare WebRTC' : name] = rounded(median(times))
  }
  const at = { addedRttMs }
  return [
    withGoal(
      {
        name: `join until first message there, ${addedRttMs} ms added`,
        unit: 'ms',
        ours: rounded(median(ours)),
        bare: rounded(median(floor)),
        peers,
        ratio: rounded(median(ours.map((ms, round) => ms / (floor[round] ?? Number.NaN)))),
        note: 'Bare: connecting a WebSocket and one round trip on it. The others can send once they are connected directly.',
        at,
      },
      { of: 'ratio', most: 1.2 },
    ),
    figureOf(
      {
        name: `join until the direct path is in use, ${addedRttMs} ms added`,
        unit: 'ms',
        note: 'Bare and the others: until their first message is there. Bare has candidates of this machine only, and a server that does nothing.',
        at,
      },
      direct,
    ),
  ]
}
