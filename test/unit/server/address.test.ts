import { describe, expect, it } from 'vitest'
import { addressFromBytes, clientAddressBehind, isAddressRange, normalAddress } from '../../../signaling/net/address.ts'
import type { RequestHead } from '../../../signaling/net/network.ts'
import { originCheck } from '../../../signaling/net/origin.ts'

describe('the real client address', () => {
  const behind = clientAddressBehind(['loopback', '10.0.0.0/8', '2001:db8::/32'])

  it.each([
    ['203.0.113.9', '1.2.3.4', '203.0.113.9'],
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['::ffff:127.0.0.1', '6.6.6.6, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
    ['127.0.0.1', '6.6.6.6, nonsense', '127.0.0.1'],
    ['127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['2001:db8::1', '[2001:DB9::5]:443', '2001:db9::5'],
    ['127.0.0.1', '203.0.113.9:5123', '203.0.113.9'],
  ])('of socket %s and header %s is %s', (socket, forwarded, expected) => {
    expect(behind(socket, forwarded)).toBe(expected)
  })

  it('is the socket’s when no proxy is trusted', () => {
    expect(clientAddressBehind([])('127.0.0.1', '1.2.3.4')).toBe('127.0.0.1')
  })

  it('is written in one way', () => {
    expect(normalAddress('2001:0db8:0000:0000:0000:0000:0000:0001')).toBe('2001:db8::1')
    expect(addressFromBytes(Uint8Array.from([10, 0, 0, 1]))).toBe('10.0.0.1')
    expect(addressFromBytes(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1]))).toBe('127.0.0.1')
    expect(normalAddress('example.org')).toBeUndefined()
  })

  it('knows ranges', () => {
    for (const good of ['10.0.0.0/8', '::1', 'private', 'fe80::/10']) expect(isAddressRange(good)).toBe(true)
    for (const bad of ['10.0.0.0/33', 'all', '10.0.0.0/8/8', '', 'toString', '__proto__'])
      expect(isAddressRange(bad)).toBe(false)
  })
})

describe('origins', () => {
  const request = (headers: Record<string, string>): RequestHead => ({
    method: 'GET',
    path: '/ws',
    query: '',
    socketAddress: '10.0.0.1',
    secure: false,
    header: (name) => headers[name],
  })
  const allowed = (headers: Record<string, string>, list: string[] = [], proxy = false): boolean =>
    originCheck(list, () => proxy)(request(headers)) === undefined

  it.each([
    [true, {}],
    [true, { origin: 'https://chat.example', host: 'chat.example' }],
    [true, { origin: 'https://chat.example', host: 'chat.example:443' }],
    [true, { origin: 'http://chat.example:8080', host: 'chat.example:8080' }],
    [true, { origin: 'http://localhost:5173', host: 'chat.example' }],
    [true, { origin: 'http://127.0.0.1', host: 'chat.example' }],
    [false, { origin: 'http://chat.example:8081', host: 'chat.example:8080' }],
    [false, { origin: 'http://localhost.evil.example', host: 'chat.example' }],
    [false, { origin: 'null', host: 'chat.example' }],
    [false, { origin: 'nonsense', host: 'nonsense' }],
    [false, { origin: 'https://a.example', host: 'inner', 'x-forwarded-host': 'a.example' }],
  ])('%s for %j', (expected, headers) => {
    expect(allowed(headers as Record<string, string>)).toBe(expected)
  })

  it('believe X-Forwarded-Host of a trusted proxy', () => {
    expect(allowed({ origin: 'https://a.example', host: 'inner', 'x-forwarded-host': 'a.example' }, [], true)).toBe(
      true,
    )
  })

  it('can be listed, all of them or none in particular', () => {
    expect(allowed({ origin: 'https://x.example' }, ['*'])).toBe(true)
    expect(allowed({ origin: 'null' }, ['null'])).toBe(true)
    expect(allowed({ origin: 'https://HOST.example' }, ['https://host.example'])).toBe(true)
  })
})
