import { reportError } from './events.ts'

interface Item {
  readonly start: () => unknown
  take: (result: never) => void
  readonly alone: boolean
  /** 0: no frame. */
  readonly bytes: number
  readonly droppable: boolean
  result: unknown
  done: boolean
}

/** Held of frames that are being opened: more is dropped, and the streams send it again. */
const MOST_BYTES = 8_388_608
/** What a frame costs here beside its bytes. */
const FRAME_BYTES = 128
/** Of other messages that wait. Keys are checked and profiles opened in milliseconds, unless code for it is to be loaded. */
const MOST_MESSAGES = 8_192

/**
 * What comes from the server, taken in the order in which it came though some of it takes its time: a message before
 * its sender's `left`, a member's keys before its frames. While nothing waits, everything is taken at once.
 */
export class Inbound {
  #items: Item[] = []
  /** Of the items, how many have begun. */
  #begun = 0
  #bytes = 0
  #messages = 0
  #busy = false
  #over = false

  /** So many messages wait that no more should come. */
  get full(): boolean {
    return this.#messages >= MOST_MESSAGES
  }

  /** Takes no time. `droppable`: a welcome makes up for it. */
  run(take: () => void, droppable = false): void {
    this.#add(nothing, take, false, 0, droppable)
  }

  /** `start` begins when everything before has been taken, and what comes later waits for it. */
  alone<T>(start: () => T | Promise<T>, take: (result: T) => void, droppable = false): void {
    this.#add(start, take, true, 0, droppable)
  }

  /** `start` may run beside that of others. False: too much waits already. */
  beside<T>(bytes: number, start: () => T | Promise<T>, take: (result: T) => void): boolean {
    const cost = bytes + FRAME_BYTES
    if (this.#bytes + cost > MOST_BYTES) return false
    this.#add(start, take, false, cost, false)
    return true
  }

  /** A welcome will come: forget what it makes up for, and has not begun. */
  skip(): void {
    this.#items = this.#items.filter(({ droppable }, index) => index < this.#begun || !droppable)
    this.#messages = this.#items.filter(({ bytes }) => bytes === 0).length
  }

  /** Nothing is taken from now on. */
  close(): void {
    this.#over = true
    this.#items = []
    this.#begun = 0
  }

  #add<T>(
    start: () => T | Promise<T>,
    take: (result: T) => void,
    alone: boolean,
    bytes: number,
    droppable: boolean,
  ): void {
    if (this.#over) return
    this.#bytes += bytes
    if (bytes === 0) this.#messages += 1
    this.#items.push({ start, take, alone, bytes, droppable, result: undefined, done: false })
    this.#work()
  }

  #work(): void {
    if (this.#busy) return
    this.#busy = true
    for (let first = this.#next(); first !== undefined; first = this.#next()) {
      this.#items.shift()
      this.#begun -= 1
      this.#bytes -= first.bytes
      if (first.bytes === 0) this.#messages -= 1
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
