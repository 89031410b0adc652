import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { encodeText } from '../../signaling/protocol/bytes.ts'
import type { HistoryEntry } from '../../signaling/protocol/history.ts'
import { encodePlainBody } from '../../signaling/protocol/record.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { partyline, type Run } from './partyline-command.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

const ROOM = 'crash'
const ROUNDS = 4
const WRITERS = 3
/** As a client: more wait until these have their answers. */
const UNDER_WAY = 64
/** Confirmed in a round, when the process is killed; more are under way then. */
const CONFIRMED = [40, 150, 400, 90]

/** A commit of some of these takes a while, in which the process is killed. */
const LARGE_BYTES = 40_000

/** One instance over all connections, which repeats what has no answer, as a client does. */
class CrashWriter {
  readonly confirmed = new Map<number, number>()
  readonly instance: string
  readonly joinKey: string
  #client: WireClient | undefined
  #next = 1
  #waiting: number[] = []

  constructor(index: number) {
    this.instance = `${index}`.repeat(32)
    this.joinKey = `${index + 1}`.repeat(32)
  }

  /** Everything is answered that was sent, but for what `more` allows to be sent besides. */
  async run(url: string, more: () => boolean, tick: () => void): Promise<void> {
    const client = await WireClient.connect(url)
    this.#client = client
    await client.join({ room: ROOM, instance: this.instance, joinKey: this.joinKey })
    for (const n of this.#waiting) this.#send(n)
    while (more() || this.#waiting.length > 0) {
      while (more() && this.#waiting.length < UNDER_WAY) {
        this.#waiting.push(this.#next)
        this.#send(this.#next)
        this.#next += 1
      }
      const { of } = await client.next('stored')
      for (const { n, offset, code } of of) {
        expect(code).toBeUndefined()
        expect(this.confirmed.get(n) ?? offset).toBe(offset)
        this.confirmed.set(n, offset ?? 0)
      }
      this.#waiting = this.#waiting.filter((n) => !this.confirmed.has(n))
      tick()
    }
  }

  leave(): void {
    this.#client?.drop()
  }

  #send(n: number): void {
    const data = encodeText(`${this.instance} ${n} ${'x'.repeat(n % 2 === 0 ? LARGE_BYTES : n)}`)
    const body = encodePlainBody({ content: 1, sentAtMs: 0, data })
    this.#client?.store({ n, channel: 1, ordinal: n, name: 'chat', user: undefined, body })
  }
}

async function everything(url: string): Promise<readonly HistoryEntry[]> {
  const client = await WireClient.connect(url)
  undo.push(() => client.drop())
  await client.join({ room: ROOM })
  const entries: HistoryEntry[] = []
  for (let more = true; more; ) {
    client.say({ t: 'history', id: client.request(), limit: 256, after: entries.at(-1)?.offset ?? 0 })
    const page = await client.next('history')
    entries.push(...page.entries)
    more = page.more
  }
  return entries
}

it('keeps what it said was stored when it is killed in the middle of writing, and nothing twice', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'partyline-crash-'))
  undo.push(() => rm(folder, { recursive: true, force: true }))
  const start = async (): Promise<{ run: Run; url: string }> => {
    const run = partyline(
      ...['--port', '0', '--host', '127.0.0.1', '--turn', 'off', '--data-folder', folder, '--log-format', 'json'],
      ...['--history', '*;messages=100000', '--history-store', 'file', '--messages-per-second', '100000'],
      ...['--bytes-per-second', '1000000000'],
    )
    undo.push(() => run.child.kill('SIGKILL'))
    const port = await run.logged(/"port":(\d+)/)
    return { run, url: `http://127.0.0.1:${port}` }
  }
  const writers = Array.from({ length: WRITERS }, (_, index) => new CrashWriter(index + 1))
  const ids = (): number => writers.reduce((sum, { confirmed }) => sum + confirmed.size, 0)

  for (let round = 0; round < ROUNDS; round += 1) {
    const { run, url } = await start()
    const until = ids() + (CONFIRMED[round] ?? 0)
    let killed = false
    const kill = (): void => {
      if (killed || ids() < until) return
      killed = true
      run.child.kill('SIGKILL')
    }
    // Each hangs in the middle, or fails, when the process is gone; before that, none may.
    const failures: unknown[] = []
    const failed = (error: unknown): void => {
      if (!killed) failures.push(error)
      run.child.kill('SIGKILL')
    }
    for (const writer of writers) writer.run(url, () => true, kill).catch(failed)
    await run.ended
    expect(failures).toEqual([])
    expect(killed).toBe(true)
    for (const writer of writers) writer.leave()
    const { run: next, url: nextUrl } = await start()
    const kept = new Map((await everything(nextUrl)).map(({ offset, id }) => [offset, id]))
    for (const { instance, confirmed } of writers) {
      for (const [n, offset] of confirmed) expect(kept.get(offset)).toBe(`${instance}-1-${n}`)
    }
    expect(new Set(kept.values()).size).toBe(kept.size)
    next.child.kill('SIGKILL')
    await next.ended
  }

  // What had no answer is repeated, and is stored once then.
  const { url } = await start()
  await Promise.all(
    writers.map((writer) =>
      writer.run(
        url,
        () => false,
        () => undefined,
      ),
    ),
  )
  const entries = await everything(url)
  expect(entries.map(({ offset }) => offset)).toEqual(entries.map((_, index) => index + 1))
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length)
  expect(entries).toHaveLength(ids())
  for (const { instance, confirmed } of writers) {
    const own = entries.filter(({ id }) => id.startsWith(instance)).map(({ id }) => Number(id.split('-')[2]))
    expect(own).toEqual([...confirmed.keys()].sort((one, other) => one - other))
  }
}, 300_000)
