import { isIP } from 'node:net'
import { normalAddress } from '../net/address.ts'
import type { RequestHead } from '../net/network.ts'

/** What proxies add: a request with one of these came from somewhere else, through a proxy on this machine. */
const FORWARDED = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'forwarded', 'via']
const LOCAL_NAME = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

function isLoopback(address: string): boolean {
  const normal = normalAddress(address) ?? ''
  return isIP(normal) === 4 ? normal.startsWith('127.') : normal === '::1'
}

/**
 * Whether a program on this machine asks, and not somebody behind a proxy on it. A page in a browser here that had its
 * own name resolved to this machine is found out by the name it asks for.
 */
export const isFromThisMachine = (request: RequestHead): boolean =>
  isLoopback(request.socketAddress) &&
  LOCAL_NAME.test(request.header('host') ?? '') &&
  FORWARDED.every((name) => request.header(name) === undefined)
