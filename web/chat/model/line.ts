/** What goes over the `chat` channel. */
export type ChatLine = { readonly text: string }

/** Longest message that can be typed, in characters. */
export const LINE_CHARACTERS = 16_000
/** Shown of a longer one of others, whose programs may send megabytes, until all of it is asked for. */
export const SHOWN_CHARACTERS = 8_000

/** The text of a line that came from somebody else; `undefined` when it is none. */
export function readLine(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('text' in data) || typeof data.text !== 'string') return undefined
  return data.text.trim() === '' ? undefined : data.text
}

/** How many characters too long it is; 0 when it fits. Nothing is cut off in silence. */
export const excessOf = (typed: string): number => Math.max(0, typed.length - LINE_CHARACTERS)

/** What is sent of what was typed; `undefined` when that is nothing, or too much. */
export function lineFrom(typed: string): ChatLine | undefined {
  const text = typed.replace(/\s+$/u, '').replace(/^\s*\n/u, '')
  return text.trim() === '' || excessOf(text) > 0 ? undefined : { text }
}
