import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { AccessError } from '../../../signaling/access/access-error.ts'
import { AccessTokens } from '../../../signaling/access/access-tokens.ts'
import type { Grant } from '../../../signaling/access/grant.ts'
import { publicKey, sharedSecrets, type TokenKeys } from '../../../signaling/access/token-keys.ts'

const SECRET = 'a secret of thirty-two characters'
const OTHER = 'another secret, as long or longer'
const NOW_MS = 1_750_000_000_000
const NOW_S = NOW_MS / 1_000

let nowMs = NOW_MS
beforeEach(() => {
  nowMs = NOW_MS
})

const access = (
  keys: TokenKeys = sharedSecrets([SECRET]),
  expected: { readonly audience?: readonly string[]; readonly issuer?: readonly string[] } = {},
): AccessTokens =>
  new AccessTokens({ keys, audience: [], issuer: [], ...expected, profileBytes: 64, nowMs: () => nowMs })

const bytes = (secret: string): Uint8Array => new TextEncoder().encode(secret)
const GOOD: JWTPayload = { rooms: ['lobby'], exp: NOW_S + 60 }
const signed = (payload: JWTPayload, key: Uint8Array | KeyObject = bytes(SECRET), alg = 'HS256'): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(key)

const refusal = async (check: Promise<Grant>): Promise<string> => {
  const error = await check.then(
    () => undefined,
    (refused: unknown) => refused,
  )
  if (!(error instanceof AccessError)) throw new Error(`expected an AccessError, got ${String(error)}`)
  return `${error.code}: ${error.message}`
}

describe('an access token', () => {
  it('says what its bearer may do, who it is, and until when', async () => {
    const token = await signed({ ...GOOD, sub: 'ada', rights: ['publish', 'members', 'fly'], profile: { name: 'Ada' } })
    expect(await access().check(token, 'lobby')).toEqual({
      userId: 'ada',
      rights: new Set(['publish', 'members']),
      profile: { name: 'Ada' },
      expiresAtMs: NOW_MS + 65_000,
    })
  })

  it('gives all rights when it names none, and no user', async () => {
    const grant = await access().check(await signed(GOOD), 'lobby')
    expect([...grant.rights]).toEqual(['publish', 'direct', 'store', 'history', 'members'])
    expect(grant.userId).toBeUndefined()
    expect(grant.profile).toBeUndefined()
  })

  it('gives none when it names none that is known', async () => {
    expect((await access().check(await signed({ ...GOOD, rights: [] }), 'lobby')).rights.size).toBe(0)
  })

  it('is asked for', async () => {
    expect(await refusal(access().check(undefined, 'lobby'))).toMatch(/^denied: /)
  })

  it('is for the rooms it names', async () => {
    const token = await signed({ ...GOOD, rooms: ['lobby', 'team-*'] })
    await access().check(token, 'team-7')
    expect(await refusal(access().check(token, 'office'))).toBe('denied: the access token is not for this room')
  })

  it('runs out, by the clock of this server, with some tolerance', async () => {
    const token = await signed(GOOD)
    nowMs = NOW_MS + 64_000
    await access().check(token, 'lobby')
    nowMs = NOW_MS + 66_000
    expect(await refusal(access().check(token, 'lobby'))).toMatch(/^access-expired: /)
  })

  it('that has run out and was altered is no expired one', async () => {
    nowMs = NOW_MS + 66_000
    expect(await refusal(access().check(await signed(GOOD, bytes(OTHER)), 'lobby'))).toMatch(/^denied: /)
  })

  it('must end some day', async () => {
    expect(await refusal(access().check(await signed({ rooms: ['lobby'] }), 'lobby'))).toMatch(/^denied: .*exp/)
  })

  it('is not good before its time', async () => {
    const token = await signed({ ...GOOD, nbf: NOW_S + 30 })
    expect(await refusal(access().check(token, 'lobby'))).toMatch(/^denied: .*nbf/)
  })

  it.each([
    ['rooms', {}],
    ['rooms', { rooms: [] }],
    ['rooms', { rooms: 'lobby' }],
    ['rooms', { rooms: [7] }],
    ['rooms', { rooms: Array.from({ length: 65 }, () => 'lobby') }],
    ['rooms', { rooms: ['x'.repeat(129)] }],
    ['rights', { rooms: ['lobby'], rights: 'publish' }],
    ['sub', { rooms: ['lobby'], sub: '' }],
    ['sub', { rooms: ['lobby'], sub: 'x'.repeat(129) }],
    ['profile', { rooms: ['lobby'], profile: { name: 'x'.repeat(64) } }],
  ])('with a wrong claim is denied, and the claim named: %s %#', async (claim, payload) => {
    const token = await signed({ exp: NOW_S + 60, ...payload })
    expect(await refusal(access().check(token, 'lobby'))).toMatch(new RegExp(`^denied: .*claim ${claim}`))
  })

  it('is for this audience, of this issuer, where they are asked for', async () => {
    const strict = access(undefined, { audience: ['rooms'], issuer: ['https://id.example', 'https://id2.example'] })
    await strict.check(await signed({ ...GOOD, aud: ['shop', 'rooms'], iss: 'https://id2.example' }), 'lobby')
    for (const wrong of [
      {},
      { aud: 'shop', iss: 'https://id.example' },
      { aud: 'rooms', iss: 'https://evil.example' },
    ]) {
      expect(await refusal(strict.check(await signed({ ...GOOD, ...wrong }), 'lobby'))).toMatch(/^denied: .*(aud|iss)/)
    }
  })

  it.each(['', 'x', 'a.b.c', `${'a'.repeat(4_000)}.b.c`])('that is none is denied: %.20s', async (token) => {
    expect(await refusal(access().check(token, 'lobby'))).toMatch(/^denied: /)
  })

  it('that was altered is denied, wherever', async () => {
    const token = await signed(GOOD)
    for (let at = 0; at < token.length - 1; at += 7) {
      const altered = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      expect(await refusal(access().check(altered, 'lobby'))).toMatch(/^denied: /)
    }
  })

  it('without a signature is denied', async () => {
    expect(await refusal(access().check(new UnsecuredJWT(GOOD).encode(), 'lobby'))).toMatch(/^denied: /)
  })
})

describe('the keys of access tokens', () => {
  it('may be several secrets, so that one can be replaced', async () => {
    const both = access(sharedSecrets([OTHER, SECRET]))
    await both.check(await signed(GOOD), 'lobby')
    await both.check(await signed(GOOD, bytes(OTHER)), 'lobby')
    expect(await refusal(both.check(await signed(GOOD, bytes('x'.repeat(32))), 'lobby'))).toMatch(/^denied: /)
  })

  it.each([
    ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2_048 })],
    ['PS512', () => generateKeyPairSync('rsa', { modulusLength: 2_048 })],
    ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['EdDSA', () => generateKeyPairSync('ed25519')],
  ])('may be a public key: %s', async (alg, make) => {
    const pair = make()
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const ours = access(publicKey(pem))
    await ours.check(await signed(GOOD, pair.privateKey, alg), 'lobby')
    // Confusing the algorithms: the public key, which all may know, taken for a secret.
    expect(await refusal(ours.check(await signed(GOOD, bytes(pem)), 'lobby'))).toMatch(/^denied: /)
    expect(await refusal(ours.check(await signed(GOOD, make().privateKey, alg), 'lobby'))).toMatch(/^denied: /)
  })

  it('are public ones of kinds that are good', () => {
    const ed = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(() => publicKey(ed)).toThrow(/a private key/)
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ type: 'spki', format: 'pem' })
    expect(() => publicKey(weak.toString())).toThrow(/2048 bits/)
    expect(() => publicKey('rubbish')).toThrow()
  })
})
