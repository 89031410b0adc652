/**
 * Peer ranges as coturn 4.6.1 reads them, which is not as one would think. Measured with the tests of this folder:
 *
 * - An IPv6 address counts as inside when each of its 16 bytes lies between the same bytes of the two ends. So
 *   `::2-ff:ffff:…` does not hold `::ffff:10.0.0.1`, whose last byte is below 2. CIDR blocks come out right.
 * - An end that is all zeros means "no limit on this side", across families: `denied-peer-ip=::` denies every peer, IPv4
 *   too. The unspecified address itself is always refused, so that no line needs it.
 * - CIDR notation is looked up as a host name.
 */
import { cidrBlocks, formatIpRange, type IpAddress, type IpRange } from './address.ts'

const ipv6 = (value: bigint): IpAddress => ({ family: 6, value })

/**
 * An IPv6 block that begins at `::`, without `::` and `::1`: for each byte that may be other than zero, the addresses in
 * which it is. Loopback has a line of its own.
 */
function boxesFromZero(last: bigint): readonly IpRange[] {
  return Array.from({ length: 16 }, (_, index) => BigInt(8 * index)).flatMap((shift) => {
    const least = shift === 0n ? 2n : 1n << shift
    return ((last >> shift) & 0xffn) === 0n || least > last ? [] : [{ first: ipv6(least), last: ipv6(last) }]
  })
}

function boxes(block: IpRange): readonly IpRange[] {
  const { first, last } = block
  if (first.value !== 0n) return [block]
  if (last.value === 0n) return []
  if (first.family === 4) return [{ first: { family: 4, value: 1n }, last }]
  return boxesFromZero(last.value)
}

/** The values of `denied-peer-ip` or `allowed-peer-ip` that mean this range, save the unspecified address and, in a block from `::`, `::1`. */
export function coturnRanges(range: IpRange): readonly string[] {
  const blocks = range.first.family === 4 ? [range] : cidrBlocks(range)
  return blocks.flatMap(boxes).map(formatIpRange)
}
