import { useMemo, useState } from 'preact/hooks'
import { SHOWN_CHARACTERS } from '../model/line.ts'
import { findLinks } from '../model/links.ts'

/** Text of others: text, with web addresses as links that tell nothing about us. Never HTML. */
export function SafeText({ text }: { readonly text: string }) {
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole || text.length <= SHOWN_CHARACTERS ? text : text.slice(0, SHOWN_CHARACTERS)
  const parts = useMemo(() => findLinks(shown), [shown])
  return (
    <>
      {parts.map((part, index) =>
        part.kind === 'link' ? (
          // The parts of one text never move: their place is their key.
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ) : (
          part.text
        ),
      )}
      {shown !== text && (
        <button type="button" class="button button-small show-all" onClick={() => setWhole(true)}>
          … show all {text.length.toLocaleString()} characters
        </button>
      )}
    </>
  )
}
