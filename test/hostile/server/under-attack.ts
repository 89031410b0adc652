import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ServerOptionsInput } from '../../../signaling/options/table.ts'
import { HonestProcess } from './honest-process.ts'
import { HostileServer, type Memory, type Share } from './hostile-server.ts'
import { RawConnection, type RawOptions } from './raw-connection.ts'

/** A server with an honest room in it, and connections to do harm by. */
export interface Scene {
  readonly server: HostileServer
  readonly engine: 'uws' | 'ws'
  /** Ended after the test, if it still is. */
  connect(options?: Omit<RawOptions, 'port'>): Promise<RawConnection>
}

export interface Bounds {
  readonly options?: ServerOptionsInput
  /** An access token for the honest, where the server asks for one. */
  readonly access?: () => Promise<string>
  /** What the server may hold more than before, when all is over. */
  readonly heldBytes?: number
  /** What its process may have grown by: allocators give back late, if at all. */
  readonly grownBytes?: number
  /** The longest that a message of the honest room may take, on a machine that is there for it. */
  readonly worstMs?: number
}

const MB = 1_048_576

/** Slower than that, nothing would be tested any more. */
const SLOWEST = 4

/** How much longer than with a processor of its own something took that had this share of them. */
const slowedDown = (before: Share, after: Share): number =>
  Math.min(SLOWEST, 1 + (after.waitedMs - before.waitedMs) / Math.max(1, after.ranMs - before.ranMs))

/**
 * The same on both engines. After the tests the server's process has to be up, its memory bounded, nothing in its log,
 * and the honest room must have noticed nothing.
 */
export function describeUnderAttack(name: string, tests: (scene: Scene) => void, bounds: Bounds = {}): void {
  const { options = {}, access, heldBytes = 24 * MB, grownBytes = 160 * MB, worstMs = 4_000 } = bounds
  describe.each(['uws', 'ws'] as const)(`${name} (%s)`, (engine) => {
    let server: HostileServer
    let honest: HonestProcess
    let before: Memory
    let shareBefore: Share
    const open: RawConnection[] = []

    beforeAll(async () => {
      server = await HostileServer.start(engine, options)
      honest = await HonestProcess.start(server.url, await access?.())
      before = await server.memory()
      shareBefore = await server.share()
    })
    afterEach(() => {
      for (const connection of open.splice(0)) connection.destroy()
    })
    afterAll(async () => {
      await honest?.close()
      await server?.close()
    })

    tests({
      engine,
      get server() {
        return server
      },
      connect: async (how = {}) => {
        const connection = await RawConnection.open({ port: server.port, ...how })
        open.push(connection)
        return connection
      },
    })

    it('leaves the process up, its memory bounded, and the honest room as it was', async () => {
      expect(server.ended, server.output).toBeUndefined()
      const report = await honest.report()
      expect(report).toMatchObject({ came: report.due, wrong: 0, closed: [] })
      expect(report.sent).toBeGreaterThan(0)
      // A machine that has other things to do makes the server slower, and these members late.
      const slower = slowedDown(shareBefore, await server.share())
      expect(report.worstMs, `slowed down by ${slower}`).toBeLessThan(worstMs * slower + 5 * report.lateMs)
      const after = await server.memory()
      expect(after.heldBytes - before.heldBytes).toBeLessThan(heldBytes)
      expect(after.rssBytes - before.rssBytes).toBeLessThan(grownBytes)
      expect(server.output).toBe('')
    })
  })
}
