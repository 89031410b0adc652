import { createHash, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generate } from 'selfsigned'

const DAY_MS = 86_400_000

/** A certificate for a name of the lab, signed by nobody. */
export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  /** Of its public key, for `--ignore-certificate-errors-spki-list`. */
  readonly keyHash: string
}

export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const pair = await generate([{ name: 'commonName', value: 'NAT lab' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + DAY_MS),
    extensions: [
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: name }] },
    ],
  })
  const certFile = join(folder, 'certificate.pem')
  const keyFile = join(folder, 'key.pem')
  await Promise.all([writeFile(certFile, pair.cert), writeFile(keyFile, pair.private, { mode: 0o600 })])
  const publicKey = new X509Certificate(pair.cert).publicKey.export({ type: 'spki', format: 'der' })
  return { certFile, keyFile, keyHash: createHash('sha256').update(publicKey).digest('base64') }
}
