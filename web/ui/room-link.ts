import { readRoomName } from './site-address.ts'

/** What a room's link says about who can read along. */
export type RoomLock =
  /** 16 to 64 bytes as base64url, which everybody with the link has and the server does not. */
  | { readonly kind: 'secret'; readonly secret: string }
  /** There is a password, which is not in the link. */
  | { readonly kind: 'password' }
  /** Whoever knows the name can come in. */
  | { readonly kind: 'none' }
  /** There was a secret, and it is not whole. Never taken for `none`. */
  | { readonly kind: 'damaged' }

export interface RoomLink {
  readonly room: string
  readonly lock: RoomLock
}

const SECRET = /^[\w-]{22,86}$/u

/** 128 random bits as base64url, as the client's `newSecret()`, without loading the client for it. */
export function newRoomSecret(random: (bytes: Uint8Array) => void = browserRandom): string {
  const bytes = new Uint8Array(16)
  random(bytes)
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

const browserRandom = (bytes: Uint8Array): void => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)

/** A secret as typed or pasted; `undefined` when it is none. */
export function readSecret(typed: string): string | undefined {
  const secret = typed.trim()
  // One character more than whole bytes need is what a cut leaves.
  return SECRET.test(secret) && secret.length % 4 !== 1 ? secret : undefined
}

/**
 * `chat/#room=lobby&secret=…`. All of it is in the fragment, which browsers do not send: neither the secret nor the name
 * stands in the server's log, and a link that lost its fragment leads to no room at all.
 */
export function roomAddress(root: URL, { room, lock }: RoomLink): URL {
  const parts = new URLSearchParams({ room })
  if (lock.kind === 'secret') parts.set('secret', lock.secret)
  if (lock.kind === 'damaged') parts.set('secret', '')
  if (lock.kind === 'password') parts.set('lock', 'password')
  const address = new URL('chat/', root)
  address.hash = parts.toString()
  return address
}

/** Reads a room's address, also one of the form `chat/?room=lobby`; `undefined` when it names no room. */
export function readRoomLink(address: URL): RoomLink | undefined {
  // Some programs write links into HTML without being asked.
  const parts = new URLSearchParams(address.hash.slice(1).replaceAll('&amp;', '&'))
  const room = readRoomName(parts.get('room') ?? address.searchParams.get('room'))
  return room === undefined ? undefined : { room, lock: readLock(parts) }
}

function readLock(parts: URLSearchParams): RoomLock {
  const given = parts.get('secret')
  const lock = parts.get('lock')
  if (given === null) return { kind: lock === null ? 'none' : lock === 'password' ? 'password' : 'damaged' }
  const secret = readSecret(given)
  return secret === undefined ? { kind: 'damaged' } : { kind: 'secret', secret }
}

/** A whole link to a room, as pasted somewhere; `undefined` when it is none. */
export function readPastedLink(typed: string): RoomLink | undefined {
  const text = typed.trim()
  return /^https?:\/\//iu.test(text) && URL.canParse(text) ? readRoomLink(new URL(text)) : undefined
}

/** The name of a private room beside one without a secret: those who stay there would be taken for intruders. */
export function privateNameFor(room: string, random: (bytes: Uint8Array) => void = browserRandom): string {
  const bytes = new Uint8Array(3)
  random(bytes)
  const ending = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return readRoomName(`${room} ${ending}`) ?? `private ${ending}`
}
