import { ProtocolError } from './errors.ts'
import { asString, type Fields } from './guards.ts'
import { LIMITS } from './limits.ts'

const BASE64URL = /^[\w-]+$/

/** The announcement of a member's keys, where a message has one. @throws ProtocolError naming `field` */
export function announced({ seal }: Fields, field: string): { readonly seal?: string } {
  if (seal === undefined) return {}
  if (!BASE64URL.test(asString(seal, field, LIMITS.sealChars, 1))) throw new ProtocolError(field, 'expected base64url')
  return { seal: seal as string }
}
