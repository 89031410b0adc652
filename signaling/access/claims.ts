import { RIGHTS, type Right } from '../protocol/access.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { asArray, asJson, asString, type Json } from '../protocol/guards.ts'
import { LIMITS } from '../protocol/limits.ts'
import { AccessError } from './access-error.ts'
import { ALL_RIGHTS } from './grant.ts'

/** What an access token says, beside when it is good. */
export interface AccessClaims {
  /** Patterns of rooms. */
  readonly rooms: readonly string[]
  readonly rights: ReadonlySet<Right>
  readonly userId: string | undefined
  readonly profile: Json | undefined
}

/** A token with more is better made for the room it is used in. */
const MOST_ROOMS = 64
const MOST_RIGHTS = 64

/**
 * Read the claims of a token whose signature is good. `profileBytes`: the largest profile, as JSON.
 * @throws AccessError `denied`, naming the claim
 */
export function readClaims(payload: Readonly<Record<string, unknown>>, profileBytes: number): AccessClaims {
  const { rooms, rights, sub, profile } = payload
  try {
    const patterns = asArray(rooms, 'rooms', MOST_ROOMS).map((room) => asString(room, 'rooms', LIMITS.roomNameBytes, 1))
    if (patterns.length === 0) throw new ProtocolError('rooms', 'expected at least one')
    return {
      rooms: patterns,
      rights: rights === undefined ? ALL_RIGHTS : readRights(rights),
      userId: sub === undefined ? undefined : asString(sub, 'sub', LIMITS.userIdBytes, 1),
      profile: profile === undefined ? undefined : asJson(profile, 'profile', profileBytes, LIMITS.profileValues),
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new AccessError('denied', `the access token's claim ${error.message}`, { cause: error })
  }
}

/** What is no right here is none: tokens may be made for other versions, too. */
function readRights(value: unknown): ReadonlySet<Right> {
  const given = asArray(value, 'rights', MOST_RIGHTS)
  return new Set(RIGHTS.filter((right) => given.includes(right)))
}
