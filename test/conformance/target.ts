import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe } from 'vitest'
import type { ServerOptionsInput } from '../../signaling/options/table.ts'
import { startServer } from '../../signaling/server.ts'
import { type JoinOptions, WireClient } from './wire-client.ts'

export interface RunningTarget {
  readonly url: string
  close(how?: { readonly restart?: boolean }): Promise<void>
}

/** A server under test, and what a test needs around it. Everything is closed after each test. */
export interface Target {
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

function targetOf(engine: 'uws' | 'ws' | undefined): Target {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const act of undo.splice(0).reverse()) await act()
  })
  const target: Target = {
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
      const client = await WireClient.connect(server.url, options)
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

/** The same tests on each engine, or on the server that PARTYLINE_URL names. */
export function describeWire(name: string, tests: (target: Target) => void): void {
  if (given !== undefined) describe(`${name} (${given})`, () => tests(targetOf(undefined)))
  else describe.each(['uws', 'ws'] as const)(`${name} (%s)`, (engine) => tests(targetOf(engine)))
}

/** A room that no other test uses, on an external server too. */
export const freshRoom = (): string => `conformance-${crypto.randomUUID()}`
