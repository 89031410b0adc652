/** What is loaded when it is first needed: what is asked of it before it is there is done then, in that order. */
export class Later<T> {
  here: T | undefined
  #coming: Promise<T | undefined> | undefined

  /** `load` never rejects; with nothing, what is asked of it is not done. */
  constructor(private readonly load: () => Promise<T | undefined>) {}

  /** It is being loaded, if it is not here. */
  get asked(): boolean {
    return this.#coming !== undefined
  }

  do(what: (it: T) => void): void {
    if (this.here !== undefined) {
      what(this.here)
      return
    }
    this.#coming ??= this.load()
    // These follow each other without anything between: nobody finds it here before all that was asked is done.
    void this.#coming.then((it) => {
      this.here = it
      if (it !== undefined) what(it)
    })
  }
}
