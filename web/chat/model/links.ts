export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }

const CANDIDATE = /https?:\/\/[^\s<>"'`{}|\\^\p{Cc}\p{Cf}]+/giu
const CLOSERS: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
])

const count = (text: string, character: string): number => text.split(character).length - 1

/**
 * Punctuation at the end belongs to the sentence, and a bracket too unless the address opened it. Each character is
 * looked at a few times only, however many brackets others may send.
 */
function withoutTrailingPunctuation(candidate: string): string {
  /** Brackets that close what nothing has opened. */
  const unopened = new Map(
    [...CLOSERS].map(([closer, opener]) => [closer, count(candidate, closer) - count(candidate, opener)]),
  )
  let end = candidate.length
  for (; end > 0; end -= 1) {
    const last = candidate.charAt(end - 1)
    const surplus = unopened.get(last)
    const belongsToSentence = surplus === undefined ? /[.,;:!?*_~…]/u.test(last) : surplus > 0
    if (!belongsToSentence) break
    if (surplus !== undefined) unopened.set(last, surplus - 1)
  }
  return candidate.slice(0, end)
}

/** The address to follow, or `undefined` for what should stay text: only http and https, and no user name, which can pose as a host. */
function safeAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:'
  return isWeb && url.username === '' && url.password === '' && url.hostname !== '' ? url.href : undefined
}

/** Splits text into plain text and links, in order; joined again, the parts' texts are the text. */
export function findLinks(text: string): readonly TextPart[] {
  const parts: TextPart[] = []
  let done = 0
  const addText = (until: number): void => {
    if (until > done) parts.push({ kind: 'text', text: text.slice(done, until) })
    done = until
  }
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = withoutTrailingPunctuation(match[0])
    const href = safeAddress(shown)
    if (href === undefined) continue
    addText(match.index)
    parts.push({ kind: 'link', text: shown, href })
    done = match.index + shown.length
  }
  addText(text.length)
  return parts
}
