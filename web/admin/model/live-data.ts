import { Cell, type Watchable } from '../../ui/cell.ts'
import { AdminError } from './admin-api.ts'
import { withNewer } from './series.ts'
import type { Point, Present, ServerData } from './server-data.ts'

export interface Live {
  readonly present: Present | undefined
  readonly points: readonly Point[]
  /** Set while the server does not answer; what is shown is then of before. */
  readonly trouble: AdminError | undefined
}

/** Often enough to look live; the server's plots have a point every 5 s. */
const ASK_EVERY_MS = 2_000

const asAdminError = (error: unknown): AdminError =>
  error instanceof AdminError ? error : new AdminError('refused', String(error))

/** Asks the server how it does, again and again until `stop`. */
export class LiveData {
  readonly #ask: (afterMs: number) => Promise<ServerData>
  readonly #wrongKey: (error: AdminError) => void
  readonly #live = new Cell<Live>({ present: undefined, points: [], trouble: undefined })
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  /** `wrongKey` is called when the key is refused; nothing is asked after that. */
  constructor(ask: (afterMs: number) => Promise<ServerData>, wrongKey: (error: AdminError) => void) {
    this.#ask = ask
    this.#wrongKey = wrongKey
    void this.#look()
  }

  get live(): Watchable<Live> {
    return this.#live
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    const { points } = this.#live.value
    try {
      const newer = await this.#ask(points.at(-1)?.atMs ?? 0)
      if (this.#stopped) return
      this.#live.value = { present: newer.present, points: withNewer(points, newer.points), trouble: undefined }
    } catch (error) {
      if (this.#stopped) return
      const trouble = asAdminError(error)
      if (trouble.code === 'wrong-key' || trouble.code === 'no-key-here') {
        this.#wrongKey(trouble)
        return
      }
      this.#live.value = { ...this.#live.value, trouble }
    }
    this.#timer = setTimeout(() => void this.#look(), ASK_EVERY_MS)
  }
}
