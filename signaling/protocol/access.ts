import { asArray, asNumber, asObject, asString, type Fields, type Json } from './guards.ts'
import { LIMITS } from './limits.ts'

/**
 * What a member may do in a room.
 *
 * - `publish`: send to the room. `direct`: send to members it names.
 * - `store`: have what it sends kept by the server. `history`: get what is kept.
 * - `members`: be a member like others. Without it one neither sees nor is seen, and gets what the server publishes.
 */
export const RIGHTS = ['publish', 'direct', 'store', 'history', 'members'] as const
export type Right = (typeof RIGHTS)[number]

/** What an access token came to, as its member is told. */
export interface AccessInfo {
  /** Who the application says this member is; the same for all of a user's devices. */
  readonly userId?: string
  readonly rights: readonly Right[]
  /** The token sets the profile: the member cannot change it. */
  readonly profile?: Json
  /** When the member is closed unless it renews before, ms since 1970 on the server's clock. */
  readonly expiresAtMs?: number
}

/** What others are told of a member besides. */
export interface MemberAccess {
  readonly userId?: string
  /** Absent: all of them. */
  readonly rights?: readonly Right[]
}

/** Rights that this side does not know are another version's, and mean nothing here. */
export const parseRights = (value: unknown, field: string): readonly Right[] => {
  const given = asArray(value, field, 64)
  return RIGHTS.filter((right) => given.includes(right))
}

export const parseMemberAccess = (fields: Fields, field: string): MemberAccess => ({
  ...(fields.userId === undefined ? {} : { userId: asString(fields.userId, `${field}.userId`, LIMITS.userIdBytes, 1) }),
  ...(fields.rights === undefined ? {} : { rights: parseRights(fields.rights, `${field}.rights`) }),
})

/** `access` of `welcome` and `renewed`, where there is one. */
export function parseAccess({ access }: Fields): { readonly access?: AccessInfo } {
  if (access === undefined) return {}
  const fields = asObject(access, 'access')
  return {
    access: {
      rights: [],
      ...parseMemberAccess(fields, 'access'),
      ...(fields.profile === undefined ? {} : { profile: fields.profile as Json }),
      ...(fields.expiresAtMs === undefined ? {} : { expiresAtMs: asNumber(fields.expiresAtMs, 'access.expiresAtMs') }),
    },
  }
}
