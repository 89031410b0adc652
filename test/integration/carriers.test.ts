import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Json, joinRoom, type Room } from 'partyline'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../../signaling/server.ts'
import type { CarrierKind } from '../../web/client/face.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

async function serve(engine: 'uws' | 'ws'): Promise<RunningServer> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'partyline-carriers-'))
  undo.push(() => rm(dataFolder, { recursive: true, force: true }))
  const server = await startServer({ host: '127.0.0.1', port: 0, turn: 'off', logLevel: 'silent', engine, dataFolder })
  undo.push(() => server.close())
  return server
}

async function enter(server: RunningServer, uplink: CarrierKind): Promise<Room<Json>> {
  const room = joinRoom('carriers', { server: server.url, paths: ['relay'], uplink })
  undo.push(() => room.leave())
  await room.ready
  return room
}

async function enterBoth(
  server: RunningServer,
  kinds: readonly [CarrierKind, CarrierKind],
): Promise<readonly [Room<Json>, Room<Json>]> {
  const ada = await enter(server, kinds[0])
  const bo = await enter(server, kinds[1])
  await expect.poll(() => [ada.peers.size, bo.peers.size]).toEqual([1, 1])
  return [ada, bo]
}

const COUNT = 1_000

async function numbers(from: Room<Json>, to: Room<Json>): Promise<void> {
  const got: number[] = []
  let all: () => void = () => undefined
  const whole = new Promise<void>((resolve) => {
    all = resolve
  })
  to.channel<number>('numbers').on('message', ({ data }) => {
    got.push(data)
    if (got.length === COUNT) all()
  })
  const channel = from.channel<number>('numbers')
  const outcomes = await Promise.all(Array.from({ length: COUNT }, (_, n) => channel.send(n).delivered))
  await whole
  expect(outcomes.filter(({ missed, to: whom }) => missed.size > 0 || whom.length === 0)).toEqual([])
  expect(got).toEqual(Array.from({ length: COUNT }, (_, n) => n))
}

describe.each(['uws', 'ws'] as const)('members over plain HTTP (%s)', (engine) => {
  it.each(['sse', 'long-poll', 'short-poll'] as const)('talk by %s', async (kind) => {
    const server = await serve(engine)
    const [ada, bo] = await enterBoth(server, [kind, kind])
    expect(ada.stats().carrier).toBe(kind)
    await Promise.all([numbers(ada, bo), numbers(bo, ada)])
    expect(server.stats().carriers[kind]).toBe(2)
    const bytes = new Uint8Array(3_000_000).map((_, index) => index % 251)
    const arrived = new Promise<Uint8Array>((resolve) =>
      bo.channel<Uint8Array>('bytes').on('message', ({ data }) => resolve(data)),
    )
    ada.channel<Uint8Array>('bytes').send(bytes)
    expect(Buffer.compare(await arrived, bytes)).toBe(0)
    await ada.leave()
    await expect.poll(() => bo.peers.size).toBe(0)
    expect([ada.stats().reconnections, bo.stats().reconnections]).toEqual([0, 0])
  })
})
