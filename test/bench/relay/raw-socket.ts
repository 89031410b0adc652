import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export const TEXT = 1
export const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

/** A client's frame. The mask is all zeros, which the protocol allows: applying it costs nobody anything. */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const extended = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8
  const frame = Buffer.alloc(2 + extended + 4 + payload.length)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | (extended === 0 ? payload.length : extended === 2 ? 126 : 127)
  if (extended === 2) frame.writeUInt16BE(payload.length, 2)
  if (extended === 8) frame.writeBigUInt64BE(BigInt(payload.length), 2)
  frame.set(payload, 2 + extended + 4)
  return frame
}

export interface RawSocketOptions {
  readonly port: number
  /** Path and query. */
  readonly path: string
  readonly subprotocols: readonly string[]
  opened(): void
  /** Bytes `start` to `end` of `bytes`, which are overwritten after this. */
  message(text: boolean, bytes: Buffer, start: number, end: number): void
  /** Not after our own `drop`. */
  closed(): void
}

/** A member's connection, as far as the crowd knows it. */
export interface RawConnection {
  /** Whole frames. */
  write(frames: Uint8Array): void
  /** Gone without a word, as when a network is. */
  drop(): void
}

/** Meant against caches, of which there are none here. */
const KEY = randomBytes(16).toString('base64')

/** All sockets read into one buffer, one after the other: a read is over before the next begins. */
export class ReadBuffer {
  readonly bytes = Buffer.allocUnsafeSlow(262_144)
}

/** As little of a WebSocket client as a load generator needs: it has to cost less than the server it drives. */
export class RawSocket implements RawConnection {
  readonly #options: RawSocketOptions
  readonly #socket: Socket
  #open = false
  #over = false
  /** The beginning of a frame whose end has not come. */
  #rest: Buffer | undefined

  constructor(options: RawSocketOptions, shared: ReadBuffer) {
    this.#options = options
    const { port, path, subprotocols } = options
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: shared.bytes,
        callback: (count, buffer) => {
          this.#read(buffer as Buffer, count)
          return true
        },
      },
    })
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', () => {
      if (this.#over) return
      this.#over = true
      options.closed()
    })
    const offered = subprotocols.length === 0 ? '' : `Sec-WebSocket-Protocol: ${subprotocols.join(', ')}\r\n`
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${offered}\r\n`,
    )
  }

  /** A whole frame, or several. */
  write(frames: Uint8Array): void {
    if (!this.#over) this.#socket.write(frames)
  }

  /** Gone without a word, as when a network is. */
  drop(): void {
    this.#over = true
    this.#socket.destroy()
  }

  #read(shared: Buffer, count: number): void {
    let bytes = shared
    let end = count
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, shared.subarray(0, count)])
      end = bytes.length
      this.#rest = undefined
    }
    let at = this.#open ? 0 : this.#head(bytes, end)
    while (!this.#over && at < end) {
      const next = this.#frame(bytes, at, end)
      if (next === at) break
      at = next
    }
    if (at < end && !this.#over) this.#rest = Buffer.from(bytes.subarray(at, end))
  }

  /** Where the answer's head ends. */
  #head(bytes: Buffer, end: number): number {
    const found = bytes.subarray(0, end).indexOf('\r\n\r\n')
    if (found < 0) return 0
    if (!bytes.subarray(0, end).toString('latin1', 0, 12).endsWith(' 101')) {
      this.#socket.destroy()
      return end
    }
    this.#open = true
    this.#options.opened()
    return found + 4
  }

  /** Where the frame at `at` ends; `at` when not all of it is there. */
  #frame(bytes: Buffer, at: number, end: number): number {
    if (end - at < 2) return at
    const opcode = (bytes[at] as number) & 0x0f
    let length = (bytes[at + 1] as number) & 0x7f
    let from = at + 2
    if (length === 126) {
      if (end - at < 4) return at
      length = bytes.readUInt16BE(at + 2)
      from += 2
    } else if (length === 127) {
      if (end - at < 10) return at
      length = Number(bytes.readBigUInt64BE(at + 2))
      from += 8
    }
    const to = from + length
    if (to > end) return at
    if (opcode === TEXT || opcode === BINARY) this.#options.message(opcode === TEXT, bytes, from, to)
    else if (opcode === PING) this.write(clientFrame(PONG, bytes.subarray(from, to)))
    else if (opcode === CLOSE) this.#socket.end()
    return to
  }
}
