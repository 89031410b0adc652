import { accessInfo } from '../access/grant.ts'
import type { HubOptions } from '../limits/hub-options.ts'
import { type ServerMessage, VERSION } from '../protocol/control.ts'
import { CLOSE } from '../protocol/errors.ts'
import type { KeptInfo } from '../protocol/history.ts'
import { Refusal } from '../refusal.ts'
import type { Credentials, Joined } from './sessions.ts'

/** The newest version both speak. @throws Refusal `version-unsupported` */
export function agreeVersion(vMin: number, vMax: number): number {
  const version = Math.min(vMax, VERSION.max)
  if (version >= Math.max(vMin, VERSION.min)) return version
  const ours = `${VERSION.min} to ${VERSION.max}`
  throw new Refusal('version-unsupported', `versions ${ours} are spoken here, not ${vMin} to ${vMax}`, CLOSE.refused)
}

export interface WelcomeParts extends Joined {
  /** The request that is answered. */
  readonly re: number
  readonly v: number
  readonly credentials: Credentials
  readonly options: HubOptions
  readonly timeMs: number
  /** The server asks for access tokens. */
  readonly asksAccess: boolean
  /** What is kept of the room. */
  readonly kept: KeptInfo | undefined
}

export function welcome({
  re,
  v,
  member,
  resumed,
  credentials,
  options,
  timeMs,
  asksAccess,
  kept,
}: WelcomeParts): ServerMessage {
  const { room } = member
  const { before } = member.unseen
  return {
    t: 'welcome',
    re,
    v,
    peerId: member.id,
    ...credentials,
    resumed,
    room: room.name,
    epoch: room.epoch,
    version: room.version,
    graceMs: options.graceMs,
    members: room.others(member.id),
    limits: {
      frameBytes: options.frameBytes,
      packetBytes: options.packetBytes,
      profileBytes: options.profileBytes,
      membersPerRoom: options.membersPerRoom,
      messagesPerSecond: options.messagesPerSecond,
      bytesPerSecond: options.bytesPerSecond,
    },
    timeMs,
    ...(asksAccess ? { access: accessInfo(member.grant) } : {}),
    ...(before === 0 ? {} : { published: before }),
    ...(kept === undefined ? {} : { history: kept }),
  }
}
