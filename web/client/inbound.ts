import { reportError } from './events.ts'

interface Item {
  readonly start: () => unknown
  take: (result: never) => void
  readonly alone: boolean
  readonly bytes: number
  result: unknown
  done: boolean
}

/** Held of frames that are being opened: more is dropped, and the streams send it again. */
const MOST_BYTES = 8_388_608

/**
 * What comes from the server, taken in the order in which it came though some of it takes its time: a message before
 * its sender's `left`, a member's keys before its frames. While nothing waits, everything is taken at once.
 */
export class Inbound {
  #items: Item[] = []
  /** Of the items, how many have begun. */
  #begun = 0
  #bytes = 0
  #busy = false
  #over = false

  /** Takes no time. */
  run(take: () => void): void {
    this.#add(nothing, take, false, 0)
  }

  /** `start` begins when everything before has been taken, and what comes later waits for it. */
  alone<T>(start: () => T | Promise<T>, take: (result: T) => void): void {
    this.#add(start, take, true, 0)
  }

  /** `start` may run beside that of others. False: too much waits already. */
  beside<T>(bytes: number, start: () => T | Promise<T>, take: (result: T) => void): boolean {
    if (this.#bytes + bytes > MOST_BYTES) return false
    this.#add(start, take, false, bytes)
    return true
  }

  /** Nothing is taken from now on. */
  close(): void {
    this.#over = true
    this.#items = []
    this.#begun = 0
  }

  #add<T>(start: () => T | Promise<T>, take: (result: T) => void, alone: boolean, bytes: number): void {
    if (this.#over) return
    this.#bytes += bytes
    this.#items.push({ start, take, alone, bytes, result: undefined, done: false })
    this.#work()
  }

  #work(): void {
    if (this.#busy) return
    this.#busy = true
    for (let first = this.#next(); first !== undefined; first = this.#next()) {
      this.#items.shift()
      this.#begun -= 1
      this.#bytes -= first.bytes
      try {
        first.take(first.result as never)
      } catch (error) {
        reportError(error)
      }
    }
    this.#busy = false
  }

  /** The oldest, if it is ready; begins what may begin. */
  #next(): Item | undefined {
    for (let item = this.#items[this.#begun]; item !== undefined; item = this.#items[this.#begun]) {
      if (this.#begun > 0 && (item.alone || this.#items[0]?.alone)) break
      this.#begun += 1
      this.#begin(item)
    }
    const first = this.#items[0]
    return first?.done ? first : undefined
  }

  #begin(item: Item): void {
    const ready = (result: unknown): void => {
      item.result = result
      item.done = true
    }
    const failed = (error: unknown): void => {
      item.take = nothing
      ready(undefined)
      reportError(error)
    }
    const result = item.start()
    if (!(result instanceof Promise)) ready(result)
    else
      void result.then(ready, failed).then(() => {
        if (!this.#over) this.#work()
      })
  }
}

const nothing = (): void => {}
