import type { Right } from '../protocol/access.ts'
import { FRAME } from '../protocol/frame.ts'

/** Flag of frames that are for one member. */
const UNICAST = 16
/** In `data` and `fragment`, behind the type and the sequence number. */
const CHANNEL_AT = 5
/** Of what is sealed, SEALING.md, "Records": the kind that goes to the room. */
const GROUP_RECORD = 2
/** Of the link channel, which every member needs whatever it may say. */
const LINK = 0

/**
 * Whether a member with these rights may have the frame at `start` forwarded. What carries no message always may; so
 * may what this version does not know, since receivers keep the same rules. Of a frame that is `sealed` all that can be
 * told is whether it is for the room: what is for one member is left to that one.
 */
export function mayForward(rights: ReadonlySet<Right>, bytes: Uint8Array, start: number, sealed: boolean): boolean {
  const head = bytes[start] ?? 0
  if (sealed) return head !== GROUP_RECORD || rights.has('publish')
  const type = head >>> 5
  if (type !== FRAME.data && type !== FRAME.fragment && type !== FRAME.latest) return true
  if ((head & UNICAST) === 0) return rights.has('publish')
  return rights.has('direct') || (type !== FRAME.latest && bytes[start + CHANNEL_AT] === LINK)
}
