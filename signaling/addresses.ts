import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Addresses of this machine that others may reach it by: no loopback, no link-local ones; IPv4 first. */
export function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  const reachable = all.filter(({ internal, address }) => !internal && !/^(?:169\.254\.|fe80:)/i.test(address))
  const of = (family: string): string[] => reachable.filter((one) => one.family === family).map((one) => one.address)
  return [...new Set([...of('IPv4'), ...of('IPv6')])]
}

/**
 * `public/private` of an external address that was given without its private half, where this machine has one address
 * of that family only, such as a container; else as it was given.
 */
export function withPrivateHalf(external: string, own: readonly string[] = machineAddresses()): string {
  const [privateHalf, ...others] = own.filter((address) => isIP(address) === isIP(external))
  const complete = external.includes('/') || privateHalf === undefined || others.length > 0 || privateHalf === external
  return complete ? external : `${external}/${privateHalf}`
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

export interface Addressed {
  readonly host: string | undefined
  readonly port: number
  readonly secure: boolean
  /** '' or '/party'. */
  readonly base: string
}

/** Where the server can be opened, the best for the person in front of this machine first. */
export function serverUrls({ host, port, secure, base }: Addressed): readonly string[] {
  const scheme = secure ? 'https' : 'http'
  const shownPort = port === (secure ? 443 : 80) ? '' : `:${port}`
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::'
  const local = everywhere || host === '127.0.0.1' || host === '::1'
  const hosts = [...(local ? ['localhost'] : [host]), ...(everywhere ? machineAddresses() : [])]
  return hosts.map((one) => `${scheme}://${inUrl(one)}${shownPort}${base}`)
}
