import { readFileSync } from 'node:fs'
import type { Log } from '../log.ts'
import type { PrepareOptions } from '../options/live.ts'
import type { OptionKey, ServerOptions } from '../options/table.ts'
import type { Access } from './access-tokens.ts'
import { accessFromOptions } from './from-options.ts'

export interface LiveAccess {
  /** Undefined on an open server. That it is open, or not, stays until a restart. */
  readonly access: Access | undefined
  /** Takes other keys, audiences and issuers. */
  readonly prepare: PrepareOptions
}

const KEYS: readonly OptionKey[] = ['accessSecret', 'accessPublicKey', 'accessJwks', 'accessAudience', 'accessIssuer']

/** A key in a file may be another although its path is the same. A JWKS is kept: it renews itself. */
const isSame = (one: ServerOptions, other: ServerOptions): boolean =>
  other.accessPublicKey === undefined && KEYS.every((key) => JSON.stringify(one[key]) === JSON.stringify(other[key]))

const keyText = ({ accessPublicKey }: ServerOptions): string | undefined =>
  accessPublicKey === undefined ? undefined : readFileSync(accessPublicKey, 'utf8')

/** Access whose keys can be replaced while the server runs. @throws OptionsError */
export function liveAccess(options: ServerOptions, log: Log): LiveAccess {
  const first = accessFromOptions(options, log)
  if (first === undefined) return { access: undefined, prepare: () => () => undefined }
  let present: Access = first
  let used = options
  let usedText = keyText(options)
  return {
    access: { check: (token, room) => present.check(token, room) },
    prepare: (next, isNew) => {
      if (isSame(used, next)) return () => undefined
      const renewed = accessFromOptions(next, log) ?? present
      const text = keyText(next)
      if (text !== usedText) isNew('accessPublicKey')
      return () => {
        present = renewed
        used = next
        usedText = text
      }
    },
  }
}
