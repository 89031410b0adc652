import type { RecordHead } from './records.ts'

/** Of one sender. */
export const WAITING_BYTES = 65_536
/** Of all senders. */
export const ALL_WAITING_BYTES = 1_048_576
/** What a record costs beside its bytes. */
const OVERHEAD_BYTES = 64

/** What all senders' waiting records take together. */
export interface WaitingBudget {
  bytes: number
}

const bytesOf = ({ head, ciphertext }: RecordHead): number => head.length + ciphertext.length + OVERHEAD_BYTES

/** Group records of one sender that came before their key. */
export class WaitingRecords {
  #records: RecordHead[] = []
  #bytes = 0

  constructor(private readonly all: WaitingBudget) {}

  add(record: RecordHead): void {
    const bytes = bytesOf(record)
    // Else it would keep the whole message that it came in.
    const kept = { ...record, head: record.head.slice(), ciphertext: record.ciphertext.slice() }
    while (this.#bytes + bytes > WAITING_BYTES || this.all.bytes + bytes > ALL_WAITING_BYTES) {
      const oldest = this.#records.shift()
      if (oldest === undefined) return
      this.#count(-bytesOf(oldest))
    }
    this.#records.push(kept)
    this.#count(bytes)
  }

  /** Those, in the order in which they came, that need not wait any more. */
  take(isOpenable: (record: RecordHead) => boolean): RecordHead[] {
    const taken = this.#records.filter(isOpenable)
    this.#records = this.#records.filter((record) => !taken.includes(record))
    for (const record of taken) this.#count(-bytesOf(record))
    return taken
  }

  clear(): void {
    this.take(() => true)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.all.bytes += bytes
  }
}
