import { randomFillSync } from 'node:crypto'
import type { DataFolder } from '../data-folder.ts'
import type { Log } from '../log.ts'
import { LogThrottle } from '../log-throttle.ts'
import type { ServerOptions } from '../options/table.ts'
import { type Cells, MemoryCells } from './cells.ts'
import { FileCells, unusable } from './file-cells.ts'
import { LogStore } from './log-store.ts'
import type { LogLimits } from './new-logs.ts'
import { type HistoryRule, parseHistoryRule, ruleFor } from './rules.ts'

/** What may be another while the server runs. */
export type HistoryLimits = LogLimits & Pick<ServerOptions, 'historyBytes'>

export interface KeptHistory {
  readonly rules: readonly HistoryRule[]
  readonly store: LogStore
  /** From now on. What is there beyond it stays. */
  allow(limits: HistoryLimits): void
  /** What was handed over is written. */
  close(): Promise<void>
}

const FILE = 'history.mdb'
const SWEEP_EVERY_MS = 5_000

/** @throws HistoryFileError, DataFolderError */
async function openStore(
  { historyStore }: ServerOptions,
  folder: DataFolder,
  storeOver: (cells: Cells) => LogStore,
): Promise<LogStore> {
  if (historyStore === 'memory') return storeOver(new MemoryCells())
  const path = folder.file(FILE)
  const cells: Cells = await FileCells.open(path)
  try {
    return storeOver(cells)
  } catch (error) {
    // Rows that nobody wrote so.
    await cells.close()
    throw unusable(path, error)
  }
}

/** Undefined when nothing is to be kept. @throws HistoryFileError, DataFolderError */
export async function historyFromOptions(
  options: ServerOptions,
  folder: DataFolder,
  log: Log,
): Promise<KeptHistory | undefined> {
  const rules = options.history.map(parseHistoryRule).filter((rule) => rule !== undefined)
  if (rules.length === 0) return undefined
  const throttle = new LogThrottle(() => performance.now())
  let limits: HistoryLimits = options
  const failed = (error: unknown): void =>
    throttle.tell((unsaid) => log.error({ err: error, ...unsaid }, 'the history could not be written'))
  const storeOver = (cells: Cells): LogStore =>
    new LogStore({
      cells,
      nowMs: () => Date.now(),
      random: (bytes) => void randomFillSync(bytes),
      bounds: ({ room, user }) => {
        const rule = ruleFor(rules, room)
        if (rule === undefined || user === undefined) return rule
        return rule.mail === 0 ? undefined : { messages: rule.mail, ageMs: rule.ageMs }
      },
      get mostBytes() {
        return limits.historyBytes
      },
      limits: () => limits,
      failed,
    })
  const store = await openStore(options, folder, storeOver)
  const sweep = (): void => {
    try {
      store.sweep()
    } catch (error) {
      // A row that is not what was written: one log is not swept, and nobody is sent away for it.
      failed(error)
    }
  }
  const sweeping = setInterval(sweep, SWEEP_EVERY_MS)
  sweeping.unref()
  return {
    rules,
    store,
    allow: (next) => {
      limits = next
    },
    close: async () => {
      clearInterval(sweeping)
      await store.close()
    },
  }
}
