import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { type Cells, type Change, MemoryCells } from '../../../signaling/history/cells.ts'
import { FileCells } from '../../../signaling/history/file-cells.ts'
import { type LogBounds, LogStore } from '../../../signaling/history/log-store.ts'
import { LOG_LIMITS, type LogLimits } from '../../../signaling/history/new-logs.ts'
import type { LogName, NewEntry, PageQuery, Writer } from '../../../signaling/history/store.ts'
import { encodeText } from '../../../signaling/protocol/bytes.ts'
import type { PeerId } from '../../../signaling/protocol/ids.ts'

export const ROOM: LogName = { room: 'lobby', user: undefined }
export const DAY_MS = 86_400_000

export interface StoreWorld {
  readonly store: LogStore
  nowMs: number
  bounds: LogBounds | undefined
  limits: LogLimits
  /** Commits from now on are refused. */
  refuse: boolean
  readonly failures: unknown[]
  /** As after a restart of the process; in memory nothing is left. */
  again(): Promise<StoreWorld>
}

/** Cells whose commits a test can refuse. */
class Refusing implements Cells {
  constructor(
    private readonly cells: Cells,
    private readonly refuses: () => boolean,
  ) {}

  get = (...args: Parameters<Cells['get']>) => this.cells.get(...args)
  list = (...args: Parameters<Cells['list']>) => this.cells.list(...args)
  close = () => this.cells.close()

  async commit(changes: readonly Change[]): Promise<void> {
    if (this.refuses()) throw new Error('no space left on the device')
    await this.cells.commit(changes)
  }
}

export const KINDS = ['memory', 'file'] as const
export type StoreKind = (typeof KINDS)[number]

/** Makes stores of a kind; closed, and their files removed, after each test. */
export function storeMaker(kind: StoreKind): (mostBytes?: number) => Promise<StoreWorld> {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const act of undo.splice(0).reverse()) await act()
  })
  const make = async (path: string, mostBytes: number, nowMs: number, seed: number): Promise<StoreWorld> => {
    const cells = kind === 'file' ? await FileCells.open(path) : new MemoryCells()
    let byte = seed
    let closed = false
    const world: StoreWorld = {
      nowMs,
      bounds: { messages: 100, ageMs: DAY_MS },
      limits: LOG_LIMITS,
      refuse: false,
      failures: [],
      store: new LogStore({
        cells: new Refusing(cells, () => world.refuse),
        nowMs: () => world.nowMs,
        random: (bytes) => {
          byte += 1
          bytes.fill(byte)
        },
        bounds: () => world.bounds,
        mostBytes,
        limits: () => world.limits,
        failed: (error) => void world.failures.push(error),
      }),
      again: async () => {
        closed = true
        await world.store.close()
        const next = await make(path, mostBytes, world.nowMs, byte)
        next.bounds = world.bounds
        next.limits = world.limits
        return next
      },
    }
    undo.push(async () => {
      if (!closed) await world.store.close()
    })
    return world
  }
  return async (mostBytes = 100_000_000) => {
    const folder = await mkdtemp(join(tmpdir(), 'partyline-history-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    return make(join(folder, 'history.mdb'), mostBytes, 1_750_000_000_000, 0)
  }
}

export const entry = (text: string, more: Partial<NewEntry> = {}): NewEntry => ({
  id: `00-1-${text}`,
  channel: 'chat',
  from: '00112233445566ff' as PeerId,
  userId: undefined,
  profile: { name: 'Ada' },
  body: encodeText(text),
  ...more,
})

export const writer = (n: number, key = 'w1'): Writer => ({ key, n })

export async function texts(store: LogStore, query: Partial<PageQuery> = {}, log = ROOM): Promise<string[]> {
  const { entries } = await store.read(log, { limit: 256, mostBytes: 10_000_000, ...query })
  return entries.map(({ body }) => Buffer.from(body).toString())
}
