import { type Figure, figureOf, median, rounded, withGoal } from '../figure.ts'
import { CONTESTANTS } from '../page/contestant.ts'
import { interleaved } from '../rounds.ts'
import type { Stage } from '../stage.ts'

/** In a page that has done nothing before, too. */
async function webSocketRoundTrip(stage: Stage): Promise<number> {
  const page = await stage.page(1)
  const ms = await page.evaluate((address) => bench.webSocketRoundTrip(address), stage.addresses.pubSub)
  await page.context().close()
  return ms
}

/** A member is in the room, a second one enters, in pages that have done nothing before: when is its first message there? */
export async function start(stage: Stage, rounds: number, addedRttMs = 0): Promise<Figure[]> {
  const measured = await interleaved(CONTESTANTS, { rounds }, async (name) => {
    const company = await stage.prepare(name, 2)
    const [host, newcomer] = company.pages
    if (host === undefined || newcomer === undefined) throw new Error('a pair is two pages')
    try {
      await host.evaluate(() => guest.enter())
      const fromMs = await newcomer.evaluate(() => guest.enterAndSend())
      const { firstAtMs, directAtMs } = await host.evaluate(() => guest.firstMessages())
      const webSocketMs = name === 'ours' ? await webSocketRoundTrip(stage) : 0
      return { first: firstAtMs - fromMs, direct: directAtMs - fromMs, webSocket: webSocketMs }
    } finally {
      await company.leave()
    }
  })
  const ours = measured.of('first').get('ours') ?? []
  const floor = measured.of('webSocket').get('ours') ?? []
  const peers: Record<string, number> = {}
  for (const [name, times] of measured.of('first')) {
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
        name: `join until first direct message there, ${addedRttMs} ms added`,
        unit: 'ms',
        note: "Sent as soon as the newcomer's library says that it is connected directly. Bare has candidates of this machine only, and a server that does nothing.",
        at,
      },
      measured.of('direct'),
    ),
  ]
}
