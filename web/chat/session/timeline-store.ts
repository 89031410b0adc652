import { Cell, type Watchable } from '../../ui/cell.ts'
import type { Entry } from '../model/entry.ts'
import { append, change, prepend } from '../model/timeline.ts'
import { afterArrival, afterReading, afterSpeaking, NOTHING_UNREAD, type Unread } from '../model/unread.ts'

/** What has been said and done during this visit, and what of it is unread. */
export class TimelineStore {
  readonly #entries = new Cell<readonly Entry[]>([])
  readonly #unread = new Cell<Unread>(NOTHING_UNREAD)
  #watching = true
  #lastKey = 0

  get entries(): Watchable<readonly Entry[]> {
    return this.#entries
  }

  get unread(): Watchable<Unread> {
    return this.#unread
  }

  /** A key for an entry that has no id of its own. */
  newKey(): string {
    this.#lastKey += 1
    return `entry-${this.#lastKey}`
  }

  add(entry: Entry): void {
    this.#entries.value = append(this.#entries.value, entry)
    if (entry.kind === 'notice') return
    this.#unread.value = entry.own ? afterSpeaking() : afterArrival(this.#unread.value, entry.key, this.#watching)
  }

  /** What was said before; what is here already stays where it is. */
  addEarlier(earlier: readonly Entry[]): void {
    const here = new Set(this.#entries.value.map(({ key }) => key))
    this.#entries.value = prepend(
      this.#entries.value,
      earlier.filter(({ key }) => !here.has(key)),
    )
  }

  change(key: string, toNew: (entry: Entry) => Entry): void {
    this.#entries.value = change(this.#entries.value, key, toNew)
  }

  /** Whether the person sees what arrives: the page is visible and scrolled to its end. */
  set watching(watching: boolean) {
    this.#watching = watching
    if (watching) this.#unread.value = afterReading(this.#unread.value)
  }
}
