import { ProtocolError } from './errors.ts'

const textEncoder = new TextEncoder()
// `ignoreBOM`: a leading U+FEFF is part of the text, not a mark to be taken away.
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes that a varint of `value` takes. A varint holds up to 32 bits, 7 a byte, the least significant first (LEB128). */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
}

/** Writes into bytes that are large enough: callers compute the size first. Big-endian. */
export class ByteWriter {
  position = 0
  readonly #view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u8(value: number): void {
    this.bytes[this.position] = value
    this.position += 1
  }

  u16(value: number): void {
    this.#view.setUint16(this.position, value)
    this.position += 2
  }

  u24(value: number): void {
    this.#view.setUint8(this.position, value >>> 16)
    this.#view.setUint16(this.position + 1, value & 0xffff)
    this.position += 3
  }

  u32(value: number): void {
    this.#view.setUint32(this.position, value)
    this.position += 4
  }

  varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.u8(rest)
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.position)
    this.position += bytes.length
  }
}

/** Reads bytes of a peer: every read is bounded. @throws ProtocolError `frame` when they end too early */
export class ByteReader {
  position = 0
  readonly #view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.bytes.length - this.position
  }

  #take(count: number): number {
    const at = this.position
    if (at + count > this.bytes.length) throw new ProtocolError('frame', 'shorter than its fields')
    this.position = at + count
    return at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u24(): number {
    const at = this.#take(3)
    return this.#view.getUint8(at) * 0x1_0000 + this.#view.getUint16(at + 1)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift < 5; shift += 1) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** (7 * shift)
      if (byte < 0x80) {
        if (value > 0xffff_ffff) throw new ProtocolError('frame', 'a varint of more than 32 bits')
        return value
      }
    }
    throw new ProtocolError('frame', 'a varint of more than 32 bits')
  }

  raw(count: number): Uint8Array {
    const at = this.#take(count)
    return this.bytes.subarray(at, at + count)
  }

  text(maxBytes: number): string {
    const length = this.varint()
    if (length > maxBytes) throw new ProtocolError('frame', `a text of more than ${maxBytes} bytes`)
    return decodeText(this.raw(length))
  }

  rest(): Uint8Array {
    return this.raw(this.remaining)
  }
}

export const encodeText = (text: string): Uint8Array => textEncoder.encode(text)

/** @throws ProtocolError when the bytes are not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return textDecoder.decode(bytes)
  } catch {
    throw new ProtocolError('text', 'not UTF-8')
  }
}
