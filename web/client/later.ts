/** What is loaded when it is first needed: what is asked of it before it is there is done then, in that order. */
export class Later<T> {
  here: T | undefined
  #coming: Promise<T | undefined> | undefined

  /** `load` never rejects; with nothing, what is asked of it is not done. */
  constructor(private readonly load: () => Promise<T | undefined>) {}

  do(what: (it: T) => void): void {
    if (this.here !== undefined) {
      what(this.here)
      return
    }
    this.#coming ??= this.load().then((it) => {
      this.here = it
      return it
    })
    void this.#coming.then((it) => it && what(it))
  }
}
