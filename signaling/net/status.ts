import { STATUS_CODES } from 'node:http'

/** As it stands in the first line of an answer: `404 Not Found`. */
export const statusLine = (status: number): string => `${status} ${STATUS_CODES[status] ?? 'Unknown'}`
