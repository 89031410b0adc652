/** The members of each user, over all rooms. Members without a user are not in it. */
export class Users<M extends { readonly userId: string | undefined }> {
  readonly #members = new Map<string, Set<M>>()

  add(member: M): void {
    const { userId } = member
    if (userId === undefined) return
    const known = this.#members.get(userId)
    if (known === undefined) this.#members.set(userId, new Set([member]))
    else known.add(member)
  }

  remove(member: M): void {
    const { userId } = member
    const known = userId === undefined ? undefined : this.#members.get(userId)
    if (userId === undefined || known === undefined) return
    known.delete(member)
    if (known.size === 0) this.#members.delete(userId)
  }

  of(userId: string): ReadonlySet<M> {
    return this.#members.get(userId) ?? NOBODY
  }

  clear(): void {
    this.#members.clear()
  }
}

const NOBODY: ReadonlySet<never> = new Set()
