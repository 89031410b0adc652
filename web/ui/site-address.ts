/** The longest room name the wire takes, in bytes of UTF-8. */
const ROOM_NAME_BYTES = 128

/**
 * Where the site begins. It may lie below a base path, so a page says where it is from itself: `./` or `../`.
 * Query and fragment are dropped.
 */
export const siteRoot = (pageAddress: string, toRoot: './' | '../'): URL => new URL(toRoot, pageAddress)

/** A room name as typed, made fit for the wire; `undefined` when nothing is left of it or it is too long. */
export function readRoomName(typed: string | null): string | undefined {
  const name = (typed ?? '').normalize('NFC').trim().replace(/\s+/gu, ' ')
  if (name === '' || new TextEncoder().encode(name).length > ROOM_NAME_BYTES) return undefined
  return name
}
