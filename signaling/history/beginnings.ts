const HOUR_MS = 3_600_000

interface Share {
  left: number
  atMs: number
}

/**
 * How many logs each may begin: as many as in an hour at once, then one after another as the hour goes. A log is a row
 * that stays for days, and names are for nothing: without this, one sender takes all the logs of a server.
 */
export class Beginnings {
  readonly #perHour: () => number
  /** Of whoever has begun one in the last hour. */
  readonly #shares = new Map<string, Share>()
  #sweptMs = 0

  constructor(perHour: () => number) {
    this.#perHour = perHour
  }

  /** Accounts remembered. */
  get size(): number {
    return this.#shares.size
  }

  /** False, and nothing counted, when there is nothing left. */
  take(account: string, nowMs: number): boolean {
    this.#sweep(nowMs)
    const perHour = this.#perHour()
    const share = this.#shares.get(account) ?? { left: perHour, atMs: nowMs }
    // A clock set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - share.atMs)
    share.left = Math.min(perHour, share.left + (elapsedMs / HOUR_MS) * perHour)
    share.atMs = nowMs
    if (share.left < 1) return false
    share.left -= 1
    this.#shares.set(account, share)
    return true
  }

  /** Forget those who have their whole share again; rarely, since it looks at all. */
  #sweep(nowMs: number): void {
    if (nowMs >= this.#sweptMs && nowMs - this.#sweptMs < HOUR_MS) return
    this.#sweptMs = nowMs
    for (const [account, { atMs }] of this.#shares) {
      if (Math.abs(nowMs - atMs) >= HOUR_MS) this.#shares.delete(account)
    }
  }
}
