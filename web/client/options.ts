import { type Json, LIMITS, utf8Bytes, valuesIn } from '../../signaling/protocol/index.ts'
import { CARRIER_KINDS } from './carriers/choice.ts'
import { PartylineError } from './errors.ts'
import type { AccessToken, AdmitMember, CarrierKind, HistoryOptions, JoinOptions, SealingMode } from './face.ts'
import { fromBase64url } from './sealing/octets.ts'

/** `JoinOptions` with everything said. */
export interface RoomOptions {
  readonly server: string | URL | undefined
  readonly profile: Json
  readonly signal: AbortSignal | undefined
  readonly accessToken: AccessToken | undefined
  readonly paths: readonly ('direct' | 'turn' | 'relay')[]
  readonly iceTransportPolicy: 'all' | 'relay'
  readonly iceServers: readonly RTCIceServer[]
  readonly maxDirectPeers: number
  readonly sealing: SealingMode
  /** In mode `secret`: one of the two. */
  readonly secret: Uint8Array | undefined
  readonly password: string | undefined
  readonly identity: CryptoKeyPair | undefined
  readonly admit: AdmitMember | undefined
  readonly sealProfile: boolean
  readonly uplink: readonly CarrierKind[]
  readonly history: HistoryOptions | undefined
}

const PATHS = ['direct', 'turn', 'relay'] as const
const KEYS = [
  'server',
  'profile',
  'signal',
  'paths',
  'iceTransportPolicy',
  'iceServers',
  'maxDirectPeers',
  'accessToken',
  'sealing',
  'secret',
  'password',
  'identity',
  'admit',
  'sealProfile',
  'uplink',
  'history',
]
/** A browser with more peer connections than this is busier with ICE than with anything else. */
const MOST_DIRECT_PEERS = 64

/** Of the history, on entering: `room.history()` pages for more. */
const MOST_LAST = 1_000

const bad = (key: string, expected: string): never => {
  throw new PartylineError('bad-argument', `${key}: expected ${expected}`)
}

const isIceServer = (server: Partial<RTCIceServer> | null): boolean =>
  [server?.urls].flat().every((url) => typeof url === 'string')

export function checkRoomName(name: unknown): string {
  if (typeof name !== 'string' || name === '' || utf8Bytes(name) > LIMITS.roomNameBytes) {
    return bad('room name', `a string of 1 to ${LIMITS.roomNameBytes} bytes of UTF-8`)
  }
  return name
}

/** In base64url, what seals it and all, it is within `LIMITS.profileBytes`. */
const SEALED_PROFILE_BYTES = 3_000

/** A profile as the server will accept it. */
export function checkProfile(profile: unknown, sealed = false): Json {
  const most = sealed ? SEALED_PROFILE_BYTES : LIMITS.profileBytes
  let text: string | undefined
  try {
    text = JSON.stringify(profile)
  } catch {
    // Said below.
  }
  if (text === undefined || utf8Bytes(text) > most || valuesIn(JSON.parse(text)) > LIMITS.profileValues) {
    return bad('profile', `at most ${most} bytes of JSON, of ${LIMITS.profileValues} values`)
  }
  return profile as Json
}

const MOST_PASSWORD_BYTES = 1_024

function parseSealing({ sealing, secret, password, identity }: JoinOptions) {
  const sealed = secret !== undefined || password !== undefined
  if (sealing !== undefined && (sealing !== 'open' || sealed)) bad('sealing', "'open', without a secret or password")
  if (secret !== undefined && password !== undefined) bad('password', 'one of secret and password')
  const bytes = fromBase64url(String(secret ?? ''))
  if (secret !== undefined && !(bytes && bytes.length >= 16 && bytes.length <= 64)) {
    bad('secret', '16 to 64 bytes as base64url')
  }
  const length = utf8Bytes(String(password ?? 'x').normalize('NFC'))
  if (length === 0 || length > MOST_PASSWORD_BYTES) bad('password', `1 to ${MOST_PASSWORD_BYTES} bytes of UTF-8`)
  if (identity !== undefined && (sealing === 'open' || !(identity?.privateKey && identity.publicKey))) {
    bad('identity', 'a key pair, in a sealed room')
  }
  const mode: SealingMode = sealing ?? (sealed ? 'secret' : 'link')
  return { sealing: mode, secret: secret === undefined ? undefined : bytes, password, identity }
}

/** @throws PartylineError `bad-argument` naming the option and what it accepts */
export function parseJoinOptions(given: JoinOptions): RoomOptions {
  for (const key of Object.keys(given)) if (!KEYS.includes(key)) bad(key, `one of the options ${KEYS.join(', ')}`)
  const { paths = PATHS, iceTransportPolicy = 'all', iceServers = [], maxDirectPeers = 16 } = given
  if (!Array.isArray(paths) || paths.some((path) => !PATHS.includes(path as 'relay'))) {
    bad('paths', `a list of ${PATHS.join(', ')}`)
  }
  if (iceTransportPolicy !== 'all' && iceTransportPolicy !== 'relay') bad('iceTransportPolicy', 'all or relay')
  if (!Array.isArray(iceServers) || !iceServers.every(isIceServer)) bad('iceServers', 'a list of RTCIceServer')
  if (!Number.isInteger(maxDirectPeers) || maxDirectPeers < 0 || maxDirectPeers > MOST_DIRECT_PEERS) {
    bad('maxDirectPeers', `an integer from 0 to ${MOST_DIRECT_PEERS}`)
  }
  const uplink = [given.uplink ?? CARRIER_KINDS].flat()
  if (uplink.length === 0 || uplink.some((kind) => !CARRIER_KINDS.includes(kind))) {
    bad('uplink', `one or more of ${CARRIER_KINDS.join(', ')}`)
  }
  const { accessToken } = given
  if (!['undefined', 'string', 'function'].includes(typeof accessToken)) bad('accessToken', 'a string or a function')
  const { admit } = given
  if (admit !== undefined && typeof admit !== 'function') bad('admit', 'a function')
  const sealing = parseSealing(given)
  const { sealProfile = false } = given
  if (typeof sealProfile !== 'boolean' || (sealProfile && sealing.sealing !== 'secret')) {
    bad('sealProfile', 'a boolean; true needs a secret or password')
  }
  const { history } = given
  const last = history?.last ?? 0
  if (!(last >= 0 && last <= MOST_LAST)) bad('history.last', `0 to ${MOST_LAST}`)
  return {
    ...sealing,
    history,
    admit,
    sealProfile,
    accessToken,
    server: given.server,
    profile: checkProfile(given.profile ?? null, sealProfile),
    signal: given.signal,
    paths,
    iceTransportPolicy,
    iceServers,
    maxDirectPeers,
    uplink,
  }
}
