import type { RequestHead } from './network.ts'

/** As much as node:http takes: of the names and values of all headers, and the address. */
export const MOST_HEADERS_BYTES = 16_384

/** Requests that are answered at once in one turn of the loop: far more than anybody has under way on one connection. */
export const MOST_IN_A_TURN = 64

/**
 * Whether two who read this request may not agree on where it ends or whom it is for: a proxy and we, say, so that what
 * one takes for a body is the next request to the other. uWebSockets.js reads on regardless; RFC 9112, sections 3.2
 * and 6.3, has it refused. Headers that came more than once are told with commas between them.
 */
export function isAmbiguous({ header }: Pick<RequestHead, 'header'>): boolean {
  const length = header('content-length')
  const coding = header('transfer-encoding')
  return (
    (length !== undefined && !/^\d{1,15}$/.test(length)) ||
    (coding !== undefined && (length !== undefined || coding.toLowerCase() !== 'chunked')) ||
    header('host')?.includes(',') === true
  )
}
