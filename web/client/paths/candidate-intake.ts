import { CANDIDATES_PER_ATTEMPT } from './attempt-times.ts'
import type { NegotiatedPath, PathSignal } from './path.ts'

export type CandidateMessage = Extract<PathSignal, { readonly t: 'candidate' }>

/** The other side's candidates for the newest attempt: passed on, or held until there is a path; no more than so many. */
export class CandidateIntake {
  #attempt = 0
  #taken = 0
  #held: CandidateMessage[] = []

  /** `attempt` is the newest now: what is held of another is dropped. */
  follow(attempt: number): void {
    if (attempt === this.#attempt) return
    this.#attempt = attempt
    this.#taken = 0
    this.#held = []
  }

  pass(message: CandidateMessage, path: NegotiatedPath): void {
    if (this.#count()) path.accept(message)
  }

  hold(message: CandidateMessage): void {
    this.follow(message.attempt)
    if (this.#count()) this.#held.push(message)
  }

  release(path: NegotiatedPath): void {
    for (const message of this.#held.splice(0)) path.accept(message)
  }

  #count(): boolean {
    this.#taken += 1
    return this.#taken <= CANDIDATES_PER_ATTEMPT
  }
}
