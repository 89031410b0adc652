import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { AccessError } from '../../../signaling/access/access-error.ts'
import { AccessTokens } from '../../../signaling/access/access-tokens.ts'
import { keySet } from '../../../signaling/access/key-set.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const STALE_MS = 600_000
const COOL_DOWN_MS = 30_000

/** An address of keys, answered as it is told to, and a server that asks it. */
class Provider {
  readonly clock = new FakeClock()
  readonly failures: string[] = []
  readonly #pairs = new Map<string, ReturnType<typeof generateKeyPairSync>>()
  published: string[] = ['one']
  answers: 'keys' | '503' | 'never' = 'keys'
  asked = 0
  readonly access = new AccessTokens({
    keys: keySet(new URL('https://id.example/keys'), {
      clock: this.clock,
      fetch: () => this.#answer(),
      failed: (error) => this.failures.push(error instanceof Error ? error.message : String(error)),
    }),
    ...{ audience: [], issuer: [], profileBytes: 64 },
    nowMs: () => this.clock.nowMs(),
  })

  async #answer(): Promise<Response> {
    this.asked += 1
    if (this.answers === 'never') return new Promise<Response>(() => undefined)
    if (this.answers === '503') return new Response(null, { status: 503 })
    const keys = this.published.map(async (kid) => ({ ...(await exportJWK(this.#pair(kid).publicKey)), kid }))
    return Response.json({ keys: await Promise.all(keys) })
  }

  #pair(kid: string): { publicKey: KeyObject; privateKey: KeyObject } {
    const pair = this.#pairs.get(kid) ?? generateKeyPairSync('ed25519')
    this.#pairs.set(kid, pair)
    return pair
  }

  /** What becomes of a token that the key signed; `in` when it is taken. */
  async check(kid: string, header: { readonly kid?: string } = { kid }): Promise<string> {
    const token = await new SignJWT({ rooms: ['*'], exp: Math.floor(this.clock.nowMs() / 1_000) + 300 })
      .setProtectedHeader({ alg: 'EdDSA', ...header })
      .sign(this.#pair(kid).privateKey)
    return this.access.check(token, 'lobby').then(
      () => 'in',
      (error: unknown) => (error instanceof AccessError ? error.code : String(error)),
    )
  }

  /** A check while the address says nothing: time moves on by `ms` once it was asked. */
  async checkFor(kid: string, ms: number): Promise<string> {
    const { asked } = this
    const result = this.check(kid)
    await expect.poll(() => this.asked, { timeout: 10_000 }).toBe(asked + 1)
    this.clock.advance(ms)
    return result
  }
}

const loaded = async (): Promise<Provider> => {
  const provider = new Provider()
  expect(await provider.check('one')).toBe('in')
  expect(provider.asked).toBe(1)
  return provider
}

describe('keys at an address', () => {
  it('are fetched once, by all who need them at once, and kept', async () => {
    const provider = new Provider()
    expect(await Promise.all([provider.check('one'), provider.check('one'), provider.check('one')])).toEqual(
      Array(3).fill('in'),
    )
    provider.clock.advance(STALE_MS - 1)
    expect(await provider.check('one')).toBe('in')
    expect(provider.asked).toBe(1)
    expect(provider.clock.pending()).toBe(0)
  })

  it('let nobody in while none were ever had, and everybody from the first answer on', async () => {
    const provider = new Provider()
    provider.answers = '503'
    expect(await provider.check('one')).toBe('unavailable')
    provider.answers = 'keys'
    expect(await provider.check('one')).toBe('in')
    expect(provider.failures).toHaveLength(1)
  })

  it('are each tried for a token that does not say which of several it was signed with', async () => {
    const provider = new Provider()
    provider.published = ['one', 'two']
    expect(await provider.check('one', {})).toBe('in')
    expect(await provider.check('two', {})).toBe('in')
    expect(await provider.check('three', {})).toBe('denied')
    expect(provider.asked).toBe(1)
    expect(provider.failures).toEqual([])
  })

  it('stay good while the address fails, which is asked every 30 s then', async () => {
    const provider = await loaded()
    provider.answers = '503'
    provider.clock.advance(STALE_MS)
    for (const asked of [2, 2]) {
      expect(await provider.check('one')).toBe('in')
      expect(provider.asked).toBe(asked)
    }
    provider.clock.advance(COOL_DOWN_MS)
    expect(await provider.check('one')).toBe('in')
    expect(provider.asked).toBe(3)
    expect(provider.failures).toHaveLength(2)
    provider.answers = 'keys'
    provider.clock.advance(COOL_DOWN_MS)
    expect(await provider.check('one')).toBe('in')
    provider.clock.advance(COOL_DOWN_MS)
    expect(await provider.check('one')).toBe('in')
    expect(provider.asked).toBe(4)
  })

  it('stay good while the address says nothing, after half a second, and nobody waits for it again', async () => {
    const provider = await loaded()
    provider.answers = 'never'
    provider.clock.advance(STALE_MS)
    expect(await provider.checkFor('one', 500)).toBe('in')
    expect(await provider.check('one')).toBe('in')
    expect(await provider.check('one')).toBe('in')
    expect(provider.asked).toBe(2)
  })

  it('may be new: an unknown one is asked for, 30 s after the last question', async () => {
    const provider = await loaded()
    provider.published.push('two')
    expect(await provider.check('two')).toBe('denied')
    expect(provider.asked).toBe(1)
    provider.clock.advance(31_000)
    expect(await Promise.all([provider.check('two'), provider.check('two')])).toEqual(['in', 'in'])
    expect(provider.asked).toBe(2)
  })

  it('may be unknown to the address, too, which is not asked for them more often', async () => {
    const provider = await loaded()
    provider.clock.advance(COOL_DOWN_MS)
    for (let times = 0; times < 3; times += 1) expect(await provider.check('nobody')).toBe('denied')
    expect(provider.asked).toBe(2)
    provider.answers = '503'
    provider.clock.advance(COOL_DOWN_MS)
    for (let times = 0; times < 3; times += 1) expect(await provider.check('nobody')).toBe('denied')
    expect(provider.asked).toBe(3)
  })

  it('may be others for a token that does not say its key: they are asked for again after 30 s', async () => {
    const provider = await loaded()
    provider.published = ['two']
    provider.clock.advance(COOL_DOWN_MS - 1)
    expect(await provider.check('two', {})).toBe('denied')
    expect(provider.asked).toBe(1)
    provider.clock.advance(1)
    expect(await provider.check('two', {})).toBe('in')
    expect(await provider.check('one', {})).toBe('denied')
    expect(provider.asked).toBe(2)
  })

  it('are refused once they are withdrawn, 10 minutes later at the latest', async () => {
    const provider = await loaded()
    provider.published = ['two']
    expect(await provider.check('one')).toBe('in')
    provider.clock.advance(STALE_MS)
    expect(await provider.check('one')).toBe('denied')
    expect(await provider.check('two')).toBe('in')
    expect(provider.asked).toBe(2)
  })
})
