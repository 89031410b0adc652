import { describe, expect, expectTypeOf, test } from 'vitest'
import type { IceServer } from '../../signaling/protocol/control.ts'
import { type IceServerEntry, iceServers, planCapacity, TurnOptionsError, turnCredentials } from '../../turn/index.ts'

const credentials = turnCredentials({
  secret: 'secret-of-16-chars',
  peerId: '00000000000000aa',
  nowMs: 1_700_000_000_000,
})
const { username, credential } = credentials

describe('iceServers', () => {
  test('have the shape of the wire', () => {
    expectTypeOf<IceServerEntry>().toEqualTypeOf<IceServer>()
  })

  test('list STUN apart from TURN, and TURN over UDP, TCP and TLS', () => {
    expect(iceServers({ turn: [{ host: 'turn.example.org', tlsPort: 443 }] }, credentials)).toEqual([
      { urls: ['stun:turn.example.org:3478'] },
      {
        urls: [
          'turn:turn.example.org:3478?transport=udp',
          'turn:turn.example.org:3478?transport=tcp',
          'turns:turn.example.org:443?transport=tcp',
        ],
        username,
        credential,
      },
    ])
  })

  test('list several TURN servers, a chosen transport, an IPv6 address and foreign STUN', () => {
    const turn = [
      { host: 'a.example', port: 3479 },
      { host: '2001:db8::1', transports: ['tcp'] as const },
    ]
    expect(iceServers({ turn, stun: ['stun:stun.example:3478'] }, credentials)).toEqual([
      { urls: ['stun:a.example:3479', 'stun:stun.example:3478'] },
      { urls: ['turn:a.example:3479?transport=udp', 'turn:a.example:3479?transport=tcp'], username, credential },
      { urls: ['turn:[2001:db8::1]:3478?transport=tcp'], username, credential },
    ])
  })

  test('are an empty list without servers', () => {
    expect(iceServers({ turn: [] }, credentials)).toEqual([])
  })

  test.each([
    [{ host: 'a b' }, 'host'],
    [{ host: 'a?transport=tcp' }, 'host'],
    [{ host: 'a', port: 70_000 }, 'port'],
    [{ host: 'a', transports: ['tls'] as const }, 'tlsPort'],
  ])('refuse %j', (address, key) => {
    expect(() => iceServers({ turn: [address] }, credentials)).toThrow(expect.objectContaining({ key }))
  })
})

describe('planCapacity', () => {
  test('gives one allocation for each url of each peer of each member, and twice that in ports and quota', () => {
    expect(planCapacity({ members: 50, maxDirectPeers: 16, urls: 3 })).toEqual({
      allocations: 2_400,
      relayPorts: { min: 49_152, max: 53_951 },
      userQuota: 96,
      totalQuota: 4_800,
      warning: undefined,
    })
  })

  test('keeps to a minimum of ports', () => {
    expect(planCapacity({ members: 2, maxDirectPeers: 4, urls: 2 })).toMatchObject({
      relayPorts: { min: 49_152, max: 50_175 },
      userQuota: 16,
    })
  })

  test('warns when the ports do not suffice, and says for how many members they do', () => {
    const { warning, relayPorts } = planCapacity({ members: 1_000, maxDirectPeers: 16, urls: 3 })
    expect(relayPorts).toEqual({ min: 49_152, max: 65_535 })
    expect(warning).toMatch(
      /1000 members × 16 direct peers × 3 TURN urls may need 48000 .* hold 16384, enough for 341 members/,
    )
  })

  test('refuses nonsense', () => {
    expect(() => planCapacity({ members: 0, maxDirectPeers: 16, urls: 3 })).toThrow(TurnOptionsError)
  })
})
