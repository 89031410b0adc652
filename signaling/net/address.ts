import { BlockList, isIP, SocketAddress } from 'node:net'

/** An address as text in its shortest form; IPv4 mapped into IPv6 is given as IPv4. Undefined when it is none. */
export function normalAddress(text: string): string | undefined {
  const bare = text.trim().replace(/^\[(.*)\](:\d+)?$/, '$1')
  const address = /^[\d.]+:\d+$/.test(bare) ? bare.slice(0, bare.indexOf(':')) : bare.replace(/%.*$/, '')
  const family = isIP(address)
  if (family === 0) return undefined
  if (family === 4) return address
  const short = new SocketAddress({ address, family: 'ipv6' }).address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(short)
  return mapped?.[1] ?? short
}

const MAPPED: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

/** 4 or 16 bytes, as a socket gives them. */
export function addressFromBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) return ''
  // What an IPv4 client has on a socket that listens to both.
  if (MAPPED.every((byte, at) => bytes[at] === byte)) return bytes.subarray(MAPPED.length).join('.')
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16))
  return normalAddress(groups.join(':')) ?? ''
}

const NAMED_RANGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', '127.0.0.0/8', '::1/128']],
])

/** The names that stand for ranges wherever an address range is asked for. */
export const RANGE_NAMES: readonly string[] = [...NAMED_RANGES.keys()]

/** Whether `range` is an address, a CIDR range, or one of `RANGE_NAMES`. */
export function isAddressRange(range: string): boolean {
  if (NAMED_RANGES.has(range)) return true
  const [address = '', bits, ...rest] = range.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

function addRange(list: BlockList, range: string): void {
  const named = NAMED_RANGES.get(range)
  if (named !== undefined) {
    for (const part of named) addRange(list, part)
    return
  }
  const [address = '', bits] = range.split('/')
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (bits === undefined) list.addAddress(address, family)
  else list.addSubnet(address, Number(bits), family)
}

/** The address of whoever really asks: the socket's, or what the proxies we trust say of it. */
export type ClientAddress = (socketAddress: string, forwardedFor: string | undefined) => string

/**
 * X-Forwarded-For is walked from the right, where our own proxies wrote: each trusted hop vouches for the address to
 * its left. What stands further left was sent by the client and proves nothing.
 */
export function clientAddressBehind(trustedProxies: readonly string[]): ClientAddress {
  const trusted = new BlockList()
  for (const range of trustedProxies) addRange(trusted, range)
  const isTrusted = (address: string): boolean => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (socketAddress, forwardedFor) => {
    let address = normalAddress(socketAddress) ?? socketAddress
    if (trustedProxies.length === 0 || forwardedFor === undefined || isIP(address) === 0) return address
    const hops = forwardedFor.split(',')
    while (hops.length > 0 && isTrusted(address)) {
      const next = normalAddress(hops.pop() ?? '')
      if (next === undefined) break
      address = next
    }
    return address
  }
}

/** Whether the other end of the socket is a proxy whose `X-Forwarded-…` headers count. */
export function trustedProxyCheck(trustedProxies: readonly string[]): (socketAddress: string) => boolean {
  const trusted = new BlockList()
  for (const range of trustedProxies) addRange(trusted, range)
  return (socketAddress) => {
    const address = normalAddress(socketAddress)
    return address !== undefined && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
}
