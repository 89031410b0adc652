import { randomBytes } from 'node:crypto'
import type { RawConnection } from './raw-connection.ts'

export const OPCODE = Object.freeze({ continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 })

export interface FrameParts {
  readonly opcode: number
  readonly body?: string | Uint8Array
  /** Default: true. */
  readonly final?: boolean
  /** Bits 4 to 6 of the first byte: RSV1 is 4. */
  readonly reserved?: number
  /** Default: true, as a client's have to be. */
  readonly masked?: boolean
  /** What the frame says of its length, whatever it has. */
  readonly saysBytes?: bigint
  /** Written in 8 bytes, however short. */
  readonly longForm?: boolean
}

function lengthBytes(length: bigint, longForm: boolean, mask: number): Buffer {
  if (length > 0xffffn || longForm) {
    const bytes = Buffer.alloc(9, mask | 127)
    bytes.writeBigUInt64BE(length, 1)
    return bytes
  }
  if (length < 126n) return Buffer.of(mask | Number(length))
  return Buffer.of(mask | 126, Number(length >> 8n), Number(length & 255n))
}

/** One frame of RFC 6455, with whatever is wrong in it. */
export function webSocketFrame(parts: FrameParts): Buffer {
  const { opcode, body = '', final = true, reserved = 0, masked = true, saysBytes, longForm = false } = parts
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body)
  const key = masked ? randomBytes(4) : Buffer.alloc(0)
  if (masked) for (let at = 0; at < bytes.length; at += 1) bytes[at] = (bytes[at] ?? 0) ^ (key[at & 3] ?? 0)
  const first = (final ? 128 : 0) | (reserved << 4) | opcode
  const length = lengthBytes(saysBytes ?? BigInt(bytes.length), longForm, masked ? 128 : 0)
  return Buffer.concat([Buffer.of(first), length, key, bytes])
}

/** The request of an upgrade; `headers` end in a line break each. */
export const upgradeRequest = (headers = '', path = '/ws'): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`

/** Upgrade; false when that is refused. */
export async function upgrade(connection: RawConnection, headers = ''): Promise<boolean> {
  connection.write(upgradeRequest(headers))
  await connection.until(/\r\n\r\n/)
  return connection.statuses[0] === 101
}

/** The code of the close frame at the end of what came; undefined when there is none. */
export function closeCode(connection: RawConnection): number | undefined {
  const bytes = Buffer.from(connection.received.slice(connection.received.indexOf('\r\n\r\n') + 4), 'latin1')
  let code: number | undefined
  for (let at = 0; at + 2 <= bytes.length; ) {
    const opcode = (bytes[at] ?? 0) & 15
    let length = (bytes[at + 1] ?? 0) & 127
    let head = 2
    if (length === 126) {
      length = bytes.readUInt16BE(at + 2)
      head = 4
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at + 2))
      head = 10
    }
    if (opcode === OPCODE.close && length >= 2) code = bytes.readUInt16BE(at + head)
    at += head + length
  }
  return code
}
