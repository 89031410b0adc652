/** Who is measured. `bare` is uWebSockets.js with its own publish, and nothing else. */
export const RELAYS = ['ours', 'bare', 'ws', 'socket.io', 'peerjs', 'ours by sse', 'ours by long-poll'] as const
export type RelayName = (typeof RELAYS)[number]

/** PeerJS's server knows no rooms: it hands messages from one to one other. */
export const WITH_ROOMS: readonly RelayName[] = RELAYS.filter((name) => name !== 'peerjs')

/** One connection, or message, to one WebSocket. */
export const OVER_WEBSOCKET: readonly RelayName[] = ['ours', 'bare', 'ws', 'socket.io']

/** Which of our carriers a contestant goes by, if it is not the usual one. */
export function httpCarrier(relay: RelayName): 'sse' | 'long-poll' | undefined {
  if (relay === 'ours by sse') return 'sse'
  return relay === 'ours by long-poll' ? 'long-poll' : undefined
}

export interface MemberPlace {
  /** Of all members of this generator. */
  readonly index: number
  readonly room: number
}
