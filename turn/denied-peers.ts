/**
 * Where a TURN server must not send: everything that is not a public unicast address. Without this list, whoever has
 * credentials (any member of a room) can reach the operator's own network and cloud metadata through the relay.
 * coturn 4.6.1 by itself refuses only 127.0.0.0/8, ::1 and (when asked) multicast.
 */
import { type IpRange, parseIpRange } from './address.ts'

/** Why a range is denied. `allowPrivatePeers` opens those of {@link PRIVATE_PEER_KINDS}. */
export type DeniedPeerKind =
  | 'private'
  | 'loopback'
  | 'link-local'
  | 'carrier-nat'
  | 'documentation'
  | 'benchmark'
  | 'metadata'
  | 'multicast'
  | 'transition'
  | 'reserved'

/** A range of peers that is refused with 403. */
export interface DeniedPeerRange {
  /** A CIDR block, one address, or `first-last`. */
  readonly range: string
  readonly kind: DeniedPeerKind
  /** What the range is, for the comment in turnserver.conf. */
  readonly note: string
}

/** The kinds that `allowPrivatePeers` opens, for development and tests. All others stay denied. */
export const PRIVATE_PEER_KINDS: readonly DeniedPeerKind[] = Object.freeze(['private', 'loopback', 'documentation'])

const deny = (kind: DeniedPeerKind, range: string, note: string): DeniedPeerRange =>
  Object.freeze({ range, kind, note })

/**
 * Every denied range, from the IANA special-purpose registries for IPv4 and IPv6 and the IPv6 address space registry
 * (only 2000::/3 is global unicast). Ranges of different kinds do not overlap, with two exceptions: ::1 is loopback
 * within ::/8, and IPv6 metadata addresses stay denied when the private range around them is opened.
 */
export const DENIED_PEER_RANGES: readonly DeniedPeerRange[] = Object.freeze([
  deny('reserved', '0.0.0.0/8', 'this network (RFC 791)'),
  deny('private', '10.0.0.0/8', 'private (RFC 1918)'),
  deny('carrier-nat', '100.64.0.0/10', 'carrier-grade NAT (RFC 6598), and metadata of Alibaba Cloud'),
  deny('loopback', '127.0.0.0/8', 'loopback'),
  deny('metadata', '168.63.129.16', 'metadata and DNS of Azure, at a public address'),
  deny('link-local', '169.254.0.0/16', 'link-local (RFC 3927), and cloud metadata at 169.254.169.254'),
  deny('private', '172.16.0.0/12', 'private (RFC 1918)'),
  deny('reserved', '192.0.0.0/24', 'IETF protocol assignments (RFC 6890), and metadata of Oracle Cloud'),
  deny('documentation', '192.0.2.0/24', 'documentation, TEST-NET-1 (RFC 5737)'),
  deny('transition', '192.88.99.0/24', '6to4 relays (RFC 7526)'),
  deny('private', '192.168.0.0/16', 'private (RFC 1918)'),
  deny('benchmark', '198.18.0.0/15', 'benchmarks (RFC 2544)'),
  deny('documentation', '198.51.100.0/24', 'documentation, TEST-NET-2 (RFC 5737)'),
  deny('documentation', '203.0.113.0/24', 'documentation, TEST-NET-3 (RFC 5737)'),
  deny('multicast', '224.0.0.0/4', 'multicast'),
  deny('reserved', '240.0.0.0/4', 'reserved, and broadcast'),

  deny('loopback', '::1', 'loopback'),
  deny(
    'transition',
    '::/8',
    'unspecified, IPv4-compatible, IPv4-mapped ::ffff:0:0/96, IPv4-translated, NAT64 64:ff9b::/96 and 64:ff9b:1::/48',
  ),
  deny('reserved', '100::/8', 'discard-only 100::/64 and reserved'),
  deny('reserved', '200::-1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'not global unicast'),
  deny('transition', '2001::/23', 'IETF protocol assignments: Teredo, benchmarks 2001:2::/48, ORCHID'),
  deny('documentation', '2001:db8::/32', 'documentation (RFC 3849)'),
  deny('transition', '2002::/16', '6to4 (RFC 3056): an IPv4 address in disguise'),
  deny('documentation', '3fff::/20', 'documentation (RFC 9637)'),
  deny('reserved', '4000::-fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'not global unicast'),
  deny('metadata', 'fd00:ec2::/32', 'metadata of AWS'),
  deny('metadata', 'fd20:ce::/32', 'metadata of Google Cloud'),
  deny('private', 'fc00::/7', 'unique local (RFC 4193)'),
  deny('reserved', 'fe00::/9', 'reserved'),
  deny('link-local', 'fe80::/10', 'link-local'),
  deny('private', 'fec0::/10', 'site-local (deprecated by RFC 3879)'),
  deny('multicast', 'ff00::/8', 'multicast'),
])

/** A denied range of the table as numbers. The table is a constant, so that a failure here is a bug in it. */
export function deniedRange(entry: DeniedPeerRange): IpRange {
  const range = parseIpRange(entry.range)
  if (!range) throw new Error(`denied peer range ${entry.range} cannot be read`)
  return range
}
