import { describe, expect, it } from 'vitest'
import { Addresses, addressGroup } from '../../../signaling/limits/addresses.ts'

describe('what counts as one address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['2001:db8::1:2:3:4:5', '2001:db8:0:1'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['unknown', 'unknown'],
  ])('%s is %s', (address, group) => {
    expect(addressGroup(address)).toBe(group)
  })

  it('is counted up and down', () => {
    const addresses = new Addresses(1)
    expect(addresses.enter('a')).toBe(true)
    expect(addresses.enter('a')).toBe(false)
    expect(addresses.enter('b')).toBe(true)
    addresses.exit('a')
    expect(addresses.enter('a')).toBe(true)
  })
})
