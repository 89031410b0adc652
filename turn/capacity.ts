/** How many allocations a server must be ready for, and the relay ports and quotas that follow. */
import { TurnOptionsError } from './errors.ts'
import { type PortRange, TURN_DEFAULTS } from './options.ts'

/** What the plan is made from. */
export interface CapacityNeeds {
  /** Members that are present at a time, in all rooms, 1 to 1,000,000. */
  readonly members: number
  /** Peer connections that one member opens at most, 1 to 1,000 (the client's `maxDirectPeers`; 16 by default). */
  readonly maxDirectPeers: number
  /** TURN urls of one server that each peer connection is given, 1 to 16: up to one allocation each. 3 with UDP, TCP and TLS. */
  readonly urls: number
  /** Ports that may be used. Default: the dynamic ports, 49152 to 65535. */
  readonly relayPorts?: PortRange
}

/** Options for `turnserverConfig`, and what to tell the operator. */
export interface CapacityPlan {
  /** Allocations when every member has all its peer connections, each with one allocation for each url. */
  readonly allocations: number
  readonly relayPorts: PortRange
  readonly userQuota: number
  readonly totalQuota: number
  /** Set when the ports do not suffice for the allocations: what happens then, and what to do. */
  readonly warning: string | undefined
}

// Allocations of clients that vanished live on for up to 10 minutes, and a replacement overlaps with what it replaces.
const HEADROOM = 2
// Fewer ports make no server safer, and a few vanished clients would fill them.
const FEWEST_PORTS = 1_024
const MOST_QUOTA = 65_535

function need(value: number, key: string, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw new TurnOptionsError(key, `expected a whole number from 1 to ${max}, got ${value}`)
}

/**
 * Relay ports and quotas for a number of members. The user quota is urls × maxDirectPeers × 2 (3 × 16 × 2 = 96).
 * @throws TurnOptionsError
 */
export function planCapacity(needs: CapacityNeeds): CapacityPlan {
  const members = need(needs.members, 'members', 1_000_000)
  const maxDirectPeers = need(needs.maxDirectPeers, 'maxDirectPeers', 1_000)
  const urls = need(needs.urls, 'urls', 16)
  const { min, max } = needs.relayPorts ?? TURN_DEFAULTS.relayPorts
  const available = max - min + 1
  const perMember = maxDirectPeers * urls
  const allocations = members * perMember
  const ports = Math.min(available, Math.max(FEWEST_PORTS, allocations * HEADROOM))
  return {
    allocations,
    relayPorts: { min, max: min + ports - 1 },
    userQuota: Math.min(MOST_QUOTA, perMember * HEADROOM),
    totalQuota: Math.min(MOST_QUOTA, ports),
    warning:
      allocations <= available
        ? undefined
        : `${members} members × ${maxDirectPeers} direct peers × ${urls} TURN urls may need ${allocations} allocations, ` +
          `and the relay ports ${min} to ${max} hold ${available}, enough for ${Math.floor(available / perMember)} ` +
          'members with everything on TURN; further ones are refused and stay on the relay through the server. ' +
          'Lower maxDirectPeers, give fewer urls, widen the relay ports, or add a TURN server.',
  }
}
