/** Every option of the server, declared once: its type, range, default and help come from here. */

import { LOG_LIMITS } from '../history/new-logs.ts'
import { parseHistoryRule } from '../history/rules.ts'
import { HUB_DEFAULTS } from '../limits/hub-options.ts'
import { isAddressRange, RANGE_NAMES } from '../net/address.ts'
import { isOriginPattern } from '../net/origin.ts'
import { WEBHOOK_EVENTS } from '../webhooks/events.ts'
import { choice, integer, type Kind, list, optional, text, toggle } from './kinds.ts'

export interface OptionEntry<T> {
  readonly group: string
  readonly kind: Kind<T>
  readonly fallback: T
  readonly help: string
  /** Further environment variables, weaker than PARTYLINE_…. */
  readonly alsoEnvironment?: string
  /** Not shown when the server tells its options. */
  readonly secret?: boolean
}

const inGroup =
  (group: string) =>
  <T>(
    kind: Kind<T>,
    fallback: NoInfer<T>,
    help: string,
    more: Pick<OptionEntry<T>, 'alsoEnvironment' | 'secret'> = {},
  ): OptionEntry<T> => ({ group, kind, fallback, help, ...more })

const listening = inGroup('Listening')
const tls = inGroup('TLS')
const access = inGroup('Who may connect')
const tokens = inGroup('Access tokens')
const sessions = inGroup('Sessions')
const limits = inGroup('Limits')
const history = inGroup('History')
const turn = inGroup('TURN')
const operations = inGroup('Operations')
const logging = inGroup('Logs')

const SECRET = /^[A-Za-z0-9+/_.~-][A-Za-z0-9+/_.~=-]{15,255}$/
const isSecret = (value: string): boolean => SECRET.test(value)
const SIGNING_KEY_CHARS = 32
const DAY_MS = 86_400_000
const MIB = 1_048_576

const file = (what: string): Kind<string | undefined> => optional(text('FILE', `the path of ${what}`))

export const OPTIONS = {
  port: listening(integer(0, 65_535, 'PORT'), 8_080, 'Port of everything: rooms, pages, client. 0 takes a free one.', {
    alsoEnvironment: 'PORT',
  }),
  host: listening(
    optional(text('ADDRESS', 'an address of this machine')),
    undefined,
    'Address to listen on. Default: all, IPv4 and IPv6.',
  ),
  basePath: listening(
    text('PATH', 'a path that begins with /, such as /party', (value) =>
      /^\/(?:[\w.~-]+(?:\/[\w.~-]+)*\/?)?$/.test(value),
    ),
    '/',
    'Where the server stands below a proxy that does not strip it, such as /party.',
  ),
  engine: listening(
    choice(['auto', 'uws', 'ws']),
    'auto',
    'uWebSockets.js, or ws on node:http. auto takes the first where its native module loads.',
  ),
  pages: listening(
    optional(text('FOLDER', 'the path of a folder')),
    undefined,
    'Folder of the built pages. Default: those built beside the server.',
  ),

  tls: tls(
    choice(['auto', 'off', 'self-signed']),
    'auto',
    'auto is on when a certificate is given. self-signed makes one and keeps it in the data folder, so that a browser has to be told once; for a LAN, because browsers give encryption to secure pages only.',
  ),
  tlsCert: tls(file('a PEM file'), undefined, 'Certificate chain. Read again when the file changes.'),
  tlsKey: tls(file('a PEM file'), undefined, 'Its private key.'),

  origins: access(
    list('ORIGIN,…', 'origins such as https://example.org, https://*.example.org, null, or *', isOriginPattern),
    [],
    "Pages of these origins may connect too. The server's own and localhost always may.",
  ),
  trustedProxies: access(
    list('RANGE,…', `addresses, CIDR ranges, or ${RANGE_NAMES.join(' or ')}`, isAddressRange),
    [],
    `Proxies whose X-Forwarded-For is believed: addresses, CIDR ranges, ${RANGE_NAMES.join(', ')}.`,
  ),

  access: tokens(
    choice(['open', 'token']),
    'open',
    'open: whoever reaches the server may enter any room. token: members bring a JWT that the application signed; PROTOCOL.md, "Access", says what is in it. One of the three next options says how it is checked.',
  ),
  accessSecret: tokens(
    list(
      'SECRET,…',
      `secrets of ${SIGNING_KEY_CHARS} to 256 characters of A-Z a-z 0-9 + / _ . ~ - = (make one with: openssl rand -hex 32)`,
      (value) => isSecret(value) && value.length >= SIGNING_KEY_CHARS,
    ),
    [],
    'Shared with whoever signs access tokens, with HS256; all are accepted. Better in the environment than on the command line.',
    { secret: true },
  ),
  accessPublicKey: tokens(
    file('a PEM file'),
    undefined,
    'Public key of whoever signs access tokens: RSA, EC P-256, P-384 or P-521, or Ed25519.',
  ),
  accessJwks: tokens(
    optional(
      text('URL', 'an https: address (or http: on this machine)', (value) =>
        /^(?:https:\/\/[^\s]{1,2000}|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?\/[^\s]{0,2000})$/.test(
          value,
        ),
      ),
    ),
    undefined,
    'Address of the public keys (JWKS) of whoever signs access tokens, such as an identity provider. Kept for 10 minutes, 30 s for tokens that name no key; old keys stay good while it does not answer.',
  ),
  accessAudience: tokens(
    list('NAME,…', 'names'),
    [],
    "One of these must be among an access token's `aud`. Default: it is not looked at.",
  ),
  accessIssuer: tokens(
    list('NAME,…', 'names'),
    [],
    "An access token's `iss` must be one of these. Default: it is not looked at.",
  ),

  dataFolder: sessions(
    text('FOLDER', 'the path of a folder'),
    './data',
    'Where keys, certificates and departures are kept.',
  ),
  signingKey: sessions(
    list(
      'KEY,…',
      `keys of ${SIGNING_KEY_CHARS} to 256 characters of A-Z a-z 0-9 + / _ . ~ - = (make one with: openssl rand -hex 32)`,
      (value) => isSecret(value) && value.length >= SIGNING_KEY_CHARS,
    ),
    [],
    'Signs session tokens; the first signs, all are accepted. Default: made once and kept in the data folder. Better in the environment than on the command line.',
    { secret: true },
  ),
  graceMs: sessions(
    integer(0, DAY_MS, 'MS'),
    HUB_DEFAULTS.graceMs,
    'How long a member whose connection dropped stays, away, before it leaves.',
  ),
  joinTimeoutMs: sessions(
    integer(100, 600_000, 'MS'),
    HUB_DEFAULTS.joinTimeoutMs,
    'A connection that has not joined by then is closed.',
  ),
  tokenTtlMs: sessions(
    integer(60_000, 7 * DAY_MS, 'MS'),
    HUB_DEFAULTS.tokenTtlMs,
    'How long a session token is good; clients renew it before it ends.',
  ),

  membersPerRoom: limits(
    integer(1, 100_000),
    HUB_DEFAULTS.membersPerRoom,
    'Members of one room, the away ones included. At most 4,096 of them see each other.',
  ),
  roomsPerServer: limits(integer(1, 10_000_000), HUB_DEFAULTS.roomsPerServer, 'Rooms that exist at a time.'),
  connectionsPerAddress: limits(
    integer(1, 1_000_000),
    HUB_DEFAULTS.connectionsPerAddress,
    'Connections of one address; the default fits an office behind one NAT. Twice as many members, the away ones included, and twice as many joins in 20 s.',
  ),
  messagesPerSecond: limits(
    integer(1, 1_000_000),
    HUB_DEFAULTS.messagesPerSecond,
    'Messages a second of one member; twice that in a burst. Faster senders are held back, then closed.',
  ),
  bytesPerSecond: limits(
    integer(1_024, 1_073_741_824, 'BYTES'),
    HUB_DEFAULTS.bytesPerSecond,
    'Bytes a second of one member; twice that in a burst.',
  ),
  slowReaderBytes: limits(
    integer(65_536, 256 * MIB, 'BYTES'),
    HUB_DEFAULTS.slowReaderBytes,
    'What may wait for one receiver; beyond, frames to it are dropped and their senders told.',
  ),
  slowReaderMs: limits(
    integer(1_000, 600_000, 'MS'),
    HUB_DEFAULTS.slowReaderMs,
    'A receiver that takes nothing for so long is closed; it may resume.',
  ),
  profileBytes: limits(integer(2, 16_000, 'BYTES'), HUB_DEFAULTS.profileBytes, 'Largest profile, as JSON.'),
  frameBytes: limits(integer(20_480, MIB, 'BYTES'), HUB_DEFAULTS.frameBytes, 'Largest payload of one frame.'),
  packetBytes: limits(
    integer(32_768, 4 * MIB, 'BYTES'),
    HUB_DEFAULTS.packetBytes,
    'Largest message on the wire, which may hold many frames.',
  ),

  history: history(
    list(
      'RULE,…',
      'rules such as team-*;messages=1000;age=30d;channels=chat|notes;mail=50 (ages in s, m, h or d; all but the rooms may be left out)',
      (value) => parseHistoryRule(value) !== undefined,
    ),
    [],
    'Rooms whose messages are kept, if they are sent to be: a pattern of names (* stands for any characters); the most messages (100); for how long (1d); patterns of channels (all); the most for a user who is away (0: no mailboxes). The first rule that a room fits counts. Default: nothing is kept.',
  ),
  historyStore: history(
    choice(['memory', 'file']),
    'memory',
    'Where they are kept: in memory, gone when the server stops; or in a file (LMDB) in the data folder, where what was told to be stored survives a crash.',
  ),
  historyBytes: history(
    integer(MIB, 1_024 * 1_024 * MIB, 'BYTES'),
    256 * MIB,
    'The most that is kept of all rooms together; beyond, storing is refused.',
  ),
  mailboxesPerRoom: history(
    integer(1, 100_000),
    LOG_LIMITS.mailboxesPerRoom,
    'Mailboxes that a room may have. One into which nothing has come for as long as mail is kept makes place for another; beyond, storing is refused. One sender can begin a quarter of them.',
  ),
  newLogsPerHour: history(
    integer(1, 1_000_000),
    LOG_LIMITS.newLogsPerHour,
    'Mailboxes and logs of rooms that one user may begin in an hour, by storing the first message there, or all members without a user id at one address together. Backends are not counted.',
  ),

  turn: turn(
    choice(['auto', 'local', 'off']),
    'auto',
    'auto starts a local coturn when turnserver is installed and no --turn-servers are given; local insists on one.',
  ),
  turnServers: turn(
    list(
      'HOST[:PORT[:TLSPORT]],…',
      'hosts such as turn.example.org, turn.example.org:3478 or turn.example.org:3478:443',
      (value) => /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5}){0,2}$/.test(value),
    ),
    [],
    'coturn servers that run elsewhere with the same --turn-secret; no local one is started.',
  ),
  turnSecret: turn(
    list('SECRET,…', 'secrets of 16 to 256 characters of A-Z a-z 0-9 + / _ . ~ - =', isSecret),
    [],
    'Shared with coturn (static-auth-secret); the first signs. Default for a local one: made once and kept in the data folder.',
    { secret: true },
  ),
  stunServers: turn(
    list('URL,…', 'urls such as stun:stun.example.org:3478', (value) => /^stuns?:[^\s,]{1,500}$/.test(value)),
    [],
    'Further STUN servers that members are told of.',
  ),
  turnHost: turn(
    optional(text('HOST', 'a host name or an address', (value) => /^[A-Za-z0-9._:-]{1,253}$/.test(value))),
    undefined,
    'The name or address by which members reach the local coturn. Default: the public part of --turn-external-address, else the first address of this machine.',
  ),
  turnPort: turn(integer(1, 65_535, 'PORT'), 3_478, 'UDP and TCP port of the local coturn.'),
  turnTlsPort: turn(integer(1, 65_535, 'PORT'), 5_349, 'Its TLS port; 443 gets through the strictest firewalls.'),
  turnTlsCert: turn(
    file('a PEM file'),
    undefined,
    'Its certificate chain; members then get a turns: url. Needs --turn-host.',
  ),
  turnTlsKey: turn(file('a PEM file'), undefined, 'Its private key.'),
  turnExternalAddress: turn(
    optional(text('PUBLIC/PRIVATE', 'PUBLIC/PRIVATE or PUBLIC, addresses of one family')),
    undefined,
    "The address the world sees when it is not the machine's own (most clouds, containers). PUBLIC is enough where the machine has one address.",
  ),
  turnListen: turn(list('ADDRESS,…', 'addresses of this machine'), [], 'Addresses to listen on. Default: all.'),
  turnRelayAddresses: turn(
    list('ADDRESS,…', 'addresses of this machine'),
    [],
    'Addresses of allocations. Default: the one the member came by.',
  ),
  turnRelayPorts: turn(
    text('MIN-MAX', 'two ports such as 49152-65535', (value) => /^\d{1,5}-\d{1,5}$/.test(value)),
    '49152-65535',
    'UDP ports of allocations; open them in the firewall.',
  ),
  turnRealm: turn(text('NAME', 'a host name'), 'partyline', 'Shown to members in the challenge.'),
  turnAllowPeers: turn(
    list('RANGE,…', 'addresses or CIDR ranges'),
    [],
    'Ranges that are allowed as peers although private ones are denied, for intranets.',
  ),
  turnDenyPeers: turn(list('RANGE,…', 'addresses or CIDR ranges'), [], 'Ranges that are denied as peers besides.'),
  turnAllowPrivatePeers: turn(
    toggle,
    false,
    'Development and tests only: lets members reach private and loopback addresses through TURN. Never on a public server.',
  ),
  turnMembers: turn(
    integer(0, 1_000_000),
    0,
    'Members to plan ports and quotas for; warns when the relay ports are too few. 0: no plan.',
  ),

  apiKey: operations(
    list(
      'KEY,…',
      `keys of ${SIGNING_KEY_CHARS} to 256 characters of A-Z a-z 0-9 + / _ . ~ - = (make one with: openssl rand -hex 32)`,
      (value) => isSecret(value) && value.length >= SIGNING_KEY_CHARS,
    ),
    [],
    'Whoever has one of these may administer the server: HTTP API, admin page, metrics. Default: nobody. Better in the environment or the file than on the command line.',
    { secret: true },
  ),
  webhookUrl: operations(
    optional(
      text(
        'URL',
        'an http: or https: address without a user name or password',
        (value) => /^https?:\/\/[^\s]{1,2000}$/.test(value) && URL.canParse(value) && new URL(value).username === '',
      ),
    ),
    undefined,
    'Told, by signed POST, of rooms and members that come and go, and of what is stored.',
  ),
  webhookEvents: operations(
    list('EVENT,…', `any of ${WEBHOOK_EVENTS.join(', ')}`, (value) => WEBHOOK_EVENTS.some((event) => event === value)),
    [],
    'Which events. Default: all.',
  ),
  webhookSecret: operations(
    list('SECRET,…', 'secrets of 16 to 256 characters of A-Z a-z 0-9 + / _ . ~ - =', isSecret),
    [],
    'Signs webhooks; each of several does. Default: made once and kept in the data folder.',
    { secret: true },
  ),
  metrics: operations(
    choice(['key', 'open', 'off']),
    'key',
    'Who may read /metrics: key is whoever has an API key, and this machine itself; open is everyone.',
  ),
  drainDelayMs: operations(
    integer(0, 600_000, 'MS'),
    0,
    'After SIGTERM, /readyz says 503 for so long before anything else happens; for load balancers that need time to notice.',
  ),

  logLevel: logging(choice(['trace', 'debug', 'info', 'warn', 'error', 'silent']), 'info', 'The least that is logged.'),
  logFormat: logging(
    choice(['auto', 'json', 'text']),
    'auto',
    'One JSON object a line, or text to read. auto is text on a terminal. Logs go to standard error.',
  ),
}

export type OptionKey = keyof typeof OPTIONS

/** Every option of the server. Times are ms, sizes bytes. */
export type ServerOptions = {
  readonly [K in OptionKey]: (typeof OPTIONS)[K] extends OptionEntry<infer T> ? T : never
}

/** What an application writes: what differs from the defaults. */
export type ServerOptionsInput = { readonly [K in OptionKey]?: ServerOptions[K] | undefined }

export const OPTION_KEYS = Object.keys(OPTIONS) as readonly OptionKey[]

export const flagName = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
export const environmentName = (key: string): string =>
  `PARTYLINE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** Any one entry, without its type: for code that treats all alike. */
export const optionEntry = (key: OptionKey): OptionEntry<unknown> => OPTIONS[key]
