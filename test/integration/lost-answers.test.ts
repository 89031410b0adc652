import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { type Json, joinRoom, type Room } from 'partyline'
import { afterEach, describe, expect, it } from 'vitest'
import { type RunningServer, startServer } from '../../signaling/server.ts'
import type { CarrierKind } from '../../web/client/face.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

async function serve(engine: 'uws' | 'ws'): Promise<RunningServer> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'partyline-lost-answers-'))
  undo.push(() => rm(dataFolder, { recursive: true, force: true }))
  const server = await startServer({ host: '127.0.0.1', port: 0, turn: 'off', logLevel: 'silent', engine, dataFolder })
  undo.push(() => server.close())
  return server
}

interface LossyProxy {
  readonly url: string
  /** Answers that the server gave and the client never got. */
  lost(): number
}

const LOSE_EVERY = 10

/** Every tenth answer to a send or a poll is lost, when the server has given all of it. */
async function loseAnswersOf({ port }: RunningServer): Promise<LossyProxy> {
  let answers = 0
  let lost = 0
  const proxy = createServer((asked, answer) => {
    const { url: path = '/', method, headers } = asked
    const passed = request({ host: '127.0.0.1', port, path, method, headers }, (given) => {
      const counts = /\/uplink\/(?:send|poll)/.test(path)
      if (counts) answers += 1
      if (counts && answers % LOSE_EVERY === 0) {
        lost += 1
        given.resume()
        given.on('end', () => answer.destroy())
        given.on('error', () => answer.destroy())
        return
      }
      answer.writeHead(given.statusCode ?? 502, given.headers)
      given.pipe(answer)
      given.on('error', () => answer.destroy())
    })
    passed.on('error', () => answer.destroy())
    asked.pipe(passed)
    answer.on('close', () => passed.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    proxy.closeAllConnections()
    return new Promise((resolve) => proxy.close(resolve))
  })
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, lost: () => lost }
}

async function enter(server: string, uplink: CarrierKind): Promise<Room<Json>> {
  const room = joinRoom('lost answers', { server, paths: ['relay'], uplink })
  undo.push(() => room.leave())
  await room.ready
  return room
}

const COUNT = 500
/** Few enough at once that they take many requests. */
const BURST = 5
const PAUSE_MS = 10

async function numbers(from: Room<Json>, to: Room<Json>): Promise<void> {
  const got: number[] = []
  to.channel<number>('numbers').on('message', ({ data }) => void got.push(data))
  const channel = from.channel<number>('numbers')
  const outcomes = []
  for (let n = 0; n < COUNT; n += 1) {
    outcomes.push(channel.send(n).delivered)
    if (n % BURST === BURST - 1) await after(PAUSE_MS)
  }
  const missing = (await Promise.all(outcomes)).filter(({ missed, to: whom }) => missed.size > 0 || whom.length === 0)
  expect(missing).toEqual([])
  await expect.poll(() => got.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(COUNT)
  expect(got).toEqual(Array.from({ length: COUNT }, (_, n) => n))
}

describe.each(['uws', 'ws'] as const)('requests whose answers are lost (%s)', (engine) => {
  it.each(['sse', 'long-poll', 'short-poll'] as const)(
    'are repeated by %s: all arrives once, in order, and no connection is lost',
    async (kind) => {
      const proxy = await loseAnswersOf(await serve(engine))
      const ada = await enter(proxy.url, kind)
      const bo = await enter(proxy.url, kind)
      await expect.poll(() => [ada.peers.size, bo.peers.size], { timeout: 10_000 }).toEqual([1, 1])
      await Promise.all([numbers(ada, bo), numbers(bo, ada)])
      expect(proxy.lost()).toBeGreaterThan(2)
      expect([ada, bo].map((room) => room.stats().carrier)).toEqual([kind, kind])
      expect([ada, bo].map((room) => room.stats().reconnections)).toEqual([0, 0])
    },
    60_000,
  )
})
