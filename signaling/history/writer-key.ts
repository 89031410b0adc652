import { createHash } from 'node:crypto'

/** 128 bits: nobody finds another join key of the same. */
const KEY_CHARS = 32

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, KEY_CHARS)

/** What a writer is known by. Its join key is not kept: whoever reads the file could take its place. */
export const writerKey = (joinKey: string, room: string): string => digest(`${joinKey} ${room}`)

/** Whose share of new logs it takes: a user's, whatever its devices and rooms, or else everybody's at one address. */
export const accountKey = (userId: string | undefined, addressGroup: string): string =>
  // Kept with the mailboxes that it begins: no address is to be read there.
  digest(userId === undefined ? `address ${addressGroup}` : `user ${userId}`)
