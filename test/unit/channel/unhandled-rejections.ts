import { afterEach, beforeEach, expect } from 'vitest'

/** Of every test of this file: whatever fails is handled by somebody. */
export function expectAllHandled(): void {
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown): number => unhandled.push(reason)

  beforeEach(() => {
    unhandled.length = 0
    process.on('unhandledRejection', onUnhandled)
  })
  afterEach(() => {
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
  })
}
