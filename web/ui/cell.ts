/** A value that can be watched, as others see it. */
export interface Watchable<T> {
  readonly value: T
  /** Called after each change, until the answer is called. */
  watch(changed: () => void): () => void
}

/** A value that can be watched. Setting the same value again is no change. */
export class Cell<T> implements Watchable<T> {
  readonly #watchers = new Set<() => void>()
  #value: T

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const changed of [...this.#watchers]) changed()
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }
}
