import { type AccessInfo, type MemberAccess, RIGHTS, type Right } from '../protocol/access.ts'
import type { Json } from '../protocol/guards.ts'

/** What one member may do, and who it is. Never changed: a renewed token makes another. */
export interface Grant {
  readonly userId: string | undefined
  readonly rights: ReadonlySet<Right>
  /** The member's profile, whatever it says itself. Undefined: its own. */
  readonly profile: Json | undefined
  /** ms since 1970, by the server's clock. Undefined: never. */
  readonly expiresAtMs: number | undefined
}

export const ALL_RIGHTS: ReadonlySet<Right> = new Set(RIGHTS)

/** Of everyone on an open server. */
export const OPEN_GRANT: Grant = Object.freeze({
  userId: undefined,
  rights: ALL_RIGHTS,
  profile: undefined,
  expiresAtMs: undefined,
})

export const hasAll = ({ rights }: Grant): boolean => rights.size === ALL_RIGHTS.size
export const sameRights = (one: Grant, other: Grant): boolean =>
  RIGHTS.every((right) => one.rights.has(right) === other.rights.has(right))
const listed = ({ rights }: Grant): readonly Right[] => RIGHTS.filter((right) => rights.has(right))

/** As its member is told. */
export function accessInfo(grant: Grant): AccessInfo {
  const { userId, profile, expiresAtMs } = grant
  return {
    ...(userId === undefined ? {} : { userId }),
    rights: listed(grant),
    ...(profile === undefined ? {} : { profile }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  }
}

/** As others are told. */
export function memberAccess(grant: Grant): MemberAccess {
  return {
    ...(grant.userId === undefined ? {} : { userId: grant.userId }),
    ...(hasAll(grant) ? {} : { rights: listed(grant) }),
  }
}
