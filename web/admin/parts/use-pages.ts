import { useEffect, useState } from 'preact/hooks'
import type { Page } from '../model/server-data.ts'

export interface Pages<Row> {
  readonly rows: readonly Row[]
  /** From 1. */
  readonly number: number
  readonly isAsking: boolean
  /** Why there is nothing new to show. */
  readonly trouble: string | undefined
  /** Undefined on the last page. */
  readonly next: (() => void) | undefined
  /** Undefined on the first page. */
  readonly back: (() => void) | undefined
  /** Ask for this page again. */
  readonly again: () => void
}

interface Shown<Row> {
  readonly page: Page<Row>
  readonly isAsking: boolean
  readonly trouble: string | undefined
}

/** Goes through a list page by page; from its beginning whenever `what` is another. */
export function usePages<Row>(ask: (after: string | undefined) => Promise<Page<Row>>, what: string): Pages<Row> {
  const [place, setPlace] = useState<{ readonly what: string; readonly starts: readonly (string | undefined)[] }>({
    what,
    starts: [undefined],
  })
  const [round, setRound] = useState(0)
  const [{ page, isAsking, trouble }, setShown] = useState<Shown<Row>>({
    page: { rows: [], next: undefined },
    isAsking: true,
    trouble: undefined,
  })
  const starts = place.what === what ? place.starts : [undefined]
  const after = starts.at(-1)

  useEffect(() => {
    let isOver = false
    setShown((before) => ({ ...before, isAsking: true }))
    ask(after).then(
      (found) => {
        if (!isOver) setShown({ page: found, isAsking: false, trouble: undefined })
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        if (!isOver) setShown({ page: { rows: [], next: undefined }, isAsking: false, trouble: why })
      },
    )
    return () => {
      isOver = true
    }
  }, [what, after, round])

  const goTo =
    (places: readonly (string | undefined)[]): (() => void) =>
    () =>
      setPlace({ what, starts: places })
  return {
    rows: page.rows,
    number: starts.length,
    isAsking,
    trouble,
    next: page.next === undefined ? undefined : goTo([...starts, page.next]),
    back: starts.length === 1 ? undefined : goTo(starts.slice(0, -1)),
    again: () => setRound((before) => before + 1),
  }
}
