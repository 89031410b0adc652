import { setTimeout as after } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { HostileServer } from './server/hostile-server.ts'
import { RawConnection } from './server/raw-connection.ts'
import { upgradeRequest } from './server/web-socket-bytes.ts'

/** Longer than a request may take to come. */
const STALLED_MS = 12_000
const UPGRADES = 200

it.concurrent.each(['uws', 'ws'] as const)(
  'upgrades that wait for a server that stands still, by whatever busy it is, are taken when it goes on (%s)',
  async (engine) => {
    const server = await HostileServer.start(engine)
    try {
      const connections = await Promise.all(
        Array.from({ length: UPGRADES }, () => RawConnection.open({ port: server.port })),
      )
      // It has all of them when it has answered who came last.
      const last = await RawConnection.open({ port: server.port })
      last.write(upgradeRequest())
      expect(await last.until(/101/)).toBe(true)
      server.stall()
      for (const connection of connections) connection.write(upgradeRequest())
      await after(STALLED_MS)
      server.goOn()
      await Promise.all(connections.map((connection) => connection.until(/HTTP\/1.1 \d+/)))
      const statuses = connections.map(({ statuses: [status] }) => status)
      expect(statuses.filter((status) => status !== 101)).toEqual([])
      for (const connection of [...connections, last]) connection.destroy()
    } finally {
      await server.close()
    }
  },
  60_000,
)
