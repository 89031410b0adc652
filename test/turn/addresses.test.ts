import { describe, expect, test } from 'vitest'
import { cidrBlocks, formatIp, formatIpRange, type IpRange, parseIp, parseIpRange } from '../../turn/address.ts'
import { coturnRanges } from '../../turn/coturn-ranges.ts'
import fc from '../support/properties.ts'

const range = (text: string): IpRange => {
  const parsed = parseIpRange(text)
  if (!parsed) throw new Error(`not a range: ${text}`)
  return parsed
}

const ipv6 = fc.bigInt(0n, (1n << 128n) - 1n).map((value) => ({ family: 6 as const, value }))

describe('addresses', () => {
  test.each([
    ['1.2.3.4', 0x01020304n, '1.2.3.4'],
    ['::', 0n, '::'],
    ['::1', 1n, '::1'],
    ['::ffff:10.0.0.1', 0xffff_0a00_0001n, '::ffff:a00:1'],
    ['2001:0DB8:0:0:1:0:0:1', 0x20010db8_00000000_00010000_00000001n, '2001:db8::1:0:0:1'],
    ['fe80::', 0xfe80n << 112n, 'fe80::'],
    ['1:2:3:4:5:6:7:8', 0x00010002_00030004_00050006_00070008n, '1:2:3:4:5:6:7:8'],
  ])('%s is read and written', (text, value, written) => {
    const ip = parseIp(text)
    expect(ip?.value).toBe(value)
    expect(ip && formatIp(ip)).toBe(written)
  })

  test('every IPv6 address comes back from its text', () => {
    fc.assert(
      fc.property(ipv6, (ip) => {
        expect(parseIp(formatIp(ip))).toEqual(ip)
      }),
    )
  })

  test.each(['', 'a', '1.2.3', '1.2.3.256', ':::', 'fe80::1%eth0', '1.2.3.4.5'])('%j is no address', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  test.each([
    ['10.0.0.0/8', '10.0.0.0-10.255.255.255'],
    ['0.0.0.0/0', '0.0.0.0-255.255.255.255'],
    ['fc00::/7', 'fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['1.2.3.4/32', '1.2.3.4'],
    ['1.2.3.4 - 1.2.3.9', '1.2.3.4-1.2.3.9'],
  ])('the range %s is written %s', (text, written) => {
    expect(formatIpRange(range(text))).toBe(written)
  })
})

/** Whether coturn takes an address to be within a line, as its source compares: byte by byte for IPv6. */
function coturnMatches(line: string, value: bigint): boolean {
  const { first, last } = range(line)
  return Array.from({ length: 16 }, (_, index) => BigInt(8 * index)).every((shift) => {
    const byteOf = (whole: bigint): bigint => (whole >> shift) & 0xffn
    return byteOf(first.value) <= byteOf(value) && byteOf(value) <= byteOf(last.value)
  })
}

describe('coturnRanges', () => {
  test('mean the same IPv6 addresses to coturn as the range does', () => {
    const ends = fc
      .tuple(ipv6, ipv6)
      .map(([a, b]) => (a.value < b.value ? { first: a, last: b } : { first: b, last: a }))
    fc.assert(
      fc.property(ends, ipv6, fc.bigInt(-300n, 300n), (between, { value }, near) => {
        const lines = coturnRanges(between)
        const { first, last } = between
        for (const probe of [value, first.value + near, last.value + near].filter(
          (one) => one > 1n && one < 1n << 128n,
        )) {
          const inside = first.value <= probe && probe <= last.value
          expect(lines.some((line) => coturnMatches(line, probe))).toBe(inside)
        }
      }),
      { numRuns: 200 },
    )
  })

  test('of a block from :: hold all of it but :: and ::1', () => {
    const lines = coturnRanges(range('::/8'))
    const matches = (address: string): boolean =>
      lines.some((line) => coturnMatches(line, parseIp(address)?.value ?? 0n))
    expect(
      ['::2', '::100', '::7f00:1', '::ffff:10.0.0.1', '64:ff9b::1', '80::', '1::', 'ff:ffff::'].map(matches),
    ).not.toContain(false)
    expect(['::1', '100::', '2001::1'].map(matches)).not.toContain(true)
  })

  test('never have an end that is all zeros', () => {
    for (const text of ['0.0.0.0/0', '0.0.0.0/8', '::/0', '::/128', '::/127', '::-::5', '0.0.0.0']) {
      expect(coturnRanges(range(text)).filter((line) => /^(?:0\.0\.0\.0|::)(?:-|$)/.test(line))).toEqual([])
    }
  })

  test('are few, also for an unaligned range', () => {
    expect(cidrBlocks(range('4000::-fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff')).map(formatIpRange)).toHaveLength(6)
  })
})
