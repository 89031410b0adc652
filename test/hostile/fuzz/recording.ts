import { readdirSync, readFileSync } from 'node:fs'

export const RECORDINGS = new URL('recordings/', import.meta.url)

/** What a member's client said over one uplink, in order; of WebSockets, also what it was told. */
export type RecordedStep =
  /** An uplink message of text, or of bytes in base64. */
  | { readonly up: string }
  | { readonly upBytes: string }
  | { readonly down: string }
  | { readonly downBytes: string }
  /** A request of a carrier over plain HTTP; `path` as below `<base>/uplink`, `body` in base64. */
  | {
      readonly method: string
      readonly path: string
      /** The carrier that is opened, or the number of a further request. */
      readonly carrier?: string
      readonly number?: number
      readonly body: string
    }

export interface RecordedSession {
  readonly steps: readonly RecordedStep[]
}

/** What `npm run fuzz:record` wrote: members of one room, who all came by one carrier. */
export interface Recording {
  readonly carrier: 'websocket' | 'sse' | 'long-poll' | 'short-poll'
  readonly sealing: 'open' | 'link' | 'secret'
  /** Of the members, as the server gave them. */
  readonly peerIds: readonly string[]
  readonly sessions: readonly RecordedSession[]
}

/** One line for the room, and one for each session. */
export const written = ({ sessions, ...room }: Recording): string =>
  [room, ...sessions].map((line) => `${JSON.stringify(line)}\n`).join('')

export function recordings(): Recording[] {
  return readdirSync(RECORDINGS)
    .sort()
    .map((name) => {
      const [room, ...sessions] = readFileSync(new URL(name, RECORDINGS), 'utf8').trim().split('\n')
      return { ...JSON.parse(room ?? ''), sessions: sessions.map((line) => JSON.parse(line)) } as Recording
    })
}
