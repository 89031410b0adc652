import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../signaling/clock.ts'
import { DataFolder } from '../../signaling/data-folder.ts'
import { Hub } from '../../signaling/hub.ts'
import { HUB_DEFAULTS } from '../../signaling/limits/hub-options.ts'
import { Heartbeat } from '../../signaling/net/heartbeat.ts'
import { listenWithUws } from '../../signaling/net/uws-engine.ts'
import { carryOverWebSocket } from '../../signaling/net/websocket-carrier.ts'
import { listenWithWs } from '../../signaling/net/ws-engine.ts'
import { MemoryDepartures } from '../../signaling/sessions/departures.ts'
import { selfSignedFiles } from '../../signaling/tls/self-signed.ts'
import { WireClient } from '../conformance/wire-client.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

async function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'partyline-tls-'))
  undo.push(() => rmSync(folder, { recursive: true, force: true }))
  return await selfSignedFiles(new DataFolder(folder), [])
}

describe.each([
  ['uws', listenWithUws],
  ['ws', listenWithWs],
] as const)('a room of many on %s whose certificate is renewed', (_engine, listen) => {
  it('goes on as one: all hear those who came before and those who came after', async () => {
    const hub = new Hub({
      options: HUB_DEFAULTS,
      clock: systemClock,
      random: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      log: { debug() {}, info() {}, warn() {}, error: (fields) => console.error(fields) },
      sessionKeys: [crypto.getRandomValues(new Uint8Array(32))],
      iceServers: () => ({ servers: [], expiresAtMs: Date.now() + 3_600_000 }),
      departures: new MemoryDepartures(),
    })
    const heartbeat = new Heartbeat(() => performance.now())
    const network = await listen({
      ...{ host: '127.0.0.1', port: 0, tls: await certificate(), webSocketPath: '/ws' },
      ...{ maxMessageBytes: 1_048_576, maxQueuedBytes: 4_194_304 },
      upgrade: ({ socketAddress }) => ({ accept: carryOverWebSocket(hub, heartbeat, socketAddress, undefined) }),
      http: () => undefined,
      onError: (error) => console.error(error),
    })
    undo.push(() => network.close(0))
    const enter = async (): Promise<WireClient> => {
      const client = await WireClient.connect(`https://127.0.0.1:${network.port}`, { rejectUnauthorized: false })
      undo.push(() => client.drop())
      await client.join({ room: 'renewed' })
      return client
    }
    const enterMany = async (): Promise<readonly WireClient[]> => await Promise.all(Array.from({ length: 6 }, enter))

    const before = await enterMany()
    await network.reloadTls(await certificate())
    const after = await enterMany()
    const [one] = before
    const [other] = after
    if (one === undefined || other === undefined) throw new Error('nobody came')
    for (let round = 0; round < 5; round += 1) {
      one.send({ kind: 'all' }, `${round} from before`)
      await one.settle()
      other.send({ kind: 'all' }, `${round} from after`)
      await other.settle()
    }
    const rounds = [0, 1, 2, 3, 4]
    for (const member of [...before, ...after]) {
      await member.settle()
      const heard = rounds.flatMap((round) => [
        ...(member === one ? [] : [`${round} from before`]),
        ...(member === other ? [] : [`${round} from after`]),
      ])
      expect(member.unreadFrames.map(({ payload }) => payload)).toEqual(heard)
    }
  })
})
