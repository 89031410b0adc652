/** A STUN Binding request (RFC 8489), which is how one finds out whether a TURN server is really there. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'

/** Where to ask. */
export interface StunTarget {
  readonly address: string
  readonly port: number
}

const MAGIC_COOKIE = 0x2112_a442
const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101
const HEADER_BYTES = 20
/** Repeated because UDP may lose one, and because a coturn that is starting drops those that come too early. */
const REPEAT_MS = 100

function bindingRequest(transactionId: Buffer): Buffer {
  const request = Buffer.alloc(HEADER_BYTES)
  request.writeUInt16BE(BINDING_REQUEST, 0)
  // Bytes 2 and 3, the length of the attributes, stay 0.
  request.writeUInt32BE(MAGIC_COOKIE, 4)
  transactionId.copy(request, 8)
  return request
}

/** True when the target answers a Binding request over UDP within `timeoutMs`. Never rejects. */
export function answersStun({ address, port }: StunTarget, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const transactionId = randomBytes(12)
    const request = bindingRequest(transactionId)
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    let open = true
    const finish = (answered: boolean): void => {
      if (!open) return
      open = false
      clearInterval(repeat)
      clearTimeout(deadline)
      signal?.removeEventListener('abort', aborted)
      socket.close()
      resolve(answered)
    }
    const aborted = (): void => finish(false)
    // An error here is "connection refused" by ICMP: nobody listens yet.
    const ask = (): void => {
      if (open) socket.send(request, port, address, () => {})
    }
    const repeat = setInterval(ask, REPEAT_MS)
    const deadline = setTimeout(aborted, timeoutMs)
    signal?.addEventListener('abort', aborted)
    socket.on('error', () => {})
    socket.on('message', (answer) => {
      if (answer.length < HEADER_BYTES || answer.readUInt16BE(0) !== BINDING_SUCCESS) return
      if (answer.subarray(8, HEADER_BYTES).equals(transactionId)) finish(true)
    })
    if (signal?.aborted) finish(false)
    else ask()
  })
}
