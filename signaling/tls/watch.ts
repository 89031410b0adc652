import type { TlsFiles } from '../net/network.ts'
import { watchFiles } from '../watch-files.ts'

/** Calls `changed` after the certificate or its key has changed. Returns how to stop. */
export const watchTlsFiles = (files: TlsFiles, changed: () => void, lookEveryMs?: number): (() => void) =>
  watchFiles([files.certFile, files.keyFile], changed, lookEveryMs)
