/**
 * Smoothed round-trip time and retransmission timeout, as RFC 6298, with the peer's announced ack delay added
 * instead of being mistaken for variation.
 */
const GAIN = 1 / 8
const VARIATION_GAIN = 1 / 4
/**
 * A timeout below this fires on a busy main thread rather than on a lost frame: pauses of a hundred ms are ordinary in
 * browsers. A spurious hedge costs one small frame by the relay, so it need not be larger.
 */
const LEAST_TIMEOUT_MS = 150
const MOST_TIMEOUT_MS = 10_000
/** Before anything was measured (RFC 6298, 2.1). */
const FIRST_TIMEOUT_MS = 1_000

export class RoundTrip {
  #smoothedMs: number | undefined
  #variationMs = 0

  /** `undefined` until the first sample. */
  get smoothedMs(): number | undefined {
    return this.#smoothedMs
  }

  sample(measuredMs: number): void {
    const sampleMs = Math.max(0, measuredMs)
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = sampleMs
      this.#variationMs = sampleMs / 2
      return
    }
    this.#variationMs += VARIATION_GAIN * (Math.abs(this.#smoothedMs - sampleMs) - this.#variationMs)
    this.#smoothedMs += GAIN * (sampleMs - this.#smoothedMs)
  }

  /** `backoff` doublings on top. */
  timeoutMs(peerDelayMs: number, backoff = 0): number {
    const base =
      this.#smoothedMs === undefined
        ? FIRST_TIMEOUT_MS
        : Math.max(LEAST_TIMEOUT_MS, this.#smoothedMs + 4 * this.#variationMs) + peerDelayMs
    return Math.max(base, Math.min(MOST_TIMEOUT_MS, base * 2 ** backoff))
  }
}
