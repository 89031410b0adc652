import { readFileSync } from 'node:fs'
import { systemClock } from '../clock.ts'
import type { Log } from '../log.ts'
import { LogThrottle } from '../log-throttle.ts'
import { OptionsError } from '../options/errors.ts'
import type { ServerOptions } from '../options/table.ts'
import { type Access, AccessTokens } from './access-tokens.ts'
import { keySet } from './key-set.ts'
import { publicKey, sharedSecrets, type TokenKeys } from './token-keys.ts'

export type AccessOptions = Pick<
  ServerOptions,
  | 'access'
  | 'accessSecret'
  | 'accessPublicKey'
  | 'accessJwks'
  | 'accessAudience'
  | 'accessIssuer'
  | 'host'
  | 'profileBytes'
>

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1)$/

function keyOfFile(path: string): TokenKeys {
  try {
    return publicKey(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new OptionsError('accessPublicKey', '--access-public-key', `${path} cannot be used: ${why}`, { cause: error })
  }
}

function keysOf(options: AccessOptions, log: Log): TokenKeys {
  const { accessSecret, accessPublicKey, accessJwks } = options
  const given = [accessSecret.length > 0, accessPublicKey !== undefined, accessJwks !== undefined].filter(Boolean)
  if (given.length !== 1) {
    const expected = 'needs one of --access-secret, --access-public-key and --access-jwks, and only one'
    throw new OptionsError('access', '--access token', expected)
  }
  if (accessPublicKey !== undefined) return keyOfFile(accessPublicKey)
  if (accessJwks === undefined) return sharedSecrets(accessSecret)
  const throttle = new LogThrottle(() => performance.now())
  return keySet(new URL(accessJwks), {
    clock: { ...systemClock, nowMs: () => performance.now() },
    fetch,
    failed: (error) =>
      throttle.tell((unsaid) =>
        log.warn({ err: error, ...unsaid }, `${accessJwks} does not give the keys of access tokens`),
      ),
  })
}

/**
 * Who decides about access; undefined on an open server, which says so in one line of the log unless only this machine
 * reaches it. @throws OptionsError
 */
export function accessFromOptions(options: AccessOptions, log: Log): Access | undefined {
  if (options.access === 'token') {
    return new AccessTokens({
      keys: keysOf(options, log),
      audience: options.accessAudience,
      issuer: options.accessIssuer,
      profileBytes: options.profileBytes,
      nowMs: () => Date.now(),
    })
  }
  const { accessSecret, accessPublicKey, accessJwks, accessAudience, accessIssuer } = options
  if (
    accessSecret.length + accessAudience.length + accessIssuer.length > 0 ||
    (accessPublicKey ?? accessJwks) !== undefined
  ) {
    throw new OptionsError(
      'access',
      '--access',
      'there are options for access tokens, but nobody is asked for one: add --access token',
    )
  }
  if (options.host === undefined || !LOOPBACK.test(options.host)) {
    log.warn({}, 'access is open: whoever reaches this server may enter any room; to ask for tokens, see --access')
  }
  return undefined
}
