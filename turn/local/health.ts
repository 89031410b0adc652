/** Whether a coturn is really there (it answers STUN), and whether it is ready (it accepts credentials). */
import { createHash, createHmac } from 'node:crypto'
import type { TurnCredentials } from '../credentials.ts'
import { encodeAttributes, encodeHeader, type StunAnswer, StunSocket, type StunTarget } from './stun-socket.ts'

const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101
const ALLOCATE_REQUEST = 0x0003
const USERNAME = 0x0006
const MESSAGE_INTEGRITY = 0x0008
const ERROR_CODE = 0x0009
const REALM = 0x0014
const NONCE = 0x0015
const REQUESTED_TRANSPORT = 0x0019
/** MESSAGE-INTEGRITY with its header. */
const INTEGRITY_BYTES = 24
const UNAUTHORIZED = 401

/** True when the target answers a STUN Binding request over UDP within `timeoutMs`. Never rejects. */
export async function answersStun(target: StunTarget, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const socket = new StunSocket(target, timeoutMs, signal)
  try {
    const answer = await socket.exchange((transactionId) => encodeHeader(BINDING_REQUEST, 0, transactionId))
    return answer?.type === BINDING_SUCCESS
  } finally {
    socket.close()
  }
}

function errorCode(answer: StunAnswer | undefined): number | undefined {
  const value = answer?.attributes.get(ERROR_CODE)
  return value === undefined || value.length < 4 ? undefined : value.readUInt8(2) * 100 + value.readUInt8(3)
}

/** Transport 0 does not exist: the request can never become an allocation, but credentials are looked at first. */
const impossible = [REQUESTED_TRANSPORT, Buffer.alloc(4)] as const

/** An Allocate request with long-term credentials (RFC 8489 section 9.2), which cannot succeed. */
function signedRequest(
  transactionId: Buffer,
  { username, credential }: TurnCredentials,
  realm: Buffer,
  nonce: Buffer,
): Buffer {
  const body = encodeAttributes([impossible, [USERNAME, Buffer.from(username)], [REALM, realm], [NONCE, nonce]])
  const key = createHash('md5').update(`${username}:${realm}:${credential}`).digest()
  const header = encodeHeader(ALLOCATE_REQUEST, body.length + INTEGRITY_BYTES, transactionId)
  const integrity = createHmac('sha1', key).update(header).update(body).digest()
  return Buffer.concat([header, body, encodeAttributes([[MESSAGE_INTEGRITY, integrity]])])
}

/**
 * True when the target accepts these credentials within `timeoutMs`. No allocation is made. Never rejects.
 *
 * It matters at the start: coturn 4.6.1 makes its SQLite tables when it first looks a user up, and refuses whoever comes
 * meanwhile ("database is locked"). A browser does not ask again after a refusal, so the first to come should be us.
 */
export async function acceptsCredentials(
  target: StunTarget,
  credentials: TurnCredentials,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const socket = new StunSocket(target, timeoutMs, signal)
  try {
    do {
      const challenge = await socket.exchange((transactionId) => {
        const body = encodeAttributes([impossible])
        return Buffer.concat([encodeHeader(ALLOCATE_REQUEST, body.length, transactionId), body])
      })
      const [realm, nonce] = [challenge?.attributes.get(REALM), challenge?.attributes.get(NONCE)]
      if (realm === undefined || nonce === undefined) continue
      const answer = await socket.exchange((transactionId) => signedRequest(transactionId, credentials, realm, nonce))
      const code = errorCode(answer)
      if (code !== undefined && code !== UNAUTHORIZED) return true
    } while (await socket.pause())
    return false
  } finally {
    socket.close()
  }
}
