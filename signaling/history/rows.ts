/** Small rows are JSON. */
import { decodeText, encodeText } from '../protocol/bytes.ts'

export const toRow = (value: object): Uint8Array => encodeText(JSON.stringify(value))
export const fromRow = <T>(row: Uint8Array): T => JSON.parse(decodeText(row)) as T
