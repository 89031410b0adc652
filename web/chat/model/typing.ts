import type { PeerId } from 'partyline'

/** What goes over the `typing` channel. */
export type TypingValue = { readonly typing: boolean }

/** Says again that one is typing, ms; shorter than `TYPING_SHOWN_MS`, since values may be skipped. */
export const TYPING_REPEAT_MS = 2_500
/** A pause this long ends typing, ms. */
export const TYPING_IDLE_MS = 4_000
/** How long somebody is shown as typing after their last word of it, ms. */
export const TYPING_SHOWN_MS = 6_000

/** When each member last said that it is typing. */
export type TypingBoard = ReadonlyMap<PeerId, number>

export const isTyping = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'typing' in value && value.typing === true

export function afterTypingValue(board: TypingBoard, from: PeerId, value: unknown, nowMs: number): TypingBoard {
  const next = new Map(board)
  if (isTyping(value)) next.set(from, nowMs)
  else next.delete(from)
  return next
}

export const withoutTyping = (board: TypingBoard, peer: PeerId): TypingBoard =>
  board.has(peer) ? new Map([...board].filter(([id]) => id !== peer)) : board

/** Without those who have been quiet for too long; the same board when there are none. */
export function withoutQuiet(board: TypingBoard, nowMs: number): TypingBoard {
  const still = [...board].filter(([, atMs]) => nowMs - atMs < TYPING_SHOWN_MS)
  return still.length === board.size ? board : new Map(still)
}
