import type { InstanceId, Json, LinkPaths, PeerId, ServerMessage } from '../../../signaling/protocol/index.ts'
import type { OpenCarrier } from '../carriers/carrier.ts'
import type { CarrierChoice } from '../carriers/choice.ts'
import type { Clock } from '../clock.ts'
import type { PartylineError } from '../errors.ts'
import type { AccessToken } from '../face.ts'
import type { RoomClock } from '../room-clock.ts'
import type { NetworkEvents } from './network-events.ts'
import type { UplinkStateName } from './state.ts'

export type Welcome = Extract<ServerMessage, { t: 'welcome' }>
/** What the uplink passes on as it is. */
export type RoomMessage = Extract<
  ServerMessage,
  {
    t:
      | 'joined'
      | 'changed'
      | 'left'
      | 'snapshot'
      | 'dropped'
      | 'pong'
      | 'renewed'
      | 'published'
      // Of what is kept.
      | ('history' | 'stored' | 'logged' | 'position' | 'positions')
  }
>

export interface UplinkEvents {
  state: UplinkStateName
  /**
   * Online, told before `state` says so; frames can be sent already. `joined`: for the first time. `resumed`: as the
   * same member. `rejoined`: as a new member (another peer id), because the session was over; nobody knows the old
   * links any more.
   */
  welcome: {
    readonly message: Welcome
    readonly how: 'joined' | 'resumed' | 'rejoined'
    /** So many messages from backends are lost. */
    readonly missed: number
  }
  message: RoomMessage
  /** `payload` is a view of the message it came in: valid for ever, but keeping it keeps the whole message. */
  frame: { readonly from: PeerId; readonly payload: Uint8Array; readonly slot: number | undefined }
  /** There is room again, after `send` said no. */
  writable: undefined
  /** Once. `undefined` after `leave()` or `close()`. */
  closed: PartylineError | undefined
}

export interface UplinkOptions {
  /** From `serverAddress`. */
  readonly server: URL
  readonly room: string
  readonly profile: Json
  readonly instance: InstanceId
  /** 128 random bits as hex; kept for the life of the instance. */
  readonly joinKey: string
  /** Default: none. */
  readonly accessToken?: AccessToken | undefined
  readonly open: OpenCarrier
  /** The way up from a lesser carrier. Default: none. */
  readonly choice?: Pick<CarrierChoice, 'better' | 'changed' | 'measured'> | undefined
  readonly clock: Clock
  /** Fed with every round trip. */
  readonly roomClock: RoomClock
  /** From 0 up to 1, as `Math.random`: for back-off. */
  readonly random: () => number
  readonly network: NetworkEvents
  /** How many links take which path now: the server's operator sees the sum of all members. */
  readonly paths?: () => LinkPaths
}
