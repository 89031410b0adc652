import type { IceServer, LinkMessage } from '../../../signaling/protocol/index.ts'
import type { Clock } from '../clock.ts'
import type { AttemptTimes } from './attempt-times.ts'
import type { PathPolicy } from './ice-servers.ts'
import type { Connect, DirectPath, DirectPathEvents } from './path.ts'
import type { SlotPool } from './slots.ts'

export interface AttemptsEvents extends DirectPathEvents {
  /** Ping it, and call `usable` when the ping was answered on it. */
  opened(path: DirectPath): void
  /** Told for every path that had opened, whoever closed it. */
  closed(path: DirectPath, reason: string): void
  /** The path to use from now on; a replaced one goes on receiving for `retireMs`. */
  path(path: DirectPath | undefined): void
  /** `why` or `count` may have changed. */
  changed(): void
}

export interface AttemptsOptions {
  /** The member with the smaller id makes the attempts and numbers them; the other answers, and may ask. */
  readonly initiator: boolean
  /** `undefined`: there is no WebRTC here. */
  readonly connect: Connect | undefined
  readonly slots: SlotPool
  readonly clock: Clock
  /** 0 ≤ value < 1. */
  readonly random: () => number
  readonly policy: PathPolicy
  readonly events: AttemptsEvents
  readonly times?: AttemptTimes
  /** To the other side's `receive`: reliably and in order while the link lives. */
  say(message: LinkMessage): void
  /** Fresh credentials, asked for before each attempt. */
  iceServers(): Promise<readonly IceServer[]>
}
