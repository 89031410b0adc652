import { unwatchFile, watchFile } from 'node:fs'

/**
 * Files are replaced in many ways (renamed over, a changed symbolic link, a remounted volume), which change notices of
 * the system miss; so they are looked at, every 5 s.
 */
const LOOK_EVERY_MS = 5_000
/** Until everything that belongs together is written. */
const SETTLE_MS = 500

/** Calls `changed` after one of the files has changed. Returns how to stop. */
export function watchFiles(
  paths: readonly string[],
  changed: () => void,
  lookEveryMs: number = LOOK_EVERY_MS,
): () => void {
  let settling: NodeJS.Timeout | undefined
  const notice = (): void => {
    clearTimeout(settling)
    settling = setTimeout(changed, SETTLE_MS)
  }
  for (const path of paths) watchFile(path, { interval: lookEveryMs, persistent: false }, notice)
  return () => {
    clearTimeout(settling)
    for (const path of paths) unwatchFile(path, notice)
  }
}
