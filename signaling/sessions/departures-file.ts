import { randomUUID } from 'node:crypto'
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { PeerId } from '../protocol/ids.ts'
import { type DepartureStore, MemoryDepartures, MOST_DEPARTURES } from './departures.ts'

export interface FileDeparturesDependencies {
  readonly nowMs: () => number
  /** The disk refused: departures are remembered in memory only from here on, until the process ends. */
  failed(error: unknown): void
}

/** One departure: its id and the ms since 1970 until which it counts. */
const LINE = /^([0-9a-f]{16}) (\d{1,16})$/
/** Rewriting is not worth it below this many lines: 64 KB. */
const LEAST_LINES = 2_048

/**
 * Departures in a file, one line each, appended as they happen: what was added is there after `kill -9` of the process
 * (not after a power cut; nothing is synced, since a member's good-bye must not wait for a disk). Rewritten without what
 * has run out when it is opened, and whenever more than half of it has.
 *
 * Several servers may have one data folder, if only for the moment in which a second finds the port taken: each line is
 * appended to the file that has the name now, and whoever rewrites it first reads what the others wrote.
 */
export class FileDepartures implements DepartureStore {
  readonly #path: string
  readonly #dependencies: FileDeparturesDependencies
  readonly #memory: MemoryDepartures
  #closed = false
  #lines = 0

  /** Opens or makes the file; its folder must exist. @throws the error of the file system when it cannot */
  constructor(path: string, dependencies: FileDeparturesDependencies, most: number = MOST_DEPARTURES) {
    this.#path = path
    this.#dependencies = dependencies
    this.#memory = new MemoryDepartures(most)
    this.#rewrite()
  }

  add(id: PeerId, untilMs: number): void {
    this.#memory.add(id, untilMs)
    if (this.#closed) return
    try {
      appendFileSync(this.#path, `${id} ${untilMs}\n`, { mode: 0o600 })
      this.#lines += 1
      if (this.#lines >= LEAST_LINES && this.#lines >= this.#memory.size * 2) this.#rewrite()
      else if (this.#lines % LEAST_LINES === 0) this.#memory.sweep(this.#dependencies.nowMs())
    } catch (error) {
      this.close()
      this.#dependencies.failed(error)
    }
  }

  has(id: PeerId, nowMs: number): boolean {
    return this.#memory.has(id, nowMs)
  }

  close(): void {
    this.#closed = true
  }

  #rewrite(): void {
    for (const line of read(this.#path).split('\n')) {
      // A torn last line after a crash matches or does not; either way it harms nobody else.
      const [, id, untilMs] = LINE.exec(line) ?? []
      if (id !== undefined) this.#memory.add(id as PeerId, Number(untilMs))
    }
    this.#memory.sweep(this.#dependencies.nowMs())
    const lines: string[] = []
    for (const [id, untilMs] of this.#memory.entries()) lines.push(`${id} ${untilMs}\n`)
    // Two servers in containers have the same process id.
    const next = `${this.#path}.${randomUUID()}.next`
    writeFileSync(next, lines.join(''), { mode: 0o600 })
    renameSync(next, this.#path)
    this.#lines = lines.length
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
