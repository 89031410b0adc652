import type { StoredNotice } from '../history/desk.ts'
import type { LeaveReason } from '../protocol/control.ts'
import type { Member } from './member.ts'

/** Is told of who comes and goes, at once: it must not take long, nor throw. A server that stops tells nothing. */
export interface SessionWatcher {
  opened(room: string): void
  emptied(room: string): void
  /** `resumed`: it was in the room before this server was started. */
  joined(member: Member, resumed: boolean): void
  left(member: Member, reason: LeaveReason): void
  /** Something is in a log for good. */
  stored?(notice: StoredNotice): void
}
