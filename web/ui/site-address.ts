/** The longest room name the wire takes, in bytes of UTF-8. */
const ROOM_NAME_BYTES = 128

/**
 * Where the site begins. It may lie below a base path, so a page says where it is from itself: `./` or `../`.
 * Query and fragment are dropped.
 */
export const siteRoot = (pageAddress: string, toRoot: './' | '../'): URL => new URL(toRoot, pageAddress)

/** The address of a room. The fragment stays free: it is where a room's secret will be, which servers never see. */
export function roomAddress(root: URL, room: string): URL {
  const address = new URL('chat/', root)
  address.searchParams.set('room', room)
  return address
}

/** A room name as typed, made fit for the wire; `undefined` when nothing is left of it or it is too long. */
export function readRoomName(typed: string | null): string | undefined {
  const name = (typed ?? '').normalize('NFC').trim().replace(/\s+/gu, ' ')
  if (name === '' || new TextEncoder().encode(name).length > ROOM_NAME_BYTES) return undefined
  return name
}

/** What somebody pasted into the room field: a whole link to a room counts as that room's name. */
export function readRoomNameOrLink(typed: string): string | undefined {
  if (/^https?:\/\//iu.test(typed.trim()) && URL.canParse(typed.trim())) {
    const room = readRoomName(new URL(typed.trim()).searchParams.get('room'))
    if (room !== undefined) return room
  }
  return readRoomName(typed)
}
