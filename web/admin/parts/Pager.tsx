import { testIds } from '../../ui/test-ids.ts'
import type { Pages } from './use-pages.ts'

/** Nothing where all is on one page. */
export function Pager<Row>({ pages, of }: { readonly pages: Pages<Row>; readonly of: string }) {
  const { number, next, back } = pages
  if (next === undefined && back === undefined) return null
  return (
    <nav class="pager" aria-label={`Pages of ${of}`}>
      <button type="button" class="button" disabled={back === undefined} onClick={back} data-testid={testIds.adminBack}>
        Previous
      </button>
      <span aria-live="polite">Page {number}</span>
      <button type="button" class="button" disabled={next === undefined} onClick={next} data-testid={testIds.adminNext}>
        Next
      </button>
    </nav>
  )
}
