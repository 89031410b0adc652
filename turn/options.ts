/** The options of a TURN server of ours: the types, the defaults, and the one parser. */
import { isIP } from 'node:net'
import { parseIp, parseIpRange, rangesOverlap } from './address.ts'
import { DENIED_PEER_RANGES, deniedRange } from './denied-peers.ts'
import { TurnOptionsError } from './errors.ts'

/** An inclusive range of UDP ports. */
export interface PortRange {
  readonly min: number
  readonly max: number
}

/** A certificate chain and its key, as PEM files that coturn reads. */
export interface TurnTlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** Every option of a coturn of ours. The defaults are {@link TURN_DEFAULTS}; only `secrets` has none. */
export interface TurnOptions {
  /** Shared with the signaling server, 16 to 256 characters. The first signs, all are accepted: put a new one first to rotate. */
  readonly secrets: readonly string[]
  /** Shown to clients in the challenge. 1 to 127 characters of a host name. */
  readonly realm: string
  /** TURN and STUN over UDP and TCP, 1 to 65535. */
  readonly port: number
  /** TURN over TLS, 1 to 65535; listened on only when `tls` is given. 443 gets through the strictest firewalls. */
  readonly tlsPort: number
  /** Addresses to listen on. Empty: every address that the machine has when coturn starts. */
  readonly listenAddresses: readonly string[]
  /**
   * Addresses that allocations are made on. Empty: the address by which the client reached the server. Each of them is
   * allowed as a peer, even in a denied range, because two members that both use TURN reach each other there. So on a LAN,
   * name the server's address here. UDP services on that address are then within reach of members, as on a public one.
   */
  readonly relayAddresses: readonly string[]
  /** UDP ports of allocations, one for each; open them in the firewall. At least 16 ports from 1024 on. */
  readonly relayPorts: PortRange
  /** Undefined: no TLS. */
  readonly tls: TurnTlsFiles | undefined
  /**
   * The address that the world sees, when it is not the machine's own (most clouds): `"public/private"`, or `"public"`
   * alone when the machine has one address. Prefer the pair: coturn allows its private side as a peer by itself, so that
   * two members that both use TURN meet; with `"public"` alone, name the private one in `relayAddresses` for that.
   */
  readonly externalAddress: string | undefined
  /** Ranges that are allowed although they are denied by default, for intranets: CIDR, one address, or `first-last`. */
  readonly allowPeers: readonly string[]
  /** Ranges that are denied besides {@link DENIED_PEER_RANGES}. `allowPeers` wins over it. */
  readonly denyPeers: readonly string[]
  /**
   * For development and tests only: allows private (RFC 1918, ULA), loopback and documentation addresses as peers, so
   * that browsers on one machine, in one LAN or in a lab network reach each other through TURN. Everything else stays
   * denied. On a public server it would give every member the operator's inner network.
   */
  readonly allowPrivatePeers: boolean
  /** Allocations that one member may have at a time, 0 to 65535; 0 is no limit. See `planCapacity`. */
  readonly userQuota: number
  /** Allocations at a time in all, 0 to 65535; 0 is one for each relay port. */
  readonly totalQuota: number
  /** Bytes per second of one allocation in each direction, 0 to 2^31 - 1; 0 is no limit. */
  readonly allocationBytesPerSecond: number
  /** Bytes per second of all allocations, 0 to 2^31 - 1; 0 is no limit. Needs `allocationBytesPerSecond`. */
  readonly totalBytesPerSecond: number
  /** How long a nonce is good, 60,000 to 86,400,000 ms in whole seconds. A longer time helps those who replay. */
  readonly nonceLifetimeMs: number
  /** The user that coturn becomes after it has bound its ports. Undefined: it stays who started it. */
  readonly processUser: string | undefined
}

/** What an application writes: `secrets`, and what differs from {@link TURN_DEFAULTS}. */
export type TurnOptionsInput = Partial<Omit<TurnOptions, 'secrets'>> & Pick<TurnOptions, 'secrets'>

/** The default of every option that has one. */
export const TURN_DEFAULTS: Readonly<Omit<TurnOptions, 'secrets'>> = Object.freeze({
  realm: 'partyline',
  // The ports that IANA has given to STUN and TURN.
  port: 3478,
  tlsPort: 5349,
  listenAddresses: Object.freeze([]),
  relayAddresses: Object.freeze([]),
  // The dynamic ports, as RFC 8656 section 7.2 recommends.
  relayPorts: Object.freeze({ min: 49_152, max: 65_535 }),
  tls: undefined,
  externalAddress: undefined,
  allowPeers: Object.freeze([]),
  denyPeers: Object.freeze([]),
  allowPrivatePeers: false,
  // 3 urls × 16 direct peers × 2, because a replacement overlaps with what it replaces.
  userQuota: 96,
  totalQuota: 0,
  allocationBytesPerSecond: 0,
  totalBytesPerSecond: 0,
  nonceLifetimeMs: 600_000,
  processUser: undefined,
})

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function integer(value: unknown, key: string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new TurnOptionsError(key, `expected a whole number from ${min} to ${max}, got ${JSON.stringify(value)}`)
}

function text(value: unknown, key: string, pattern: RegExp, expected: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw new TurnOptionsError(key, `expected ${expected}`)
}

function list<T>(value: unknown, key: string, max: number, item: (value: unknown, key: string) => T): readonly T[] {
  if (!Array.isArray(value) || value.length > max) throw new TurnOptionsError(key, `expected a list of at most ${max}`)
  return value.map((entry, index) => item(entry, `${key}[${index}]`))
}

function ipAddress(value: unknown, key: string): string {
  if (typeof value === 'string' && parseIp(value)) return value
  throw new TurnOptionsError(key, `expected an IPv4 or IPv6 address, got ${JSON.stringify(value)}`)
}

function peerRange(value: unknown, key: string): string {
  if (typeof value === 'string' && parseIpRange(value)) return value
  throw new TurnOptionsError(
    key,
    `expected an address, first-last, or a CIDR block whose host bits are zero (10.1.0.0/16), got ${JSON.stringify(value)}`,
  )
}

/** coturn refuses loopback and multicast before it looks at its list of allowed peers: such an entry would do nothing. */
function allowedRange(value: unknown, key: string): string {
  const checked = peerRange(value, key)
  const range = parseIpRange(checked)
  const hopeless = DENIED_PEER_RANGES.find(
    (entry) =>
      (entry.kind === 'loopback' || entry.kind === 'multicast') && range && rangesOverlap(range, deniedRange(entry)),
  )
  if (hopeless === undefined) return checked
  throw new TurnOptionsError(
    key,
    `${checked} takes in ${hopeless.range} (${hopeless.kind}), which cannot be allowed as a peer this way` +
      (hopeless.kind === 'loopback' ? '; for development there is allowPrivatePeers' : ''),
  )
}

// coturn strips quotes and a leading "=" from values, and its configuration lines are short: keep to what it leaves alone.
const SECRET = /^[A-Za-z0-9+/_.~-][A-Za-z0-9+/_.~=-]{15,255}$/
const secret = (value: unknown, key: string): string =>
  text(value, key, SECRET, '16 to 256 characters of A-Z a-z 0-9 + / _ . ~ - = (make one with: openssl rand -hex 32)')

// One line of turnserver.conf: no control characters; coturn takes a leading quote or blank for syntax.
const FILE = /^[^\s"=\p{Cc}][^\p{Cc}]{0,511}$/u
const file = (value: unknown, key: string): string => text(value, key, FILE, 'the path of a PEM file')

function portRange(value: unknown): PortRange {
  if (!isObject(value)) throw new TurnOptionsError('relayPorts', 'expected { min, max }')
  const min = integer(value.min, 'relayPorts.min', 1_024, 65_535 - 15)
  return { min, max: integer(value.max, 'relayPorts.max', min + 15, 65_535) }
}

function tlsFiles(value: unknown): TurnTlsFiles | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) throw new TurnOptionsError('tls', 'expected { certFile, keyFile } or nothing')
  return { certFile: file(value.certFile, 'tls.certFile'), keyFile: file(value.keyFile, 'tls.keyFile') }
}

function externalAddress(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const parts = typeof value === 'string' ? value.split('/') : []
  const families = parts.map((part) => isIP(part))
  const [first] = families
  if (parts.length > 2 || !first || families.some((family) => family !== first)) {
    throw new TurnOptionsError('externalAddress', 'expected "public/private" or "public", addresses of one family')
  }
  return parts.join('/')
}

function boolean(value: unknown, key: string): boolean {
  if (typeof value === 'boolean') return value
  throw new TurnOptionsError(key, 'expected true or false')
}

const MOST_BYTES_PER_SECOND = 2 ** 31 - 1
const MOST_RANGES = 256

/**
 * Check options and fill in the defaults.
 * @throws TurnOptionsError naming the key and what it accepts; also for a key that does not exist.
 */
export function parseTurnOptions(input: unknown): TurnOptions {
  if (!isObject(input)) throw new TurnOptionsError('options', 'expected an object')
  const known = new Set(['secrets', ...Object.keys(TURN_DEFAULTS)])
  const unknown = Object.keys(input).find((key) => !known.has(key))
  if (unknown !== undefined) throw new TurnOptionsError(unknown, `no such option; there are ${[...known].join(', ')}`)

  const given: Fields = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
  const fields: Fields = { ...TURN_DEFAULTS, ...given }
  const secrets = list(fields.secrets ?? [], 'secrets', 16, secret)
  if (secrets.length === 0) throw new TurnOptionsError('secrets', 'expected at least one secret')
  const tls = tlsFiles(fields.tls)
  const port = integer(fields.port, 'port', 1, 65_535)
  const tlsPort = integer(fields.tlsPort, 'tlsPort', 1, 65_535)
  if (tls && port === tlsPort) throw new TurnOptionsError('tlsPort', `expected another port than port (${port})`)
  const allocationBytesPerSecond = integer(
    fields.allocationBytesPerSecond,
    'allocationBytesPerSecond',
    0,
    MOST_BYTES_PER_SECOND,
  )
  const totalBytesPerSecond = integer(fields.totalBytesPerSecond, 'totalBytesPerSecond', 0, MOST_BYTES_PER_SECOND)
  if (totalBytesPerSecond > 0 && allocationBytesPerSecond === 0) {
    throw new TurnOptionsError(
      'totalBytesPerSecond',
      'needs allocationBytesPerSecond: coturn does not start without it',
    )
  }
  const nonceLifetimeMs = integer(fields.nonceLifetimeMs, 'nonceLifetimeMs', 60_000, 86_400_000)
  if (nonceLifetimeMs % 1_000 !== 0) throw new TurnOptionsError('nonceLifetimeMs', 'expected whole seconds')

  return Object.freeze({
    secrets,
    realm: text(
      fields.realm,
      'realm',
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/,
      '1 to 127 characters of A-Z a-z 0-9 . _ -',
    ),
    port,
    tlsPort,
    listenAddresses: list(fields.listenAddresses, 'listenAddresses', 64, ipAddress),
    relayAddresses: list(fields.relayAddresses, 'relayAddresses', 64, ipAddress),
    relayPorts: portRange(fields.relayPorts),
    tls,
    externalAddress: externalAddress(fields.externalAddress),
    allowPeers: list(fields.allowPeers, 'allowPeers', MOST_RANGES, allowedRange),
    denyPeers: list(fields.denyPeers, 'denyPeers', MOST_RANGES, peerRange),
    allowPrivatePeers: boolean(fields.allowPrivatePeers, 'allowPrivatePeers'),
    userQuota: integer(fields.userQuota, 'userQuota', 0, 65_535),
    totalQuota: integer(fields.totalQuota, 'totalQuota', 0, 65_535),
    allocationBytesPerSecond,
    totalBytesPerSecond,
    nonceLifetimeMs,
    processUser:
      fields.processUser === undefined
        ? undefined
        : text(fields.processUser, 'processUser', /^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a user of this machine'),
  })
}
