/** The join that rides in a WebSocket's upgrade, as subprotocols: the only header that a browser lets a page fill in. */
import { decodeText, encodeText } from './bytes.ts'
import { utf8Bytes } from './guards.ts'
import { LIMITS } from './limits.ts'

export const SUBPROTOCOL = 'partyline'
const JOIN_PREFIX = 'join.'

/** The subprotocols that offer this join; none when it is too large for a header: it is then the first message. */
export function subprotocolsFor(join: string): readonly string[] {
  if (utf8Bytes(join) > LIMITS.offeredJoinBytes) return []
  const encoded = btoa(String.fromCharCode(...encodeText(join)))
  return [SUBPROTOCOL, JOIN_PREFIX + encoded.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')]
}

const valuesOf = (header: string): readonly string[] => header.split(',').map((value) => value.trim())

/** What the server answers an offer of subprotocols (`Sec-WebSocket-Protocol`) with: '' is none. */
export const chosenSubprotocol = (header: string): string => (valuesOf(header).includes(SUBPROTOCOL) ? SUBPROTOCOL : '')

/** The join in an offer of subprotocols; '' when it is malformed, to be answered as any message that is no JSON. */
export function offeredJoin(header: string | undefined): string | undefined {
  if (header === undefined || chosenSubprotocol(header) === '') return undefined
  const value = valuesOf(header).find((one) => one.startsWith(JOIN_PREFIX))
  return value === undefined ? undefined : decoded(value.slice(JOIN_PREFIX.length))
}

function decoded(value: string): string {
  if (!/^[\w-]*$/.test(value)) return ''
  try {
    const binary = atob(value.replace(/-/g, '+').replace(/_/g, '/'))
    const bytes = new Uint8Array(binary.length)
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at)
    return decodeText(bytes)
  } catch {
    return ''
  }
}
