/** Where everything is. All addresses are of the ranges for documentation (RFC 5737), or private. */

/** The internet: one bridge. */
export const INTERNET_PREFIX = 24
export const SERVER_ADDRESS = '203.0.113.10'
export const TURN_ADDRESS = '203.0.113.20'
export const SERVER_NAME = 'room.example'

/** Addresses of site number 1 to 15, and of what is in it. */
export interface SiteAddresses {
  /** The router's, on the internet. */
  readonly router: string
  /** Behind a NAT. */
  readonly inside: LocalNetwork
  /** Without one: routed from the internet. */
  readonly open: LocalNetwork
}

export interface LocalNetwork {
  readonly network: string
  readonly prefix: number
  readonly gateway: string
  /** Client number 0 to 9. */
  client(number: number): string
}

export function siteAddresses(site: number): SiteAddresses {
  const first = site * 16
  return {
    router: `203.0.113.${100 + site}`,
    inside: {
      network: `192.168.${site}.0`,
      prefix: 24,
      gateway: `192.168.${site}.1`,
      client: (number) => `192.168.${site}.${10 + number}`,
    },
    open: {
      network: `198.51.100.${first}`,
      prefix: 28,
      gateway: `198.51.100.${first + 1}`,
      client: (number) => `198.51.100.${first + 2 + number}`,
    },
  }
}
