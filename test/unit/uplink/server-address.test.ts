import { expect, test } from 'vitest'
import { serverAddress } from '../../../web/client/carriers/server-address.ts'
import { PartylineError } from '../../../web/client/errors.ts'

test.each([
  ['https://example.org', undefined, 'https://example.org/'],
  ['wss://example.org/base', undefined, 'https://example.org/base/'],
  ['ws://localhost:8080/', undefined, 'http://localhost:8080/'],
  [new URL('http://localhost/a/?x=1#y'), undefined, 'http://localhost/a/'],
  [undefined, 'https://example.org/chat/?room=1#secret', 'https://example.org/'],
  ['/party', 'https://example.org/chat/', 'https://example.org/party/'],
  ['//other.org/x/', 'https://example.org/', 'https://other.org/x/'],
])('%s on the page %s is %s', (server, page, address) => {
  expect(serverAddress(server, page).href).toBe(address)
})

test.each([
  ['example.org:80', undefined],
  ['ftp://example.org/', undefined],
  ['', undefined],
  ['/party', undefined],
  [undefined, undefined],
  [undefined, 'file:///home/me/page.html'],
  ['http://', undefined],
])('%s on the page %s is refused, and said to be', (server, page) => {
  const attempt = (): URL => serverAddress(server, page)
  expect(attempt).toThrow(PartylineError)
  expect(attempt).toThrow(/^server: expected an address such as/)
})
