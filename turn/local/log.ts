/** What coturn writes, sorted and bounded, on its way to our log. */

/** Where log entries go: pino's interface. `debug` is optional. */
export interface TurnLogger {
  debug?(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Lines of one burst that are passed on. Anyone on the internet can make coturn log, with wrong credentials. */
const BURST_LINES = 200
const BURST_MS = 10_000
const LONGEST_LINE = 500

/** coturn did not understand a line of its configuration. It only logs this, and starts. */
const COMPLAINT = /Bad configuration format|Wrong address format|Unknown argument|CONFIG ERROR/i
const STAMP = /^(?:\d{4}-\d\d-\d\dT\S+|\d+): (?:: )?/

/** Lines of coturn's output become entries: complaints about the configuration are errors, what it calls an
 * error is information (most are clients that went away), the rest is for debugging. */
export class CoturnLog {
  readonly #logger: TurnLogger
  readonly #nowMs: () => number
  readonly #complaints: string[] = []
  #rest = ''
  #burstStartMs = Number.NEGATIVE_INFINITY
  #burstLines = 0
  #leftOut = 0

  constructor(logger: TurnLogger, nowMs: () => number) {
    this.#logger = logger
    this.#nowMs = nowMs
  }

  /** What coturn said about its configuration so far, each thing once. */
  get complaints(): readonly string[] {
    return this.#complaints
  }

  /** Take output as it comes, in pieces. */
  write(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    // A line without an end is cut, so that nothing grows.
    this.#rest = (lines.pop() ?? '').slice(0, 8 * LONGEST_LINE)
    for (const line of lines) this.#line(line)
  }

  /** The output has ended. */
  end(): void {
    this.#line(this.#rest)
    this.#rest = ''
    this.#tellLeftOut()
  }

  #line(raw: string): void {
    const line = raw.replace(STAMP, '').trim().slice(0, LONGEST_LINE)
    if (line === '') return
    if (COMPLAINT.test(line)) {
      // coturn reads its configuration three times, and complains each time.
      if (this.#complaints.includes(line) || this.#complaints.length >= BURST_LINES) return
      this.#complaints.push(line)
      this.#logger.error({ line }, 'coturn does not understand a line of its configuration')
      return
    }
    if (!this.#admit()) return
    if (/\b(?:error|cannot|fatal)\b/i.test(line)) this.#logger.info({ line }, 'coturn')
    else this.#logger.debug?.({ line }, 'coturn')
  }

  #admit(): boolean {
    const nowMs = this.#nowMs()
    if (nowMs - this.#burstStartMs >= BURST_MS) {
      this.#tellLeftOut()
      this.#burstStartMs = nowMs
      this.#burstLines = 0
    }
    this.#burstLines += 1
    if (this.#burstLines <= BURST_LINES) return true
    this.#leftOut += 1
    return false
  }

  #tellLeftOut(): void {
    if (this.#leftOut > 0) this.#logger.warn({ lines: this.#leftOut }, 'coturn wrote too much: lines were left out')
    this.#leftOut = 0
  }
}
