/** IP addresses and ranges of them as numbers, so that they can be compared and written the way coturn reads them. */
import { isIP } from 'node:net'

/** An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is an IPv6 address here, as it is to coturn. */
export interface IpAddress {
  readonly family: 4 | 6
  readonly value: bigint
}

/** All addresses from `first` to `last`, both included, of one family. */
export interface IpRange {
  readonly first: IpAddress
  readonly last: IpAddress
}

const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128)

const joinParts = (parts: readonly number[], bits: bigint): bigint =>
  parts.reduce((value, part) => (value << bits) | BigInt(part), 0n)

const ipv4Parts = (text: string): readonly number[] => text.split('.').map(Number)

/** The 16-bit groups on one side of `::`, with a dotted IPv4 tail counted as two groups. */
function ipv6Groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = ipv4Parts(group)
    return [(a << 8) | b, (c << 8) | d]
  })
}

/** Read an address; undefined when the text is none. Zone ids (`fe80::1%eth0`) are not taken: coturn has no use for them. */
export function parseIp(text: string): IpAddress | undefined {
  const family = isIP(text)
  if (family === 4) return { family, value: joinParts(ipv4Parts(text), 8n) }
  if (family !== 6 || text.includes('%')) return undefined
  const [head = '', tail] = text.split('::')
  const before = ipv6Groups(head)
  const after = tail === undefined ? [] : ipv6Groups(tail)
  const zeros = new Array<number>(8 - before.length - after.length).fill(0)
  return { family, value: joinParts([...before, ...zeros, ...after], 16n) }
}

/** Write an address: dotted for IPv4, lower case with the longest run of zeros shortened for IPv6 (RFC 5952). */
export function formatIp({ family, value }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn)
  let start = 0
  let longest = 0
  for (let from = 0; from < 8; from++) {
    let length = 0
    while (from + length < 8 && groups[from + length] === 0n) length++
    if (length > longest) [start, longest] = [from, length]
  }
  const hex = (part: readonly bigint[]): string => part.map((group) => group.toString(16)).join(':')
  return longest < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + longest))}`
}

/** Read one address, a CIDR block (`10.0.0.0/8`), or two addresses with a dash between; undefined when it is none of them. */
export function parseIpRange(text: string): IpRange | undefined {
  const [from = '', to, ...rest] = text.split('-')
  if (rest.length > 0) return undefined
  if (to !== undefined) {
    const first = parseIp(from.trim())
    const last = parseIp(to.trim())
    if (!first || !last || first.family !== last.family || first.value > last.value) return undefined
    return { first, last }
  }
  const [base = '', prefix, ...more] = from.trim().split('/')
  const address = parseIp(base)
  if (!address || more.length > 0) return undefined
  if (prefix === undefined) return { first: address, last: address }
  const bits = bitsOf(address.family)
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) return undefined
  const hostMask = (1n << BigInt(bits - Number(prefix))) - 1n
  // A block with host bits set (10.1.2.3/8) is almost always a slip of the pen: it is refused, not widened.
  if ((address.value & hostMask) !== 0n) return undefined
  return { first: address, last: { family: address.family, value: address.value | hostMask } }
}

/** Write a range as coturn reads it: it knows no CIDR notation, and looks a block up as a host name instead. */
export const formatIpRange = ({ first, last }: IpRange): string =>
  first.value === last.value ? formatIp(first) : `${formatIp(first)}-${formatIp(last)}`

/** True when the two ranges have an address in common. */
export const rangesOverlap = (a: IpRange, b: IpRange): boolean =>
  a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value

/** The fewest CIDR blocks that make up a range, in order. */
export function cidrBlocks({ first, last }: IpRange): readonly IpRange[] {
  const { family } = first
  const blocks: IpRange[] = []
  for (let value = first.value; value <= last.value; ) {
    let size = 1n
    while (value % (size * 2n) === 0n && value + size * 2n - 1n <= last.value && size < 1n << BigInt(bitsOf(family)))
      size *= 2n
    blocks.push({ first: { family, value }, last: { family, value: value + size - 1n } })
    value += size
  }
  return blocks
}
