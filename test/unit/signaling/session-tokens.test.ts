import { describe, expect, it } from 'vitest'
import type { InstanceId, PeerId } from '../../../signaling/protocol/ids.ts'
import { LIMITS } from '../../../signaling/protocol/limits.ts'
import { type SessionClaims, SessionTokens } from '../../../signaling/sessions/tokens.ts'
import fc from '../../support/properties.ts'

const KEY = new Uint8Array(32).fill(1)
const CLAIMS: SessionClaims = {
  room: 'lobby ☕',
  peerId: '0123456789abcdef' as PeerId,
  instance: 'a'.repeat(32) as InstanceId,
  expiresAtMs: 1_000,
}

describe('session tokens', () => {
  it('say what they were signed with, until they run out', () => {
    const tokens = new SessionTokens([KEY])
    const token = tokens.sign(CLAIMS)
    expect(tokens.verify(token, 999)).toEqual({ is: 'good', claims: CLAIMS })
    expect(tokens.verify(token, 1_000)).toEqual({ is: 'expired' })
    for (const more of [{ userId: 'ada' }, { borrowed: true }, { userId: 'ada', borrowed: true }]) {
      const claims = { ...CLAIMS, ...more }
      expect(tokens.verify(tokens.sign(claims), 0)).toEqual({ is: 'good', claims })
    }
  })

  it('fit into a join, however long the name of the room', () => {
    const token = new SessionTokens([KEY]).sign({ ...CLAIMS, room: '\u0001'.repeat(LIMITS.roomNameBytes) })
    expect(token.length).toBeLessThan(LIMITS.tokenChars)
  })

  it('are signed with the first key and verified with all', () => {
    const other = new Uint8Array(32).fill(2)
    const older = new SessionTokens([KEY]).sign(CLAIMS)
    const rotated = new SessionTokens([other, KEY])
    expect(rotated.verify(older, 0).is).toBe('good')
    expect(new SessionTokens([other]).verify(rotated.sign(CLAIMS), 0).is).toBe('good')
    expect(new SessionTokens([other]).verify(older, 0).is).toBe('invalid')
  })

  it('are refused with any character altered, added or missing', () => {
    const tokens = new SessionTokens([KEY])
    const token = tokens.sign(CLAIMS)
    fc.assert(
      fc.property(fc.nat(token.length), fc.constantFrom('A', 'z', '.', '=', ' ', ''), (at, put) => {
        for (const altered of [
          token.slice(0, at) + put + token.slice(at + 1),
          token.slice(0, at) + put + token.slice(at),
        ]) {
          if (altered !== token) expect(tokens.verify(altered, 0)).toEqual({ is: 'invalid' })
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuses to work without a key, or with a short one', () => {
    expect(() => new SessionTokens([])).toThrow(RangeError)
    expect(() => new SessionTokens([KEY, new Uint8Array(31)])).toThrow(RangeError)
  })
})
