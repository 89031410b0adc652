import { describe, expect, it } from 'vitest'
import {
  LIMITS,
  ProtocolError,
  parseAnyServerMessage,
  parseClientMessage,
  parseLinkMessage,
  parseServerMessage,
} from '../../../signaling/protocol/index.ts'
import fc from '../../support/properties.ts'
import { examples } from './protocol-document.ts'

type Fields = Readonly<Record<string, unknown>>

const CLIENT = new Map(
  examples('json client').map((text) => [JSON.parse(text).t as string, JSON.parse(text) as Fields]),
)
const SERVER = new Map(
  examples('json server').map((text) => [JSON.parse(text).t as string, JSON.parse(text) as Fields]),
)
const LINK = new Map(examples('json link').map((text) => [JSON.parse(text).t as string, JSON.parse(text) as Fields]))

function good(messages: ReadonlyMap<string, Fields>, t: string): Fields {
  const message = messages.get(t)
  if (message === undefined) throw new Error(`no example of ${t}`)
  return message
}

/** The message is refused, and the error begins with the field's name. */
function refused(parse: () => unknown, field: string): void {
  let error: unknown
  try {
    parse()
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(ProtocolError)
  expect((error as ProtocolError).field).toBe(field)
  expect((error as ProtocolError).message.startsWith(`${field}: `)).toBe(true)
}

const HEX_16 = '0123456789abcdef'
/** That many, itself included. */
const values = (count: number): unknown => [[], ...Array.from({ length: count - 2 }, () => ({}))]
const levels = (count: number): unknown => JSON.parse('['.repeat(count) + ']'.repeat(count))

describe("a client's message", () => {
  it.each([
    ['join', 'id', [undefined, -1, 1.5, 2 ** 32, '1', null]],
    ['join', 'vMin', [undefined, 0, 65_536, '1']],
    ['join', 'vMax', [undefined, 0, 65_536, null]],
    ['join', 'room', [undefined, '', 1, 'x'.repeat(129), 'ä'.repeat(65)]],
    ['join', 'profile', [undefined, 'x'.repeat(LIMITS.profileBytes), levels(65), values(513)]],
    ['join', 'instance', [undefined, '', HEX_16, 'G'.repeat(32), 'A'.repeat(32), 'a'.repeat(33)]],
    ['join', 'joinKey', [undefined, 1, HEX_16, 'A'.repeat(32), `${'a'.repeat(32)}\n`]],
    ['join', 'token', ['', null, 1, 'x'.repeat(LIMITS.tokenChars + 1)]],
    ['profile', 'id', [undefined, -1]],
    ['profile', 'profile', [undefined, ['x'.repeat(LIMITS.profileBytes)], values(513)]],
    ['renew', 'id', [undefined, 'one']],
    ['snapshot', 'id', [undefined, {}]],
    ['leave', 'id', [undefined, [1]]],
    ['grace', 'graceMs', [undefined, -1, 0.5, 86_400_001, '1']],
    ['ping', 'n', [undefined, -1, 2 ** 32]],
    ['ping', 'rttMs', [null, '1']],
    ['ping', 'paths', [null, 1, []]],
  ] as const)('%s with a bad %s names it', (t, field, values) => {
    for (const value of values) {
      const text = JSON.stringify({ ...good(CLIENT, t), [field]: value })
      refused(() => parseClientMessage(text), field)
    }
  })

  it.each([
    ['join', 'id', [0, 0xffff_ffff]],
    ['join', 'vMin', [1, 65_535]],
    ['join', 'room', ['x', 'x'.repeat(128), 'ä'.repeat(64), '\u0000']],
    ['join', 'profile', [null, false, 0, '', [], {}, 'x'.repeat(LIMITS.profileBytes - 2), levels(64), values(512)]],
    ['join', 'token', ['x', 'x'.repeat(LIMITS.tokenChars)]],
    ['grace', 'graceMs', [0, 86_400_000]],
    ['ping', 'n', [0, 0xffff_ffff]],
    ['ping', 'rttMs', [0, 0.25]],
    [
      'ping',
      'paths',
      [
        { direct: 0, turn: 0, relay: 0 },
        { direct: 100_000, turn: 1, relay: 2 },
      ],
    ],
  ] as const)('%s takes every %s in its range', (t, field, values) => {
    for (const value of values) {
      const message = { ...good(CLIENT, t), [field]: value }
      expect(parseClientMessage(JSON.stringify(message))).toEqual(message)
    }
  })

  it('may have a larger profile where the operator allows it', () => {
    const message = { ...good(CLIENT, 'profile'), profile: 'x'.repeat(8_000) }
    expect(parseClientMessage(JSON.stringify(message), 8_002)).toEqual(message)
    refused(() => parseClientMessage(JSON.stringify(message), 8_001), 'profile')
  })

  it.each([
    ['message', ''],
    ['message', '{'],
    ['message', 'null'],
    ['message', '[]'],
    ['message', '"join"'],
    ['message', `{"t":"ping","n":1,"x":"${'x'.repeat(LIMITS.controlBytes)}"}`],
    ['t', '{}'],
    ['t', '{"t":"welcome"}'],
    ['t', '{"t":["join"]}'],
    ['t', '{"t":"constructor"}'],
  ])('that is none is refused: %s', (field, text) => {
    refused(() => parseClientMessage(text), field)
  })
})

describe("a server's message", () => {
  it.each([
    ['welcome', 're', [undefined, -1, '1']],
    ['welcome', 'v', [undefined, 0, 2]],
    ['welcome', 'peerId', [undefined, HEX_16.toUpperCase(), HEX_16.slice(1)]],
    ['welcome', 'token', [undefined, '', 1]],
    ['welcome', 'tokenExpiresAtMs', [undefined, null, '1']],
    ['welcome', 'resumed', [undefined, 1, 'true']],
    ['welcome', 'room', [undefined, '']],
    ['welcome', 'epoch', [undefined, '', 'x'.repeat(65)]],
    ['welcome', 'version', [undefined, -1, 2 ** 53]],
    ['welcome', 'graceMs', [undefined, -1, 86_400_001]],
    ['welcome', 'members', [undefined, {}, null]],
    ['welcome', 'iceServers', [undefined, {}, Array.from({ length: 65 }, () => ({ urls: [] }))]],
    ['welcome', 'iceExpiresAtMs', [undefined, '1']],
    ['welcome', 'limits', [undefined, null, []]],
    ['welcome', 'timeMs', [undefined, null]],
    ['joined', 'version', [undefined, 1.5]],
    ['joined', 'member', [undefined, null, 'x']],
    ['changed', 'version', [undefined]],
    ['changed', 'id', [undefined, 'x']],
    ['changed', 'presence', ['gone', null, 1]],
    ['left', 'version', [undefined]],
    ['left', 'id', [undefined]],
    ['left', 'reason', [undefined, 'bored']],
    ['snapshot', 're', [undefined]],
    ['snapshot', 'epoch', [undefined, '']],
    ['snapshot', 'version', [undefined]],
    ['snapshot', 'members', [undefined, 'x']],
    ['renewed', 're', [undefined]],
    ['renewed', 'token', [undefined, '']],
    ['renewed', 'tokenExpiresAtMs', [undefined]],
    ['renewed', 'iceServers', [undefined, null]],
    ['renewed', 'iceExpiresAtMs', [undefined]],
    ['ok', 're', [undefined, -1]],
    ['pong', 'n', [undefined, -1]],
    ['pong', 'timeMs', [undefined, null]],
    ['pong', 'version', [null, -1, 1.5]],
    ['dropped', 'to', [undefined, {}, ['x']]],
    ['dropped', 'frames', [undefined, -1]],
    ['dropped', 'reason', [undefined, 'late']],
    ['error', 're', [null, -1]],
    ['error', 'code', [undefined, '', 'x'.repeat(65)]],
    ['error', 'message', [undefined, 1, 'x'.repeat(4_097)]],
    ['error', 'fatal', [undefined, 'yes']],
    ['error', 'retryAfterMs', [null, '1']],
    ['bye', 'code', [undefined, 999, 5_000, '1000']],
    ['bye', 'reason', [undefined, 1, 'x'.repeat(4_097)]],
    ['bye', 'retryAfterMs', [null]],
  ] as const)('%s with a bad %s names it', (t, field, values) => {
    for (const value of values) {
      const text = JSON.stringify({ ...good(SERVER, t), [field]: value })
      refused(() => parseServerMessage(text), field)
    }
  })

  const MEMBER = { id: HEX_16, instance: HEX_16 + HEX_16, profile: null, presence: 'here' }
  it.each([
    ['members[1]', null],
    ['members[1].id', { ...MEMBER, id: 'x' }],
    ['members[1].instance', { ...MEMBER, instance: HEX_16 }],
    ['members[1].presence', { ...MEMBER, presence: 'gone' }],
  ])('names %s', (field, member) => {
    for (const t of ['welcome', 'snapshot']) {
      const text = JSON.stringify({ ...good(SERVER, t), members: [MEMBER, member] })
      refused(() => parseServerMessage(text), field)
    }
  })

  it.each([
    ['iceServers[0]', 'turn:x'],
    ['iceServers[0].urls', {}],
    ['iceServers[0].urls', { urls: 'turn:x' }],
    ['iceServers[0].urls', { urls: [''] }],
    ['iceServers[0].urls', { urls: Array.from({ length: 17 }, () => 'turn:x') }],
    ['iceServers[0].username', { urls: [], username: 'x'.repeat(513) }],
    ['iceServers[0].credential', { urls: [], credential: 1 }],
  ])('names %s', (field, server) => {
    const text = JSON.stringify({ ...good(SERVER, 'welcome'), iceServers: [server] })
    refused(() => parseServerMessage(text), field)
  })

  it.each(['frameBytes', 'packetBytes', 'profileBytes', 'membersPerRoom', 'messagesPerSecond', 'bytesPerSecond'])(
    'names limits.%s',
    (key) => {
      const welcome = good(SERVER, 'welcome')
      for (const value of [undefined, 0, 1.5, '1']) {
        const text = JSON.stringify({ ...welcome, limits: { ...(welcome.limits as object), [key]: value } })
        refused(() => parseServerMessage(text), `limits.${key}`)
      }
    },
  )

  it('may have codes of later versions, and members without a profile', () => {
    const error = { ...good(SERVER, 'error'), code: 'too-early' }
    expect(parseServerMessage(JSON.stringify(error))).toEqual(error)
    const { profile: _, ...member } = MEMBER
    const joined = { ...good(SERVER, 'joined'), member }
    expect(parseServerMessage(JSON.stringify(joined))).toEqual({ ...joined, member: MEMBER })
  })

  it.each([
    ['message', 'nonsense'],
    ['message', '[]'],
    ['t', '{"t":"shout"}'],
    ['t', '{"t":1}'],
    ['t', `{"t":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('that is none is refused: %s', (field, text) => {
    refused(() => parseServerMessage(text), field)
  })
})

describe('a message about peer connections', () => {
  it.each([
    ['offer', 'attempt', [undefined, 0, 2 ** 32]],
    ['offer', 'turn', [undefined, 0]],
    ['offer', 'sdp', [undefined, '', 'x'.repeat(65_537)]],
    ['answer', 'attempt', [undefined, 0]],
    ['answer', 'sdp', [undefined, '', 1]],
    ['candidate', 'attempt', [undefined, 0]],
    ['candidate', 'candidate', [undefined, null, 'x']],
    ['ask', 'replaces', [undefined, -1]],
    ['full', 'attempt', [undefined, 0]],
    ['declare', 'channel', [undefined, 0, 256]],
    ['declare', 'name', [undefined, '', 'x'.repeat(65)]],
  ] as const)('%s with a bad %s names it', (t, field, values) => {
    for (const value of values) refused(() => parseLinkMessage({ ...good(LINK, t), [field]: value }), field)
  })

  it.each([
    ['candidate.candidate', { candidate: undefined }],
    ['candidate.candidate', { candidate: 'x'.repeat(1_025) }],
    ['candidate.sdpMid', { sdpMid: 1 }],
    ['candidate.sdpMid', { sdpMid: 'x'.repeat(65) }],
    ['candidate.sdpMLineIndex', { sdpMLineIndex: 256 }],
  ])('names %s', (field, parts) => {
    const message = good(LINK, 'candidate')
    const candidate = { ...(message.candidate as object), ...parts }
    refused(() => parseLinkMessage({ ...message, candidate }), field)
  })

  it('may leave out where a candidate belongs', () => {
    expect(parseLinkMessage({ t: 'candidate', attempt: 1, candidate: { candidate: '' } })).toEqual({
      t: 'candidate',
      attempt: 1,
      candidate: { candidate: '', sdpMid: null, sdpMLineIndex: null },
    })
  })

  it.each([null, 1, 'offer', []])('that is no object is refused: %j', (value) => {
    refused(() => parseLinkMessage(value), 'link')
  })

  it('of an unknown kind is refused', () => {
    refused(() => parseLinkMessage({ t: 'shout' }), 'link.t')
  })
})

describe('whatever a message is made of', () => {
  const all = [...CLIENT.values(), ...SERVER.values(), ...LINK.values()]
  /** A good message with one field of another value, of whatever type. */
  const damaged = fc
    .tuple(fc.constantFrom(...all), fc.nat(), fc.jsonValue({ maxDepth: 3 }))
    .map(([message, at, value]) => {
      const keys = Object.keys(message)
      return { ...message, [keys[at % keys.length] ?? 't']: value }
    })
  const parsers = [
    (text: string) => parseClientMessage(text),
    (text: string) => parseAnyServerMessage(text),
    (text: string) => parseLinkMessage(JSON.parse(text)),
  ]

  it.each([
    ['JSON', fc.json()],
    ['a good one with another field', damaged.map((message) => JSON.stringify(message))],
  ])('it is read or is a ProtocolError: %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const parse of parsers) {
          try {
            expect(parse(text)).toBeTypeOf('object')
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error
          }
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('text that is no JSON is a ProtocolError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const parse of [parseClientMessage, (text: string) => parseAnyServerMessage(text)])
          expect(() => parse(`?${text}`)).toThrow(ProtocolError)
      }),
    )
  })

  it('fields that are not known are left out', () => {
    for (const message of CLIENT.values()) {
      expect(parseClientMessage(JSON.stringify({ ...message, colour: 'red' }))).toEqual(message)
    }
    for (const message of SERVER.values()) {
      expect(parseAnyServerMessage(JSON.stringify({ ...message, colour: 'red' }))).toEqual(message)
    }
    for (const message of LINK.values()) expect(parseLinkMessage({ ...message, colour: 'red' })).toEqual(message)
  })
})
