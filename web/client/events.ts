/** Handlers by event name, each called with one value. A handler that throws does not keep others from being called. */
export class Emitter<Events extends object> {
  readonly #handlers = new Map<keyof Events, Set<(value: never) => void>>()

  /** Returns the function that ends the subscription. */
  on<Name extends keyof Events>(name: Name, handler: (value: Events[Name]) => void): () => void {
    const handlers = this.#handlers.get(name) ?? new Set()
    this.#handlers.set(name, handlers)
    // A wrapper of its own, so that subscribing the same function twice is two subscriptions.
    const entry = (value: Events[Name]): void => handler(value)
    handlers.add(entry as (value: never) => void)
    return () => handlers.delete(entry as (value: never) => void)
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    const handlers = this.#handlers.get(name)
    if (handlers === undefined) return
    for (const handler of [...handlers] as unknown as ((value: Events[Name]) => void)[]) {
      try {
        handler(value)
      } catch (error) {
        reportError(error)
      }
    }
  }

  count(name: keyof Events): number {
    return this.#handlers.get(name)?.size ?? 0
  }

  clear(): void {
    this.#handlers.clear()
  }
}

/** The application's handler threw: its error surfaces as an uncaught one, after our own work is done. */
export function reportError(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
