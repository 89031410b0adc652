/** What sealing has to know of the frames that go in records: SEALING.md, "Records" and "Replays". */
import { FRAME, frameType } from '../../../signaling/protocol/index.ts'
import { joined } from './octets.ts'

const UNICAST = 16
const SINCE_BYTES = 8

/** Whether a frame goes in a group record: to the room, and not about a link. */
export const isForGroup = (frame: Uint8Array): boolean => isRepeatable(frame) && ((frame[0] as number) & UNICAST) === 0

/** Whether a frame that is sent again goes in the same record: data, fragments and `latest`. */
export const isRepeatable = (frame: Uint8Array): boolean => {
  const type = frameType(frame)
  return frame.length > 0 && (type <= FRAME.fragment || type === FRAME.latest)
}

/** A greeting, and where its sender's link began: what follows the frame in its record. */
export function withSince(frame: Uint8Array, since: number): Uint8Array {
  const bytes = joined(frame, new Uint8Array(SINCE_BYTES))
  new DataView(bytes.buffer).setBigUint64(frame.length, BigInt(since))
  return bytes
}

/** The frame of a greeting's record, and what followed it: beyond every counter when there is too little. */
export function splitSince(plain: Uint8Array): { readonly frame: Uint8Array; readonly since: number } {
  const at = plain.length - SINCE_BYTES
  if (at < 1) return { frame: plain, since: Number.POSITIVE_INFINITY }
  return {
    frame: plain.subarray(0, at),
    since: Number(new DataView(plain.buffer, plain.byteOffset + at).getBigUint64(0)),
  }
}

export const isGreeting = (frame: Uint8Array): boolean => frame.length > 0 && frameType(frame) === FRAME.greet
