import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { Site } from '../support/rooms/site.ts'
import { allOf } from '../support/rooms/tally.ts'

let site: Site

beforeAll(async () => {
  // The server's own coturn, the real one. Both browsers are on this machine: its addresses are private.
  const [port, tlsPort] = [await freePort(), await freePort()]
  const ports = ['--turn-port', `${port}`, '--turn-tls-port', `${tlsPort}`, '--turn-relay-ports', '50000-50999']
  site = await Site.start({ args: ['--turn', 'local', ...ports, '--turn-allow-private-peers'] })
})
afterEach(async () => {
  expect(await site.empty()).toEqual([])
})
afterAll(() => site?.close())

/** Of the coturn that the server started last, as its log tells. */
function coturnPid(log: string): number {
  const pid = [...log.matchAll(/"pid":(\d+).*"msg":"coturn is running"/g)].at(-1)?.[1]
  if (pid === undefined) throw new Error(`the server has not told of a coturn: ${log}`)
  return Number(pid)
}

it.each(['udp', 'tcp'] as const)(
  'TURN only, over %s: the path says turn, and so does the browser',
  async (transport) => {
    const room = `turn over ${transport}`
    const options = { room, iceTransportPolicy: 'relay', turnTransport: transport } as const
    const ada = await site.member({ ...options, name: 'Ada' })
    const bo = await site.member({ ...options, name: 'Bo' })
    await ada.evaluate(() => member.until('turn', () => member.pathTo('Bo') === 'turn'))
    await bo.evaluate(() => member.until('turn', () => member.pathTo('Ada') === 'turn'))
    const missed = await Promise.all(
      [ada, bo].map((page) => page.evaluate(() => member.sendNumbers({ count: 500, burst: 10, pauseMs: 5 }))),
    )
    expect(missed).toEqual([[], []])
    expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(500))
    expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(500))
    for (const page of [ada, bo]) {
      const pair = { local: 'relay', relayProtocol: transport, remote: expect.stringMatching(/^(?:relay|prflx)$/) }
      await expect.poll(() => page.evaluate(() => member.selectedPair())).toEqual(pair)
    }
    const stats = await ada.evaluate(() => member.statsOn('Bo', 'turn'))
    expect(stats).toMatchObject({ path: 'turn', localCandidate: 'relay', protocol: transport })
    expect(stats.rttMs).toBeGreaterThan(0)
  },
)

it('coturn dies under traffic: the relay takes over, TURN is back with the next coturn, nothing is lost', async () => {
  const room = 'coturn dies'
  const options = { room, iceTransportPolicy: 'relay' } as const
  const ada = await site.member({ ...options, name: 'Ada' })
  const bo = await site.member({ ...options, name: 'Bo' })
  await ada.evaluate(() => member.until('turn', () => member.pathTo('Bo') === 'turn'))
  await bo.evaluate(() => member.until('turn', () => member.pathTo('Ada') === 'turn'))
  const sending = [ada, bo].map((page) =>
    page.evaluate(() => member.sendNumbers({ count: 1_000, burst: 5, pauseMs: 20 })),
  )
  await bo.evaluate(() => member.until('traffic', () => member.received('Ada') > 100))
  const before = await ada.evaluate(() => member.events.length)
  process.kill(coturnPid(site.server.output), 'SIGKILL')
  // Told, however briefly it is there, unless it was there already.
  await ada.evaluate((since) => {
    const told = (): boolean => member.events.slice(since).includes('path Bo relay')
    return member.until('on the relay', () => member.pathTo('Bo') === 'relay' || told())
  }, before)
  expect(await Promise.all(sending)).toEqual([[], []])
  expect(await bo.evaluate(() => member.tally('Ada'))).toEqual(allOf(1_000))
  expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(1_000))
  await ada.evaluate(() => member.until('turn again', () => member.pathTo('Bo') === 'turn'))
})

it('without TURN in its way, nothing goes through TURN', async () => {
  const room = 'straight'
  const ada = await site.member({ room, name: 'Ada' })
  await site.member({ room, name: 'Bo' })
  expect((await ada.evaluate(() => member.statsOn('Bo', 'direct'))).localCandidate).not.toBe('relay')
})
