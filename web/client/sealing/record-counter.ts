/** The one counter of an instance. Every sealing steps it, whatever is sealed: no nonce is ever used twice. */
export class RecordCounter {
  last = 0

  /** For one sealing. Throws a RangeError when there is none left. */
  next(): number {
    if (this.last >= Number.MAX_SAFE_INTEGER) throw new RangeError('sealing-exhausted')
    this.last += 1
    return this.last
  }
}
