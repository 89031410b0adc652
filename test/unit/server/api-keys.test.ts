import { expect, it } from 'vitest'
import { ApiKeys } from '../../../signaling/admin/api-keys.ts'

const KEY = 'a'.repeat(32)
const OTHER = 'b'.repeat(32)

it('lets in who bears one of the keys', () => {
  const keys = new ApiKeys([KEY, OTHER])
  expect(keys.configured).toBe(true)
  expect(keys.accepts(`Bearer ${KEY}`)).toBe(true)
  expect(keys.accepts(`bearer ${OTHER}`)).toBe(true)
})

it.each([undefined, '', KEY, `Basic ${KEY}`, `Bearer ${KEY}x`, 'Bearer ', `Bearer ${KEY} ${KEY}`])(
  'lets nobody in with %j',
  (header) => {
    expect(new ApiKeys([KEY]).accepts(header)).toBe(false)
  },
)

it('lets nobody in when there is no key', () => {
  const keys = new ApiKeys([])
  expect(keys.configured).toBe(false)
  expect(keys.accepts('Bearer ')).toBe(false)
})

it('can be given others', () => {
  const keys = new ApiKeys([KEY])
  keys.replace([OTHER])
  expect(keys.accepts(`Bearer ${KEY}`)).toBe(false)
  expect(keys.accepts(`Bearer ${OTHER}`)).toBe(true)
})
