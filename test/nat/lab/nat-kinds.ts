import { SERVER_ADDRESS } from './addresses.ts'

/** Kinds of networks, in the words of RFC 3489, from the most open to the most closed. */
export const NAT_KINDS = [
  'public',
  'full cone',
  'address-restricted',
  'port-restricted',
  'symmetric',
  'UDP blocked',
  'only TCP 443',
  'WebRTC blocked',
] as const
export type NatKind = (typeof NAT_KINDS)[number]

/** The first packet out opens the port for whom `seen` says; without it, for everybody. */
const CONE_PORTS = `
  map port_owner {
    type inet_service : ipv4_addr
    flags dynamic, timeout
    timeout 5m
  }`
const CONE_SEEN = `
  set seen {
    type ipv4_addr . inet_service
    flags dynamic, timeout
    timeout 5m
  }`

interface Rules {
  readonly sets?: string
  /** Of new connections from the internet, to inside addresses. */
  readonly prerouting?: string
  /** Of what goes through and belongs to no connection yet. What none accepts is dropped. */
  readonly forward: string
  readonly masquerade?: 'masquerade' | 'masquerade fully-random'
}

const RULES: Readonly<Record<NatKind, Rules>> = Object.freeze({
  public: { forward: 'accept' },
  'full cone': {
    sets: CONE_PORTS,
    prerouting: 'dnat to udp dport map @port_owner',
    forward: `
    iifname "lan" meta l4proto udp update @port_owner { udp sport : ip saddr }
    iifname "lan" accept
    ct status dnat accept`,
    masquerade: 'masquerade',
  },
  'address-restricted': {
    sets: CONE_PORTS + CONE_SEEN,
    prerouting: 'ip saddr . udp dport @seen dnat to udp dport map @port_owner',
    forward: `
    iifname "lan" meta l4proto udp update @port_owner { udp sport : ip saddr }
    iifname "lan" meta l4proto udp update @seen { ip daddr . udp sport }
    iifname "lan" accept
    ct status dnat accept`,
    masquerade: 'masquerade',
  },
  // Linux keeps a connection's port where it can, so one inside port has one outside port for all destinations.
  'port-restricted': { forward: 'iifname "lan" accept', masquerade: 'masquerade' },
  symmetric: { forward: 'iifname "lan" accept', masquerade: 'masquerade fully-random' },
  'UDP blocked': {
    forward: `
    meta l4proto udp drop
    iifname "lan" accept`,
    masquerade: 'masquerade',
  },
  'only TCP 443': { forward: 'iifname "lan" tcp dport 443 accept', masquerade: 'masquerade' },
  'WebRTC blocked': {
    forward: `iifname "lan" ip daddr ${SERVER_ADDRESS} tcp dport 443 accept`,
    masquerade: 'masquerade',
  },
})

/**
 * The rule set of a router of this kind, with `lan` and `wan`. It takes the place of the kind before.
 *
 * The router drops what is sent to itself: else the early packet of a peer would leave a connection behind in its
 * table, and masquerade would then take another port for the packets to that peer. What stays inside may go (where the
 * kernel filters bridges, it comes by here, too).
 */
export function natRules(kind: NatKind): string {
  const { sets = '', prerouting, forward, masquerade } = RULES[kind]
  return `
table ip nat_kind
delete table ip nat_kind
table ip nat_kind {
${sets}
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ${prerouting === undefined ? '' : `iifname "wan" meta l4proto udp ${prerouting}`}
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    iifname "lan" accept
    ct state established,related accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "lan" oifname "lan" accept
    ct state established,related accept
    ${forward.trim()}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ${masquerade === undefined ? '' : `oifname "wan" ${masquerade}`}
  }
}
`
}
