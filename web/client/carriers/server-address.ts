import { PartylineError } from '../errors.ts'

/**
 * The server's address as http(s), ending with a slash, from the application's option: http, https, ws or wss, with a
 * base path where there is one, or relative to the page. Default: the root of where the page came from.
 * @throws PartylineError `bad-argument`
 */
export function serverAddress(server: string | URL | undefined, page = globalThis.location?.href): URL {
  let address: URL | undefined
  try {
    address = new URL(server ?? '/', page)
  } catch {
    // Said below.
  }
  const scheme = address === undefined ? null : /^(?:http|ws)(s?):$/.exec(address.protocol)
  if (address === undefined || scheme === null) {
    throw new PartylineError(
      'bad-argument',
      `server: expected an address such as https://example.org/ or wss://example.org/base/, got ${server ?? page ?? 'nothing, outside a page'}`,
    )
  }
  address.protocol = `http${scheme[1]}:`
  address.search = ''
  address.hash = ''
  if (!address.pathname.endsWith('/')) address.pathname += '/'
  return address
}
