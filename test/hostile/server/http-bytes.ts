import { messageRecord, readBatch } from '../../../signaling/protocol/batch.ts'
import { joinText } from './joining.ts'
import type { RawConnection } from './raw-connection.ts'

export type HttpKind = 'sse' | 'long-poll' | 'short-poll'

const request = (line: string, headers: string, body: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`${line} HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Length: ${body.length}\r\n\r\n`),
    body,
  ])

/** Opens a carrier over plain HTTP, with the join. */
export const openingRequest = (kind: HttpKind, join: string = joinText()): Buffer =>
  request('POST /uplink', `Partyline-Carrier: ${kind}\r\n`, messageRecord(join))

export const sendRequest = (secret: string, number: number, body: Uint8Array): Buffer =>
  request('POST /uplink/send', `Partyline-Uplink: ${secret} ${number}\r\n`, body)

export const pollRequest = (secret: string, number: number): string =>
  `GET /uplink/poll HTTP/1.1\r\nHost: localhost\r\nPartyline-Uplink: ${secret} ${number}\r\n\r\n`

/** Opens an uplink that polls; its secret. */
export async function openPolled(connection: RawConnection, kind: HttpKind, join?: string): Promise<string> {
  connection.write(openingRequest(kind, join))
  if (!(await connection.until(/"t":"(?:welcome|bye)"/))) throw new Error('no answer to the opening')
  const body = Buffer.from(connection.received.slice(connection.received.indexOf('\r\n\r\n') + 4), 'latin1')
  const [opened] = readBatch(body)
  if (opened?.kind !== 'opened') throw new Error('the answer does not begin with the secret')
  return opened.token
}
