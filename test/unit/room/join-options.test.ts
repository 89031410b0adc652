import { expect, it } from 'vitest'
import type { JoinOptions } from '../../../web/client/face.ts'
import { checkRoomName, parseJoinOptions } from '../../../web/client/options.ts'

const refused = (options: object): (() => unknown) => {
  return () => parseJoinOptions(options as JoinOptions)
}

it('has a default for everything', () => {
  expect(parseJoinOptions({})).toEqual({
    server: undefined,
    profile: null,
    signal: undefined,
    paths: ['direct', 'turn', 'relay'],
    iceTransportPolicy: 'all',
    iceServers: [],
    maxDirectPeers: 16,
    sealing: 'link',
    sealProfile: false,
    uplink: ['websocket', 'sse', 'long-poll', 'short-poll'],
  })
})

it.each([
  ['maxDirectPeer', 8],
  ['maxDirectPeers', 65],
  ['maxDirectPeers', 1.5],
  ['maxDirectPeers', '8'],
  ['paths', ['straight']],
  ['paths', 'relay'],
  ['iceTransportPolicy', 'public'],
  ['iceServers', { urls: 'stun:stun.example' }],
  ['iceServers', [{}]],
  ['iceServers', [null]],
  ['iceServers', [{ urls: ['stun:stun.example', 3] }]],
  ['profile', 'x'.repeat(4_095)],
  ['profile', Array.from({ length: 512 }, () => 0)],
  ['profile', () => 'Ada'],
  ['profile', 1n],
  ['sealing', 'link'],
  ['secret', 'AAECAwQFBgcICQoLDA0O'],
  ['secret', 'A'.repeat(87)],
  ['secret', 'AAECAwQFBgcICQoLDA0OD+8'],
  ['password', ''],
  ['password', 'x'.repeat(1_025)],
  ['identity', {}],
  ['admit', true],
])('refuses %s: %s, and names it', (key, value) => {
  expect(refused({ [key]: value })).toThrow(
    expect.objectContaining({ code: 'bad-argument', message: expect.stringMatching(`^${key}: expected`) }),
  )
})

it('takes what is at the edge', () => {
  const iceServers = [{ urls: 'stun:stun.example' }, { urls: ['turn:turn.example'], username: 'u', credential: 'c' }]
  const given = { maxDirectPeers: 0, iceServers, profile: 'x'.repeat(4_094), paths: [] }
  expect(parseJoinOptions(given)).toMatchObject(given)
})

it.each(['', 'x'.repeat(129), 'ä'.repeat(65), 7, null, undefined])('refuses the room name %s', (name) => {
  expect(() => checkRoomName(name)).toThrow(expect.objectContaining({ code: 'bad-argument' }))
})

it('has the mode that a secret or password stands for', () => {
  const secret = 'AAECAwQFBgcICQoLDA0ODw'
  expect(parseJoinOptions({ secret })).toMatchObject({ sealing: 'secret', secret: Uint8Array.from(Array(16).keys()) })
  expect(parseJoinOptions({ password: 'pass' })).toMatchObject({ sealing: 'secret', password: 'pass' })
  expect(parseJoinOptions({ sealing: 'open' })).toMatchObject({ sealing: 'open' })
  expect(refused({ sealing: 'open', secret })).toThrow(expect.objectContaining({ code: 'bad-argument' }))
  expect(refused({ password: 'pass', secret })).toThrow(expect.objectContaining({ code: 'bad-argument' }))
})
