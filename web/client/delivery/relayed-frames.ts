import type { Lane, PeerId } from '../../../signaling/protocol/index.ts'
import type { LinkSender } from './link-sender.ts'
import { distance } from './serial.ts'

/** Sends one frame to several members in one uplink message. `false`: it takes nothing now. */
export type Broadcast = (lane: Lane, frame: Uint8Array, to: readonly PeerId[]) => boolean

/** Room frames to members on the relay: one uplink message for all who are to get the same frame. */
export function pumpRelayed(senders: ReadonlyMap<PeerId, LinkSender>, broadcast: Broadcast, nowMs: number): void {
  for (const stream of [0, 1] as const) {
    const relayed = [...senders.values()].filter(
      ({ outlet, cursors }) => outlet?.kind === 'relay' && cursors[stream].sent !== cursors[stream].stream.next,
    )
    if (relayed.length === 0) continue
    for (;;) {
      const group = nextGroup(relayed, stream)
      const [first] = group
      if (first === undefined) break
      const cursor = first.cursors[stream]
      const to = group.map(({ member }) => member)
      if (!broadcast(cursor.stream.lane, cursor.stream.frame(cursor.sent), to)) break
      for (const sender of group) {
        if (sender.outlet !== undefined) sender.advanced(sender.cursors[stream], sender.outlet, nowMs)
      }
    }
  }
}

/** Those whose next frame is the oldest that anyone relayed may be sent. */
function nextGroup(senders: readonly LinkSender[], stream: 0 | 1): readonly LinkSender[] {
  let group: LinkSender[] = []
  let least = Number.POSITIVE_INFINITY
  for (const sender of senders) {
    const cursor = sender.cursors[stream]
    if (sender.outlet === undefined || cursor.hasLost || !sender.mayAdvance(cursor, sender.outlet)) continue
    const position = distance(cursor.stream.base, cursor.sent)
    if (position < least) {
      least = position
      group = [sender]
    } else if (position === least) {
      group.push(sender)
    }
  }
  return group
}
