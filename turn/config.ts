/** turnserver.conf from options. Every line is one that coturn 4.6.1 knows: it only logs what it does not know, and starts. */
import { type IpRange, parseIpRange } from './address.ts'
import { coturnRanges } from './coturn-ranges.ts'
import { DENIED_PEER_RANGES, deniedRange, PRIVATE_PEER_KINDS } from './denied-peers.ts'
import { parseTurnOptions, type TurnOptions, type TurnOptionsInput } from './options.ts'

/** Files that a coturn we run ourselves keeps for itself, so that several can run on one machine. */
export interface TurnRunFiles {
  /** An SQLite file, made by coturn. The credentials are not in it. */
  readonly userDatabase: string
  readonly pidFile: string
}

const each = (name: string, values: readonly (string | number)[]): readonly string[] =>
  values.map((value) => `${name}=${value}`)
const limit = (name: string, value: number): readonly string[] => (value === 0 ? [] : [`${name}=${value}`])

const peerRangeLines = (name: string, ranges: readonly IpRange[]): readonly string[] =>
  each(name, ranges.flatMap(coturnRanges))

function checkedRange(text: string): IpRange {
  const range = parseIpRange(text)
  if (!range) throw new Error(`peer range ${text} passed the parser and cannot be read`)
  return range
}

/**
 * Relay addresses that must be peers even in a denied range, because two members that both use TURN meet there. coturn
 * turns the public side of an `external-ip` into the private one before it looks a peer up, and allows the private side
 * of a pair by itself ("Whitelisting external-ip private part").
 */
function ownRelayAddresses(options: TurnOptions): readonly string[] {
  const allowedAnyway = options.externalAddress?.split('/')[1]
  return options.relayAddresses.filter((address) => address !== allowedAnyway)
}

function peerLines(options: TurnOptions): readonly string[] {
  const denied = DENIED_PEER_RANGES.filter(
    (entry) => !(options.allowPrivatePeers && PRIVATE_PEER_KINDS.includes(entry.kind)),
  )
  const own = ownRelayAddresses(options)
  return [
    '# Peers. Who has credentials can send to any peer that is not denied here.',
    'no-multicast-peers',
    ...(options.allowPrivatePeers
      ? [`# allowPrivatePeers, for development and tests only: opens ${PRIVATE_PEER_KINDS.join(', ')} addresses.`]
      : []),
    // The reserved block ::/8 is denied around it.
    ...(options.allowPrivatePeers ? ['allow-loopback-peers', 'allowed-peer-ip=::1'] : []),
    ...denied.flatMap((entry) => [`# ${entry.note}`, ...peerRangeLines('denied-peer-ip', [deniedRange(entry)])]),
    ...peerRangeLines('denied-peer-ip', options.denyPeers.map(checkedRange)),
    ...(own.length === 0 ? [] : ['# Our own relay addresses: two members that both use TURN meet there.']),
    ...each('allowed-peer-ip', own),
    ...peerRangeLines('allowed-peer-ip', options.allowPeers.map(checkedRange)),
  ]
}

function transportLines(options: TurnOptions): readonly string[] {
  const { tls, externalAddress, relayPorts } = options
  return [
    '# Where to listen, and where allocations are made.',
    `listening-port=${options.port}`,
    ...each('listening-ip', options.listenAddresses),
    ...each('relay-ip', options.relayAddresses),
    ...each('external-ip', externalAddress === undefined ? [] : [externalAddress]),
    `min-port=${relayPorts.min}`,
    `max-port=${relayPorts.max}`,
    ...(tls === undefined
      ? ['no-tls']
      : [
          `tls-listening-port=${options.tlsPort}`,
          `cert=${tls.certFile}`,
          `pkey=${tls.keyFile}`,
          'no-tlsv1',
          'no-tlsv1_1',
        ]),
    '# Browsers use neither TURN over DTLS nor TCP allocations (RFC 6062).',
    'no-dtls',
    'no-tcp-relay',
  ]
}

/**
 * The text of a turnserver.conf. It holds the secrets: write it where only coturn can read it.
 * @param input options, checked here; see {@link TurnOptions}
 * @param files when coturn is run by us; without them it keeps to its own places
 * @throws TurnOptionsError
 */
export function turnserverConfig(input: TurnOptionsInput, files?: TurnRunFiles): string {
  const options = parseTurnOptions(input)
  const relayPortCount = options.relayPorts.max - options.relayPorts.min + 1
  return [
    '# Made by "partyline turn-config" for coturn 4.6. It holds secrets: keep it readable by coturn only.',
    '',
    '# Credentials: "expiry:peerId" as the user name, its HMAC under a secret as the password. The first secret signs.',
    'use-auth-secret',
    ...each('static-auth-secret', options.secrets),
    `realm=${options.realm}`,
    `stale-nonce=${options.nonceLifetimeMs / 1_000}`,
    'fingerprint',
    '',
    ...transportLines(options),
    '',
    '# Quotas: allocations of one member, allocations in all, bytes per second.',
    ...limit('user-quota', options.userQuota),
    `total-quota=${options.totalQuota === 0 ? relayPortCount : options.totalQuota}`,
    ...limit('max-bps', options.allocationBytesPerSecond),
    ...limit('bps-capacity', options.totalBytesPerSecond),
    '',
    ...peerLines(options),
    '',
    '# Nothing to manage, nothing to amplify, nothing to tell.',
    'no-cli',
    'no-rfc5780',
    'no-stun-backward-compatibility',
    'response-origin-only-with-rfc5780',
    'no-software-attribute',
    'no-dynamic-ip-list',
    // Our own coturn reads its realms: else the database is made by the first two members who ask for an allocation,
    // and one of them finds no tables in it and is refused (4.6.1).
    ...(files === undefined ? ['no-dynamic-realms'] : []),
    ...each('proc-user', options.processUser === undefined ? [] : [options.processUser]),
    ...each('userdb', files === undefined ? [] : [files.userDatabase]),
    ...each('pidfile', files === undefined ? [] : [files.pidFile]),
    'log-file=stdout',
    'simple-log',
    'new-log-timestamp',
    '',
  ].join('\n')
}
