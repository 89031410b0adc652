import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe } from 'vitest'
import type { ServerOptionsInput } from '../../signaling/options/table.ts'
import { startServer } from '../../signaling/server.ts'
import { CARRIERS, type CarrierName } from './wire.ts'
import { type JoinOptions, WireClient } from './wire-client.ts'

export interface RunningTarget {
  readonly url: string
  close(how?: { readonly restart?: boolean }): Promise<void>
}

/** A server under test, and what a test needs around it. Everything is closed after each test. */
export interface Target {
  /** By which its clients come. */
  readonly carrier: CarrierName
  /** Start one, or take the one that PARTYLINE_URL names. */
  start(options?: ServerOptionsInput): Promise<RunningTarget>
  connect(server: RunningTarget, options?: Parameters<typeof WireClient.connect>[1]): Promise<WireClient>
  joined(server: RunningTarget, join: JoinOptions): Promise<WireClient & { readonly id: string }>
  /** A data folder that lives as long as the test. */
  folder(): Promise<string>
}

const given = process.env.PARTYLINE_URL?.replace(/\/$/, '')

/** True when the suite speaks to a server that it did not start: tests with options of their own are left out. */
export const isExternal = given !== undefined

function targetOf(engine: 'uws' | 'ws' | undefined, carrier: CarrierName): Target {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const act of undo.splice(0).reverse()) await act()
  })
  const target: Target = {
    carrier,
    folder: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'partyline-conformance-'))
      undo.push(() => rm(folder, { recursive: true, force: true }))
      return folder
    },
    start: async (options = {}) => {
      if (given !== undefined) return { url: given, close: async () => undefined }
      const dataFolder = options.dataFolder ?? (await target.folder())
      const server = await startServer({
        port: 0,
        host: '127.0.0.1',
        turn: 'off',
        logLevel: 'silent',
        ...(engine === undefined ? {} : { engine }),
        ...options,
        dataFolder,
      })
      undo.push(() => server.close())
      return server
    },
    connect: async (server, options) => {
      const client = await WireClient.connect(server.url, { carrier, ...options })
      undo.push(() => client.drop())
      return client
    },
    joined: async (server, join) => {
      const client = await target.connect(server)
      const { peerId } = await client.join(join)
      return Object.assign(client, { id: peerId })
    },
  }
  return target
}

/** The same tests on each engine and by each carrier, or on the server that PARTYLINE_URL names. */
export function describeWire(
  name: string,
  tests: (target: Target) => void,
  carriers: readonly CarrierName[] = CARRIERS,
): void {
  if (given !== undefined) {
    describe.each(carriers)(`${name} (${given}, %s)`, (carrier) => tests(targetOf(undefined, carrier)))
  } else {
    const cases = carriers.flatMap((carrier) => [['uws', carrier] as const, ['ws', carrier] as const])
    describe.each(cases)(`${name} (%s, %s)`, (engine, carrier) => tests(targetOf(engine, carrier)))
  }
}

/** A room that no other test uses, on an external server too. */
export const freshRoom = (): string => `conformance-${crypto.randomUUID()}`
