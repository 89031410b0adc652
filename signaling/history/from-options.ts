import { randomFillSync } from 'node:crypto'
import type { DataFolder } from '../data-folder.ts'
import type { Log } from '../log.ts'
import { LogThrottle } from '../log-throttle.ts'
import type { ServerOptions } from '../options/table.ts'
import { MemoryCells } from './cells.ts'
import { FileCells } from './file-cells.ts'
import { LogStore } from './log-store.ts'
import type { LogLimits } from './new-logs.ts'
import { type HistoryRule, parseHistoryRule, ruleFor } from './rules.ts'

export interface KeptHistory {
  readonly rules: readonly HistoryRule[]
  readonly store: LogStore
  /** From now on. */
  allow(limits: LogLimits): void
  /** What was handed over is written. */
  close(): Promise<void>
}

const FILE = 'history.mdb'
const SWEEP_EVERY_MS = 5_000

/** Undefined when nothing is to be kept. @throws HistoryFileError, DataFolderError */
export async function historyFromOptions(
  options: ServerOptions,
  folder: DataFolder,
  log: Log,
): Promise<KeptHistory | undefined> {
  const rules = options.history.map(parseHistoryRule).filter((rule) => rule !== undefined)
  if (rules.length === 0) return undefined
  const cells = options.historyStore === 'file' ? await FileCells.open(folder.file(FILE)) : new MemoryCells()
  const throttle = new LogThrottle(() => performance.now())
  let limits: LogLimits = options
  const store = new LogStore({
    cells,
    nowMs: () => Date.now(),
    random: (bytes) => void randomFillSync(bytes),
    bounds: ({ room, user }) => {
      const rule = ruleFor(rules, room)
      if (rule === undefined || user === undefined) return rule
      return rule.mail === 0 ? undefined : { messages: rule.mail, ageMs: rule.ageMs }
    },
    mostBytes: options.historyBytes,
    limits: () => limits,
    failed: (error) =>
      throttle.tell((unsaid) => log.error({ err: error, ...unsaid }, 'the history could not be written')),
  })
  const sweeping = setInterval(() => store.sweep(), SWEEP_EVERY_MS)
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
