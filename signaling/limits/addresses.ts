/**
 * What counts as one address. A host with IPv6 has at least a /64 to itself and can use any address in it, so those
 * count together; an IPv4 address written as IPv6 counts as itself.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address
  const plain = address.toLowerCase().replace(/%.*$/, '')
  const mapped = /^(?:0{0,4}:)*(?::)?ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  if (mapped?.[1] !== undefined) return mapped[1]
  const [front = '', back] = plain.split('::')
  const groups = front === '' ? [] : front.split(':')
  if (back !== undefined) {
    const tail = back === '' ? 0 : back.split(':').length
    for (let missing = 8 - groups.length - tail; missing > 0; missing -= 1) groups.push('0')
    if (back !== '') groups.push(...back.split(':'))
  }
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

/** Counts uplinks of each address. */
export class Addresses {
  #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** From now on. Who is in stays. */
  allow(most: number): void {
    this.#most = most
  }

  /** Count one more; false, and nothing counted, when the address has all it may. */
  enter(group: string): boolean {
    const count = this.#counts.get(group) ?? 0
    if (count >= this.#most) return false
    this.#counts.set(group, count + 1)
    return true
  }

  exit(group: string): void {
    const count = this.#counts.get(group) ?? 0
    if (count <= 1) this.#counts.delete(group)
    else this.#counts.set(group, count - 1)
  }
}
