import {
  CREDENTIAL_TTL_MS,
  iceServers,
  LocalTurn,
  parseTurnOptions,
  planCapacity,
  type TurnOptions,
  TurnOptionsError,
  type TurnServerAddress,
  turnCredentials,
} from '../turn/index.ts'
import { machineAddresses, withPrivateHalf } from './addresses.ts'
import type { DataFolder } from './data-folder.ts'
import type { Log } from './log.ts'
import { OptionsError } from './options/errors.ts'
import { flagName, type OptionKey, type ServerOptions } from './options/table.ts'
import type { PeerId } from './protocol/ids.ts'
import type { IceGrant } from './sessions/sessions.ts'

/** What the members of this server are told about STUN and TURN, and the local coturn, if there is one. */
export interface TurnService {
  /** ICE servers for one member, with credentials of its own. */
  readonly grant: (id: PeerId) => IceGrant
  /** `off`, `external`, or how the local coturn does. For `/healthz`. */
  state(): string
  /** TURN credentials granted since the start. */
  issued(): number
  stop(): Promise<void>
}

/** The client opens at most so many peer connections, unless its application says otherwise. */
const MAX_DIRECT_PEERS = 16
/** coturn answers within some 50 ms; a server does not wait for a sick one. */
const START_WAIT_MS = 2_000

/** Options of `turn/` whose name here is not simply `turn` and theirs. */
const OUR_NAMES: Readonly<Record<string, string>> = Object.freeze({
  secrets: 'turnSecret',
  listenAddresses: 'turnListen',
  tls: 'turnTlsCert',
})

function ourError(error: unknown): unknown {
  if (!(error instanceof TurnOptionsError)) return error
  const [theirs = ''] = error.key.split(/[.[]/)
  const key = OUR_NAMES[theirs] ?? `turn${theirs[0]?.toUpperCase()}${theirs.slice(1)}`
  return new OptionsError(key, flagName(key), error.message, { cause: error })
}

/** Options of a coturn of our own, for `LocalTurn` and for `turn-config`. @throws OptionsError, DataFolderError */
export function turnOptions(options: ServerOptions, folder: DataFolder, log: Pick<Log, 'warn'>): TurnOptions {
  const [min = 0, max = 0] = options.turnRelayPorts.split('-').map(Number)
  const { turnTlsCert: certFile, turnTlsKey: keyFile } = options
  const tls = certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile }
  const needs = {
    members: options.turnMembers,
    maxDirectPeers: MAX_DIRECT_PEERS,
    urls: tls === undefined ? 2 : 3,
    relayPorts: { min, max },
  }
  try {
    const plan = options.turnMembers === 0 ? undefined : planCapacity(needs)
    if (plan?.warning !== undefined) log.warn({}, plan.warning)
    return parseTurnOptions({
      secrets: options.turnSecret.length > 0 ? options.turnSecret : [folder.secret('turn-secret')],
      realm: options.turnRealm,
      port: options.turnPort,
      tlsPort: options.turnTlsPort,
      listenAddresses: options.turnListen,
      relayAddresses: options.turnRelayAddresses,
      relayPorts: { min, max },
      tls,
      externalAddress: options.turnExternalAddress,
      allowPeers: options.turnAllowPeers,
      denyPeers: options.turnDenyPeers,
      allowPrivatePeers: options.turnAllowPrivatePeers,
      ...(plan === undefined ? {} : { userQuota: plan.userQuota, totalQuota: plan.totalQuota }),
    })
  } catch (error) {
    throw ourError(error)
  }
}

/**
 * Two members who both need TURN meet at the relay's own address, which is mostly a private one and so denied as a peer.
 * It is opened by naming it: for a coturn on this machine, without an external address, the one members are told of; with
 * one, as its private half, for packets to the public half need not come back from the NAT.
 */
function withRelayAddress(options: ServerOptions): ServerOptions {
  const external = options.turnExternalAddress
  if (options.turnRelayAddresses.length > 0) return options
  if (external !== undefined) {
    return options.turnListen.length > 0 ? options : { ...options, turnExternalAddress: withPrivateHalf(external) }
  }
  const [machine] = options.turnListen.length > 0 ? options.turnListen : machineAddresses()
  return machine === undefined ? options : { ...options, turnRelayAddresses: [machine] }
}

function externalAddresses(servers: readonly string[]): readonly TurnServerAddress[] {
  return servers.map((text) => {
    const [, bracketed, name, port, tlsPort] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?(?::(\d+))?$/.exec(text) ?? []
    return {
      host: bracketed ?? name ?? '',
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(tlsPort === undefined ? {} : { tlsPort: Number(tlsPort) }),
    }
  })
}

function localAddress(options: ServerOptions, local: TurnOptions): TurnServerAddress {
  if (local.tls !== undefined && options.turnHost === undefined) {
    throw new OptionsError('turnHost', '--turn-host', 'needed with --turn-tls-cert: a name that is in the certificate')
  }
  const [published] = options.turnExternalAddress?.split('/') ?? []
  const [machine] = options.turnListen.length > 0 ? options.turnListen : machineAddresses()
  return {
    host: options.turnHost ?? published ?? machine ?? '127.0.0.1',
    port: local.port,
    ...(local.tls === undefined ? {} : { tlsPort: local.tlsPort }),
  }
}

type Grant = TurnService['grant']

interface CountedGrant {
  readonly grant: Grant
  readonly issued: () => number
}

/**
 * What every welcome will list, tried once: what is wrong with it must be said at the start, not to each member.
 * @throws OptionsError naming `turnKey` or `stunServers`
 */
function checkIceServers(turn: readonly TurnServerAddress[], stun: readonly string[], turnKey: OptionKey): void {
  try {
    iceServers({ turn, stun }, turnCredentials({ secret: 'only tried', peerId: '', nowMs: 0 }))
  } catch (error) {
    if (!(error instanceof TurnOptionsError)) throw error
    const key = error.key === 'stun' ? 'stunServers' : turnKey
    throw new OptionsError(key, flagName(key), error.message, { cause: error })
  }
}

function grantOf(turn: readonly TurnServerAddress[], stun: readonly string[], secret: string): CountedGrant {
  let issued = 0
  return {
    grant: (peerId) => {
      issued += 1
      const credentials = turnCredentials({ secret, peerId, nowMs: Date.now() })
      return { servers: iceServers({ turn, stun }, credentials), expiresAtMs: credentials.expiresAtMs }
    },
    issued: () => issued,
  }
}

/** Without TURN there is nothing secret, and nothing that ends; asked again as if there were, because there may be later. */
function stunOnly(stun: readonly string[]): Grant {
  return () => ({ servers: stun.length === 0 ? [] : [{ urls: stun }], expiresAtMs: Date.now() + CREDENTIAL_TTL_MS })
}

/**
 * Start what `--turn` and `--turn-servers` ask for. Rooms do not depend on it: a coturn that cannot run here is told in
 * one line of the log. Rejects with `OptionsError` only.
 */
export async function startTurnService(options: ServerOptions, folder: DataFolder, log: Log): Promise<TurnService> {
  const stun = options.stunServers
  const [secret = ''] = options.turnSecret
  const nothing = async (): Promise<void> => undefined
  if (options.turn === 'off' || options.turnServers.length === 0) checkIceServers([], stun, 'stunServers')
  if (options.turn === 'off') return { grant: stunOnly(stun), state: () => 'off', issued: () => 0, stop: nothing }
  if (options.turnServers.length > 0) {
    const servers = externalAddresses(options.turnServers)
    checkIceServers(servers, stun, 'turnServers')
    return { ...grantOf(servers, stun, secret), state: () => 'external', stop: nothing }
  }

  const local = new LocalTurn({ options: turnOptions(withRelayAddress(options), folder, log), logger: log })
  const address = localAddress(options, local.options)
  checkIceServers([address], stun, 'turnHost')
  const withTurn = grantOf([address], stun, local.options.secrets[0] ?? '')
  const without = stunOnly(stun)
  await Promise.race([local.start(), new Promise((resolve) => setTimeout(resolve, START_WAIT_MS).unref())])
  const { state } = local
  if (state.status === 'unavailable' && options.turn === 'local') {
    throw new OptionsError('turn', '--turn local', state.message)
  }
  if (state.status === 'running')
    log.info({ host: address.host, port: address.port }, 'members are told of this TURN server')
  return {
    // One that is being restarted will be there when it is needed.
    grant: (id) => (local.state.status === 'unavailable' ? without : withTurn.grant)(id),
    state: () => local.state.status,
    issued: withTurn.issued,
    stop: () => local.stop(),
  }
}
