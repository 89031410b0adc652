/** How the application's data becomes bytes, and bytes data. */
import { CONTENT, type Content, decodeText, encodeText, parseJson } from '../../../signaling/protocol/index.ts'
import { PartylineError } from '../errors.ts'

export interface EncodedPayload {
  readonly content: Content
  readonly body: Uint8Array
}

/** What `JSON.stringify` makes of a Map, a Blob or a Promise: nothing of theirs is in it. */
const EMPTY_OBJECT = '{}'
const tagOf = (data: unknown): string => Object.prototype.toString.call(data).slice(8, -1)

/**
 * Text as UTF-8, bytes (an ArrayBuffer or any view of one) as they are, copied, and everything else as JSON, by the rules of
 * `JSON.stringify`: what a property holds that JSON has not is left out. A lone surrogate in a text arrives as U+FFFD.
 * @throws PartylineError `bad-argument` when it has no JSON form, `too-large` over `maxBytes`
 */
export function encodePayload(data: unknown, maxBytes: number): EncodedPayload {
  if (typeof data === 'string') return { content: CONTENT.text, body: encodeBounded(data, maxBytes) }
  if (ArrayBuffer.isView(data)) return encodeBytes(data.buffer, data.byteOffset, data.byteLength, maxBytes)
  if (data instanceof ArrayBuffer) return encodeBytes(data, 0, data.byteLength, maxBytes)
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    throw new PartylineError('bad-argument', `This has no JSON form: ${(cause as Error).message}`, { cause })
  }
  if (text === undefined || (text === EMPTY_OBJECT && tagOf(data) !== 'Object')) {
    throw new PartylineError('bad-argument', `${tagOf(data)} has no JSON form: send JSON, text or bytes`)
  }
  return { content: CONTENT.json, body: encodeBounded(text, maxBytes) }
}

/**
 * What `encodePayload` was given, as far as JSON carries it; bytes as a Uint8Array of their own.
 * @throws ProtocolError when the body is not what `content` says
 */
export function decodePayload(content: Content, body: Uint8Array): unknown {
  // A view into a larger buffer is copied: that buffer may hold others' frames, and would live as long as the value.
  if (content === CONTENT.binary) return body.length === body.buffer.byteLength ? body : body.slice()
  const text = decodeText(body)
  return content === CONTENT.text ? text : parseJson(text, 'body')
}

function encodeBounded(text: string, maxBytes: number): Uint8Array {
  // No text has fewer bytes than UTF-16 units: a huge one is refused before it is encoded.
  const body = text.length > maxBytes ? undefined : encodeText(text)
  if (body === undefined || body.length > maxBytes) throw tooLarge(body?.length ?? text.length, maxBytes)
  return body
}

function encodeBytes(buffer: ArrayBufferLike, offset: number, length: number, maxBytes: number): EncodedPayload {
  if (length > maxBytes) throw tooLarge(length, maxBytes)
  return { content: CONTENT.binary, body: new Uint8Array(buffer, offset, length).slice() }
}

const tooLarge = (bytes: number, maxBytes: number): PartylineError =>
  new PartylineError('too-large', `${bytes} bytes or more, over the limit of ${maxBytes}`)
