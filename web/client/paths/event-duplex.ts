/**
 * Stands in for the `Duplex` of the package `streamx`, which simple-peer extends: its events and its end, and no
 * stream. Frames pass through the data channels themselves, so 36 kB of buffering, text decoding and pipes would be
 * carried for nothing (11 kB gzipped, a quarter of the whole client).
 */
type Handler = (...values: readonly unknown[]) => void

export class Duplex {
  destroyed = false
  readonly #handlers = new Map<string, Set<Handler>>()

  on(name: string, handler: Handler): this {
    const handlers = this.#handlers.get(name) ?? new Set()
    this.#handlers.set(name, handlers.add(handler))
    return this
  }

  emit(name: string, ...values: readonly unknown[]): void {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) handler(...values)
  }

  destroy(error?: Error): this {
    this._destroy(() => {
      this.destroyed = true
      this.emit('close')
    }, error)
    return this
  }

  /** simple-peer's own; calls back when its connection is closed, or never when it was closing already. */
  _destroy(done: () => void, _error?: Error): void {
    done()
  }

  end(): this {
    return this
  }
}
