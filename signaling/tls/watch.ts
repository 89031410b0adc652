import { unwatchFile, watchFile } from 'node:fs'
import type { TlsFiles } from '../net/network.ts'

/**
 * Certificates are replaced in many ways (renamed over, a changed symbolic link, a remounted volume), which change
 * notices of the system miss; so the files are looked at, every 5 s.
 */
const LOOK_EVERY_MS = 5_000
/** The certificate and its key are two files: wait until both are written. */
const SETTLE_MS = 500

/** Calls `changed` after either file has changed. Returns how to stop. */
export function watchTlsFiles(files: TlsFiles, changed: () => void, lookEveryMs: number = LOOK_EVERY_MS): () => void {
  let settling: NodeJS.Timeout | undefined
  const notice = (): void => {
    clearTimeout(settling)
    settling = setTimeout(changed, SETTLE_MS)
  }
  const paths = [files.certFile, files.keyFile]
  for (const path of paths) watchFile(path, { interval: lookEveryMs, persistent: false }, notice)
  return () => {
    clearTimeout(settling)
    for (const path of paths) unwatchFile(path, notice)
  }
}
