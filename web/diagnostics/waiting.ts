/** Thrown when something did not come in time. */
export class NotInTime extends Error {
  override readonly name = 'NotInTime'
}

/** The promise's outcome, or `NotInTime` after `timeoutMs`. */
export async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotInTime(`not within ${timeoutMs / 1_000} s`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const LOOK_MS = 50

/** Looks until the answer is there; `undefined` when it is not after `timeoutMs`. */
export async function look<T>(timeoutMs: number, find: () => T | undefined): Promise<T | undefined> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const found = find()
    if (found !== undefined || performance.now() >= end) return found
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
