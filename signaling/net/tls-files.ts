import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { NetworkError, type TlsFiles } from './network.ts'

export interface TlsPair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Read a certificate and its key, and see that they belong together. Rejects with `NetworkError` `tls-invalid`. */
export async function readTls(files: TlsFiles): Promise<TlsPair> {
  try {
    const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)])
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new NetworkError(
      'tls-invalid',
      `The certificate ${files.certFile} and the key ${files.keyFile} cannot be used: ${why}. Both must be PEM files of one pair.`,
      { cause: error },
    )
  }
}
