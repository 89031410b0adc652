/** The list of ICE servers that a member is given, in the shape of RTCIceServer. */
import { isIPv6 } from 'node:net'
import type { TurnCredentials } from './credentials.ts'
import { TurnOptionsError } from './errors.ts'

/** As RTCIceServer, and as `IceServer` of the wire. */
export interface IceServerEntry {
  readonly urls: readonly string[]
  readonly username?: string
  readonly credential?: string
}

/** How a TURN server can be reached. */
export type TurnTransport = 'udp' | 'tcp' | 'tls'

/** Where clients find one TURN server: a local one, or any coturn elsewhere that has the same secret. */
export interface TurnServerAddress {
  /** A name or an address that clients can reach; an IPv6 address without brackets. For TLS, a name in its certificate. */
  readonly host: string
  /** Default 3478. */
  readonly port?: number
  /** Needed for `tls`. Default: no TLS. */
  readonly tlsPort?: number
  /** Default: UDP and TCP, and TLS when there is a `tlsPort`. */
  readonly transports?: readonly TurnTransport[]
}

/** Which servers to list. */
export interface IceServerOptions {
  /** TURN servers, which answer STUN too. Several share the load: clients use all, so list few. At most 16. */
  readonly turn: readonly TurnServerAddress[]
  /** Further STUN urls, such as `stun:stun.example.org:3478`. */
  readonly stun?: readonly string[]
}

const TURN_PORT = 3478
const HOST = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/

function hostInUrl(host: string): string {
  if (isIPv6(host) && !host.includes('%')) return `[${host}]`
  if (HOST.test(host)) return host
  throw new TurnOptionsError('host', `expected a host name or an address, got ${JSON.stringify(host)}`)
}

function portInUrl(port: number, key: string): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new TurnOptionsError(key, `expected a whole number from 1 to 65535, got ${port}`)
}

/** The `turn:` and `turns:` urls of one server, best transport first. @throws TurnOptionsError */
export function turnUrls(address: TurnServerAddress): readonly string[] {
  const host = hostInUrl(address.host)
  const port = portInUrl(address.port ?? TURN_PORT, 'port')
  const transports = address.transports ?? ['udp', 'tcp', ...(address.tlsPort === undefined ? [] : (['tls'] as const))]
  return transports.map((transport) => {
    if (transport !== 'tls') return `turn:${host}:${port}?transport=${transport}`
    if (address.tlsPort === undefined) throw new TurnOptionsError('tlsPort', 'needed for the transport tls')
    return `turns:${host}:${portInUrl(address.tlsPort, 'tlsPort')}?transport=tcp`
  })
}

/**
 * The ICE servers for one member: one entry with all STUN urls, then one entry for each TURN server. They are separate
 * so that a client can gather without TURN by leaving out the entries that have a username.
 * @throws TurnOptionsError when a host or port cannot stand in a url
 */
export function iceServers(options: IceServerOptions, credentials: TurnCredentials): readonly IceServerEntry[] {
  if (options.turn.length > 16) throw new TurnOptionsError('turn', 'expected at most 16 servers')
  const stun = [
    ...options.turn
      // A STUN request can go only where UDP is served.
      .filter((address) => address.transports?.includes('udp') ?? true)
      .map((address) => `stun:${hostInUrl(address.host)}:${portInUrl(address.port ?? TURN_PORT, 'port')}`),
    ...(options.stun ?? []),
  ]
  // The wire carries at most this many urls in one entry.
  if (stun.length > 16)
    throw new TurnOptionsError('stun', 'expected at most 16 STUN urls, one for each TURN server included')
  const { username, credential } = credentials
  return [
    ...(stun.length === 0 ? [] : [{ urls: stun }]),
    ...options.turn.map((address) => ({ urls: turnUrls(address), username, credential })),
  ]
}
