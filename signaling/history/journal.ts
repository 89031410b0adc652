import type { CellKey, Cells, Change } from './cells.ts'
import { StoreError } from './store.ts'

export interface JournalParts {
  readonly cells: Cells
  /** ms; may begin anywhere. */
  readonly nowMs: () => number
  /** The cells refused: these changes are lost, with what was made from them. Called once for each failure. */
  failed(error: unknown, lost: readonly Change[]): void
}

const textOf = (key: CellKey): string => JSON.stringify(key)

class Batch {
  readonly changes = new Map<string, Change>()
  bytes = 0
  readonly committed: Promise<void>
  settle: (error?: unknown) => void = () => undefined

  constructor() {
    this.committed = new Promise((resolve, reject) => {
      this.settle = (error) => (error === undefined ? resolve() : reject(error))
    })
    // Whoever does not wait has nothing to lose by it.
    this.committed.catch(() => undefined)
  }
}

/**
 * Rows as they will be: what is put here is seen at once by `get`, and is written together with everything else that
 * comes while the commit before it is under way. One commit at a time, in order, so that a flush is shared by all who wait.
 */
export class Journal {
  readonly #parts: JournalParts
  #gathering = new Batch()
  #writing: Batch | undefined
  /** It will write, or does. */
  #running = false
  #idle: (() => void)[] = []
  commits = 0
  commitMs = 0
  failedCommits = 0

  constructor(parts: JournalParts) {
    this.#parts = parts
  }

  get waitingBytes(): number {
    return this.#gathering.bytes + (this.#writing?.bytes ?? 0)
  }

  get(key: CellKey): Uint8Array | undefined {
    const text = textOf(key)
    for (const batch of [this.#gathering, this.#writing]) {
      const change = batch?.changes.get(text)
      if (change !== undefined) return change.value
    }
    return this.#parts.cells.get(key)
  }

  /** Put a row, or take it away. */
  put(key: CellKey, value: Uint8Array | undefined): void {
    const { changes } = this.#gathering
    const text = textOf(key)
    this.#gathering.bytes += (value?.length ?? 0) - (changes.get(text)?.value?.length ?? 0)
    changes.set(text, { key, value })
    if (this.#running) return
    this.#running = true
    queueMicrotask(() => void this.#write())
  }

  /** Resolves when everything that was put until now would survive a crash. @throws StoreError `store-failed` */
  committed(): Promise<void> {
    if (this.#gathering.changes.size > 0) return this.#gathering.committed
    return this.#writing?.committed ?? Promise.resolve()
  }

  /** Resolves when nothing waits any more, whatever became of it. */
  async idle(): Promise<void> {
    if (this.#gathering.changes.size === 0 && this.#writing === undefined) return
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async #write(): Promise<void> {
    const { cells, nowMs, failed } = this.#parts
    while (this.#gathering.changes.size > 0) {
      const batch = this.#gathering
      this.#writing = batch
      this.#gathering = new Batch()
      const startedMs = nowMs()
      try {
        await cells.commit([...batch.changes.values()])
        this.#writing = undefined
        this.commits += 1
        this.commitMs += Math.max(0, nowMs() - startedMs)
        batch.settle()
      } catch (error) {
        this.#writing = undefined
        this.failedCommits += 1
        const why = new StoreError('store-failed', 'what is kept could not be written', { cause: error })
        // What came meanwhile was made from what is not there.
        const lost = [batch, this.#gathering]
        this.#gathering = new Batch()
        failed(
          error,
          lost.flatMap(({ changes }) => [...changes.values()]),
        )
        for (const one of lost) one.settle(why)
      }
    }
    this.#running = false
    for (const tell of this.#idle.splice(0)) tell()
  }
}
