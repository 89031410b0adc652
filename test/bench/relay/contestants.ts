/** Who is measured. `bare` is uWebSockets.js with its own publish, and nothing else. */
export const RELAYS = ['ours', 'bare', 'ws', 'socket.io', 'peerjs'] as const
export type RelayName = (typeof RELAYS)[number]

/** PeerJS's server knows no rooms: it hands messages from one to one other. */
export const WITH_ROOMS: readonly RelayName[] = ['ours', 'bare', 'ws', 'socket.io']

export interface MemberPlace {
  /** Of all members of this generator. */
  readonly index: number
  readonly room: number
}
