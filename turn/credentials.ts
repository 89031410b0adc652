/** Short-lived TURN credentials, as coturn's `use-auth-secret` checks them (draft-uberti-behave-turn-rest-00). */
import { createHmac } from 'node:crypto'

/** What credentials are made from. */
export interface CredentialRequest {
  /** The first of the server's `secrets`. */
  readonly secret: string
  /** Whose quota the allocations count against. */
  readonly peerId: string
  /** The server's clock, ms since 1970. */
  readonly nowMs: number
  /** How long new allocations can be made with them. Default 3,600,000 (1 h). A live allocation may go on beyond. */
  readonly ttlMs?: number
}

/** Credentials for every TURN server that has the secret. */
export interface TurnCredentials {
  /** `expiry:peerId`, the expiry in seconds since 1970. */
  readonly username: string
  /** Base64 of HMAC-SHA1 over the username. */
  readonly credential: string
  /** When the server stops accepting them, ms since 1970; renew before. */
  readonly expiresAtMs: number
}

/** One hour: long enough that a renewal can be late, short enough that a leaked one is soon worth nothing. */
export const CREDENTIAL_TTL_MS = 3_600_000

/** Credentials for one member. The expiry is rounded up to a whole second. */
export function turnCredentials({
  secret,
  peerId,
  nowMs,
  ttlMs = CREDENTIAL_TTL_MS,
}: CredentialRequest): TurnCredentials {
  const expirySeconds = Math.ceil((nowMs + ttlMs) / 1_000)
  const username = `${expirySeconds}:${peerId}`
  return {
    username,
    credential: createHmac('sha1', secret).update(username).digest('base64'),
    expiresAtMs: expirySeconds * 1_000,
  }
}
