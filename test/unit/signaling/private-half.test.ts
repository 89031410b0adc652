import { expect, it } from 'vitest'
import { withPrivateHalf } from '../../../signaling/addresses.ts'

it.each([
  ['the only address of its family', '203.0.113.5', ['172.17.0.2', 'fd00::2'], '203.0.113.5/172.17.0.2'],
  ['the only IPv6 address', '2001:db8::5', ['172.17.0.2', 'fd00::2'], '2001:db8::5/fd00::2'],
  ['nothing, for it has one', '203.0.113.5/10.0.0.5', ['172.17.0.2'], '203.0.113.5/10.0.0.5'],
  ['nothing, for which one is not known', '203.0.113.5', ['172.17.0.2', '10.0.0.5'], '203.0.113.5'],
  ['nothing, for it is the machine’s own', '203.0.113.5', ['203.0.113.5'], '203.0.113.5'],
  ['nothing, for there is none of its family', '203.0.113.5', ['fd00::2'], '203.0.113.5'],
])('an external address gets %s', (_, external, own, expected) => {
  expect(withPrivateHalf(external, own)).toBe(expected)
})
