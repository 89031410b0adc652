import { createHash } from 'node:crypto'

/** 128 bits: nobody finds another join key of the same. */
const KEY_CHARS = 32

/** What a writer is known by. Its join key is not kept: whoever reads the file could take its place. */
export const writerKey = (joinKey: string, room: string): string =>
  createHash('sha256').update(`${joinKey} ${room}`).digest('hex').slice(0, KEY_CHARS)
