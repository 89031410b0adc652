import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { generate } from 'selfsigned'
import type { DataFolder } from '../data-folder.ts'
import type { TlsFiles } from '../net/network.ts'

/** The longest that iOS and macOS accept. */
const VALID_DAYS = 825
/** A certificate with less than this left is replaced at the start. */
const RENEW_BEFORE_MS = 30 * 86_400_000
const DAY_MS = 86_400_000

function stillGood(files: TlsFiles, nowMs: number): boolean {
  if (!existsSync(files.certFile) || !existsSync(files.keyFile)) return false
  try {
    const certificate = new X509Certificate(readFileSync(files.certFile))
    // A crash between the two files, or two servers that made them at once, may leave halves of two pairs.
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(files.keyFile)))) return false
    return Date.parse(certificate.validTo) - nowMs > RENEW_BEFORE_MS
  } catch {
    return false
  }
}

/**
 * A certificate for this machine's names and addresses, kept in the data folder: a browser that was told once to
 * accept it does so after a restart too. It is not made anew when the addresses change, because the browser would ask
 * again, and it warned about the certificate anyway.
 */
export async function selfSignedFiles(
  folder: DataFolder,
  addresses: readonly string[],
  nowMs: number = Date.now(),
): Promise<TlsFiles> {
  const files = {
    certFile: folder.file('tls', 'self-signed-cert.pem'),
    keyFile: folder.file('tls', 'self-signed-key.pem'),
  }
  if (stillGood(files, nowMs)) return files
  const name = hostname()
  const names = [...new Set(['localhost', name, `${name.replace(/\.local$/, '')}.local`])]
  const pair = await generate([{ name: 'commonName', value: 'Partyline (self-signed)' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - DAY_MS),
    notAfterDate: new Date(nowMs + (VALID_DAYS - 1) * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...['127.0.0.1', '::1', ...addresses].map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  })
  folder.guarded(() => {
    writeFileSync(files.keyFile, pair.private, { mode: 0o600 })
    writeFileSync(files.certFile, pair.cert, { mode: 0o644 })
  })
  return files
}
