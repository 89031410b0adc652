import type { ServerMessage } from './protocol/control.ts'
import { CLOSE, type ErrorCode } from './protocol/errors.ts'

/** A request that is not granted: what the client is told, and whether its uplink is closed after it. */
export class Refusal extends Error {
  override readonly name = 'Refusal'

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** The close code; absent when the uplink stays. */
    readonly close?: number,
    readonly retryAfterMs?: number,
  ) {
    super(message)
  }
}

/** The client broke the protocol. */
export const broken = (code: 'bad-message' | 'not-joined' | 'already-joined' | 'too-large', message: string): Refusal =>
  new Refusal(code, message, CLOSE.badMessage)

/** How a refusal is said on the wire; `re` is the request it answers, where that is known. */
export function errorMessage(refusal: Refusal, re?: number): ServerMessage {
  return {
    t: 'error',
    ...(re === undefined ? {} : { re }),
    code: refusal.code,
    message: refusal.message,
    fatal: refusal.close !== undefined,
    ...(refusal.retryAfterMs === undefined ? {} : { retryAfterMs: refusal.retryAfterMs }),
  }
}
