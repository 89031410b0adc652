export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }

const CANDIDATE = /https?:\/\/[^\s<>"'`{}|\\^\p{Cc}\p{Cf}]+/giu
const CLOSERS: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
])

const count = (text: string, character: string): number => text.split(character).length - 1

/** Punctuation at the end belongs to the sentence, and a bracket too unless the address opened it. */
function withoutTrailingPunctuation(candidate: string): string {
  let text = candidate
  for (;;) {
    const last = text.at(-1) ?? ''
    const opener = CLOSERS.get(last)
    const belongsToSentence =
      opener === undefined ? /[.,;:!?*_~…]/u.test(last) : count(text, last) > count(text, opener)
    if (last === '' || !belongsToSentence) return text
    text = text.slice(0, -last.length)
  }
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
