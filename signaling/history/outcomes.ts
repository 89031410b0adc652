import type { RecordOutcome } from '../protocol/history.ts'
import { HISTORY_LIMITS } from '../protocol/history-limits.ts'

interface Waiting {
  epoch: string | undefined
  of: RecordOutcome[]
}

/** Tells members what became of their records: what is known in one turn, in one message. */
export class Outcomes<M extends { control(text: string): void }> {
  readonly #waiting = new Map<M, Waiting>()

  add(member: M, outcome: RecordOutcome, epoch?: string): void {
    const waiting = this.#waiting.get(member)
    if (waiting === undefined) {
      this.#waiting.set(member, { epoch, of: [outcome] })
      if (this.#waiting.size === 1) queueMicrotask(() => this.#tell())
      return
    }
    const another = epoch !== undefined && waiting.epoch !== undefined && waiting.epoch !== epoch
    if (another || waiting.of.length >= HISTORY_LIMITS.loggedItems) {
      this.#say(member, waiting)
      waiting.of = []
      waiting.epoch = undefined
    }
    waiting.epoch ??= epoch
    waiting.of.push(outcome)
  }

  #tell(): void {
    const all = [...this.#waiting]
    this.#waiting.clear()
    for (const [member, waiting] of all) this.#say(member, waiting)
  }

  #say(member: M, { epoch, of }: Waiting): void {
    member.control(JSON.stringify({ t: 'stored', epoch, of }))
  }
}
