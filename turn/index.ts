/**
 * TURN for partyline, usable by itself: a safe turnserver.conf, short-lived credentials, ICE server lists, and a coturn
 * that is run as a child process.
 * @packageDocumentation
 */

export { type CapacityNeeds, type CapacityPlan, planCapacity } from './capacity.ts'
export { type TurnRunFiles, turnserverConfig } from './config.ts'
export { CREDENTIAL_TTL_MS, type CredentialRequest, type TurnCredentials, turnCredentials } from './credentials.ts'
export { DENIED_PEER_RANGES, type DeniedPeerKind, type DeniedPeerRange, PRIVATE_PEER_KINDS } from './denied-peers.ts'
export { TurnOptionsError } from './errors.ts'
export {
  type IceServerEntry,
  type IceServerOptions,
  iceServers,
  type TurnServerAddress,
  type TurnTransport,
  turnUrls,
} from './ice-servers.ts'
export type { TurnClock } from './local/clock.ts'
export type { CoturnExit, CoturnProcess, LaunchRequest } from './local/coturn-process.ts'
export {
  LocalTurn,
  type LocalTurnDependencies,
  type LocalTurnSettings,
  type LocalTurnState,
  type UnavailableReason,
} from './local/local-turn.ts'
export type { TurnLogger } from './local/log.ts'
export type { PortCheck } from './local/port-check.ts'
export type { RunFolder } from './local/run-folder.ts'
export type { StunTarget } from './local/stun-socket.ts'
export {
  type PortRange,
  parseTurnOptions,
  TURN_DEFAULTS,
  type TurnOptions,
  type TurnOptionsInput,
  type TurnTlsFiles,
} from './options.ts'
