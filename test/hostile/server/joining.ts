import { randomBytes } from 'node:crypto'

export const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

/** A well-formed `join` of a client that was never here, but for what is said. */
export function joinText(fields: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    ...{ t: 'join', id: 1, vMin: 1, vMax: 1, room: 'hostile', profile: null },
    ...{ instance: hex(16), joinKey: hex(16), ...fields },
  })
}
