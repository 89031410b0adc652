import { FakeClock } from '../../support/fake-clock.ts'

/** The fake clock, for what also waits for promises, streams and files. */
export class ClientClock extends FakeClock {
  /** Moves on in steps of a millisecond, and lets promises, streams and files do theirs in between. */
  async until(condition: () => boolean, mostMs = 10_000): Promise<void> {
    for (let ms = 0; !condition(); ms += 1) {
      if (ms > mostMs) throw new Error(`it has not come about in ${mostMs} ms`)
      this.advance(1)
      await turn()
    }
  }

  async pass(ms: number): Promise<void> {
    const end = this.now() + ms
    await this.until(() => this.now() >= end, ms)
  }
}

/** All that is due now in this process has happened. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
