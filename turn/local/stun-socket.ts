/** Requests and answers of STUN (RFC 8489) over UDP: as much of it as it takes to ask a server of ours how it is. */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

/** Where to ask. */
export interface StunTarget {
  readonly address: string
  readonly port: number
}

/** One attribute of a message: its type and its value. */
export type StunAttribute = readonly [type: number, value: Buffer]

/** What came back. */
export interface StunAnswer {
  readonly type: number
  readonly attributes: ReadonlyMap<number, Buffer>
}

const MAGIC_COOKIE = 0x2112_a442
const HEADER_BYTES = 20
/** Repeated because UDP may lose one, and because a coturn that is starting drops those that come too early. */
const REPEAT_MS = 100

const padding = (length: number): number => (4 - (length % 4)) % 4

/** The bytes of attributes, each padded to four. */
export function encodeAttributes(attributes: readonly StunAttribute[]): Buffer {
  return Buffer.concat(
    attributes.map(([type, value]) => {
      const bytes = Buffer.alloc(4 + value.length + padding(value.length))
      bytes.writeUInt16BE(type, 0)
      bytes.writeUInt16BE(value.length, 2)
      value.copy(bytes, 4)
      return bytes
    }),
  )
}

/** The header of a message whose attributes take `bodyBytes`. */
export function encodeHeader(type: number, bodyBytes: number, transactionId: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(type, 0)
  header.writeUInt16BE(bodyBytes, 2)
  header.writeUInt32BE(MAGIC_COOKIE, 4)
  transactionId.copy(header, 8)
  return header
}

/** Undefined when the bytes are no STUN message. */
function decode(bytes: Buffer): (StunAnswer & { readonly transactionId: string }) | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(4) !== MAGIC_COOKIE) return undefined
  const attributes = new Map<number, Buffer>()
  for (let at = HEADER_BYTES; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2)
    if (at + 4 + length > bytes.length) return undefined
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length + padding(length)
  }
  return { type: bytes.readUInt16BE(0), attributes, transactionId: bytes.toString('hex', 8, HEADER_BYTES) }
}

/** A UDP socket that asks one server, for a limited time. Nothing here rejects. */
export class StunSocket {
  readonly #target: StunTarget
  readonly #socket: Socket
  readonly #over = new AbortController()
  readonly #release: () => void
  #open = true

  /** Everything ends `timeoutMs` from now, or with the signal. Close it. */
  constructor(target: StunTarget, timeoutMs: number, signal?: AbortSignal) {
    this.#target = target
    const end = (): void => this.#over.abort()
    const deadline = setTimeout(end, timeoutMs)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
    // AbortSignal.any would leave 2 KB on a signal that lives on (Node 20), and one is asked with every 10 s.
    this.#release = () => {
      clearTimeout(deadline)
      signal?.removeEventListener('abort', end)
    }
    this.#socket = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4')
    // "Connection refused", by ICMP: nobody listens yet.
    this.#socket.on('error', () => {})
  }

  get over(): boolean {
    return this.#over.signal.aborted
  }

  /** Send a request, again and again, until it is answered; undefined when time is over. */
  exchange(encode: (transactionId: Buffer) => Buffer): Promise<StunAnswer | undefined> {
    if (this.over) return Promise.resolve(undefined)
    const transactionId = randomBytes(12)
    const request = encode(transactionId)
    return new Promise((resolve) => {
      const finish = (answer: StunAnswer | undefined): void => {
        clearInterval(repeat)
        this.#socket.off('message', received)
        this.#over.signal.removeEventListener('abort', aborted)
        resolve(answer)
      }
      const aborted = (): void => finish(undefined)
      const received = (bytes: Buffer): void => {
        const answer = decode(bytes)
        if (answer?.transactionId === transactionId.toString('hex')) finish(answer)
      }
      const ask = (): void => {
        if (this.#open) this.#socket.send(request, this.#target.port, this.#target.address, () => {})
      }
      const repeat = setInterval(ask, REPEAT_MS)
      this.#socket.on('message', received)
      this.#over.signal.addEventListener('abort', aborted)
      ask()
    })
  }

  /** Wait as long as between two requests; true unless time is over. */
  async pause(): Promise<boolean> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#over.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, REPEAT_MS)
      this.#over.signal.addEventListener('abort', done)
    })
    return !this.over
  }

  close(): void {
    this.#release()
    if (this.#open) this.#socket.close()
    this.#open = false
  }
}
