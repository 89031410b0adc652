/**
 * What the two ends of a procedure say, as binary messages of its own reliable channel:
 *
 *   u8 kind << 4 | content · u32 id · body
 *
 *   0 ask         body: the question, as `content` says
 *   1 answer      body: the answer, as `content` says
 *   2 failed      body: the handler's message, text
 *   3 cancel      the asker gave up: no answer is wanted
 *   4 no-handler
 *   5 busy        too many questions of the asker are open at the other side
 *
 * The id is the asker's; the others repeat it. An unknown kind is ignored, so that versions can grow.
 */
import {
  ByteReader,
  ByteWriter,
  CONTENT,
  type Content,
  LIMITS,
  ProtocolError,
} from '../../../signaling/protocol/index.ts'
import { decodePayload, encodePayload } from './content.ts'

export const CALL = Object.freeze({ ask: 0, answer: 1, failed: 2, cancel: 3, noHandler: 4, busy: 5 } as const)
export type CallKind = (typeof CALL)[keyof typeof CALL]

const HEAD_BYTES = 5
/** Of a handler's message, in characters: enough to find the cause, too little to carry data. */
const MESSAGE_CHARS = 1_000

/** @throws PartylineError `bad-argument`, `too-large` */
export function encodeCall(kind: CallKind, id: number, data?: unknown): Uint8Array {
  const { content, body } =
    kind <= CALL.failed
      ? encodePayload(
          kind === CALL.failed ? String(data).slice(0, MESSAGE_CHARS) : data,
          LIMITS.messageBytes - HEAD_BYTES,
        )
      : { content: CONTENT.json, body: new Uint8Array() }
  const writer = new ByteWriter(new Uint8Array(HEAD_BYTES + body.length))
  writer.u8((kind << 4) | content)
  writer.u32(id)
  writer.raw(body)
  return writer.bytes
}

export interface Call {
  readonly kind: number
  readonly id: number
  /** @throws ProtocolError when the body is not what the message says */
  data(): unknown
}

/** @throws ProtocolError */
export function decodeCall(message: unknown): Call {
  if (!(message instanceof Uint8Array)) throw new ProtocolError('call', 'expected bytes')
  const reader = new ByteReader(message)
  const head = reader.u8()
  const content = head & 15
  if (content > CONTENT.binary) throw new ProtocolError('call.content', `unknown content ${content}`)
  return { kind: head >>> 4, id: reader.u32(), data: () => decodePayload(content as Content, reader.rest()) }
}
