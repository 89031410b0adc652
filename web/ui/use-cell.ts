import { useLayoutEffect, useState } from 'preact/hooks'
import type { Watchable } from './cell.ts'

/** The value now; the component renders again when it changes. Several changes in one turn are one rendering. */
export function useCell<T>(cell: Watchable<T>): T {
  const [, renderAgain] = useState({})
  const { value } = cell
  useLayoutEffect(() => {
    // It may have changed between rendering and now.
    if (!Object.is(cell.value, value)) renderAgain({})
    return cell.watch(() => renderAgain({}))
  }, [cell])
  return value
}
