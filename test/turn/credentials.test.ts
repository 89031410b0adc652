import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CREDENTIAL_TTL_MS, turnCredentials } from '../../turn/index.ts'
import { type RunningTurn, SECRETS, startTurn } from './running-turn.ts'

const UNAUTHORIZED = 401
const QUOTA_REACHED = 486
const PEER = '0123456789abcdef'

describe('turnCredentials', () => {
  test('are an expiry with the peer id, and its HMAC-SHA1', () => {
    // printf 1700003600:0123456789abcdef | openssl dgst -sha1 -hmac first-secret-of-the-tests -binary | base64
    expect(turnCredentials({ secret: SECRETS[0], peerId: PEER, nowMs: 1_700_000_000_000 })).toEqual({
      username: '1700003600:0123456789abcdef',
      credential: '5+3gcDraDMoWxxjRbqt9hLH8nLw=',
      expiresAtMs: 1_700_003_600_000,
    })
  })

  test('expire on a whole second, never earlier than asked', () => {
    const { username, expiresAtMs } = turnCredentials({
      secret: SECRETS[0],
      peerId: PEER,
      nowMs: 1_700_000_000_001,
      ttlMs: 500,
    })
    expect(username).toBe(`1700000001:${PEER}`)
    expect(expiresAtMs).toBe(1_700_000_001_000)
  })
})

describe('a real coturn', () => {
  let running: RunningTurn
  beforeAll(async () => {
    running = await startTurn({ userQuota: 2 })
  })
  afterAll(() => running?.turn.stop())

  const codeWith = async (credentials: { username: string; credential: string }): Promise<number> => {
    const client = await running.client(credentials)
    const code = await client.codeOf(client.allocate())
    await client.close()
    return code
  }

  test.each(['udp', 'tcp'] as const)('takes good credentials over %s', async (transport) => {
    const client = await running.client({ transport })
    expect(await client.allocate()).toMatchObject({ address: '127.0.0.1' })
    await client.close()
  })

  test('takes credentials by the second secret too, for rotation', async () => {
    expect(await codeWith(turnCredentials({ secret: SECRETS[1], peerId: PEER, nowMs: Date.now() }))).toBe(0)
  })

  test('refuses credentials that have run out', async () => {
    const nowMs = Date.now() - CREDENTIAL_TTL_MS - 2_000
    expect(await codeWith(turnCredentials({ secret: SECRETS[0], peerId: PEER, nowMs }))).toBe(UNAUTHORIZED)
  })

  test('refuses credentials by another secret', async () => {
    const foreign = turnCredentials({ secret: 'a-secret-it-does-not-have', peerId: PEER, nowMs: Date.now() })
    expect(await codeWith(foreign)).toBe(UNAUTHORIZED)
  })

  test('refuses a user name whose expiry was altered', async () => {
    const { username, credential } = turnCredentials({ secret: SECRETS[0], peerId: PEER, nowMs: Date.now() })
    const later = username.replace(/^\d+/, (seconds) => String(Number(seconds) + 3_600))
    expect(await codeWith({ username: later, credential })).toBe(UNAUTHORIZED)
  })

  test('accepts many members at once right after its start', async () => {
    const fresh = await startTurn()
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, member) =>
        fresh.client(turnCredentials({ secret: SECRETS[0], peerId: `member-${member}`, nowMs: Date.now() })),
      ),
    )
    const codes = await Promise.all(clients.map((client) => client.codeOf(client.allocate())))
    await Promise.all(clients.map((client) => client.close()))
    await fresh.turn.stop()
    expect(codes).toEqual(codes.map(() => 0))
  })

  test('lets an allocation live beyond the end of its credentials', async () => {
    const credentials = turnCredentials({
      secret: SECRETS[0],
      peerId: 'fedcba9876543210',
      nowMs: Date.now(),
      ttlMs: 4_000,
    })
    const client = await running.client(credentials)
    await client.allocate()
    // Long enough to come in, also on a busy machine. The server counts whole seconds: wait until it refuses a new
    // allocation with the same credentials.
    await expect.poll(() => codeWith(credentials), { timeout: 20_000, interval: 250 }).toBe(UNAUTHORIZED)
    await client.refresh(600)
    await client.createPermission('1.1.1.1')
    await client.close()
  })

  test('counts the quota by member, whenever the credentials were made', async () => {
    const clientAt = (agoMs: number, peerId: string) =>
      running.client(turnCredentials({ secret: SECRETS[0], peerId, nowMs: Date.now() - agoMs }))
    const clients = [
      await clientAt(0, PEER),
      await clientAt(60_000, PEER),
      await clientAt(120_000, PEER),
      await clientAt(0, 'other'),
    ]
    const codes: number[] = []
    for (const client of clients) codes.push(await client.codeOf(client.allocate()))
    expect(codes).toEqual([0, 0, QUOTA_REACHED, 0])
    await Promise.all(clients.map((client) => client.close()))
  })
})
