import { describe, expect, it } from 'vitest'
import {
  CONTENT,
  encodeAck,
  encodeData,
  encodeFragment,
  encodeGreeted,
  encodeLatest,
  encodePing,
  encodePong,
  encodeText,
  fromEnvelope,
  type LinkMessage,
  type StreamIndex,
} from '../../signaling/protocol/index.ts'
import { IndependentMember } from './independent.ts'
import { makeIdentity } from './independent-announcement.ts'
import { groupRecord, HELD, KEY, keyName, LINK, linkRecord } from './independent-records.ts'
import type { Shown } from './malicious-server.ts'
import { lineFrame, positionFrame } from './raw-member.ts'
import { type Company, company, goesOn, LOBBY, SECRET, Stage } from './stage.ts'

/** Thousands of records, each after the other. */
const SLOW_MS = 60_000

const FLIPS = [0x01, 0x80]

const flipped = (bytes: Uint8Array, at: number, flip: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ flip
  return copy
}

const head = (stream: StreamIndex, seq: number, opening?: string) => ({
  stream,
  seq,
  channel: opening === 'link' ? 0 : 1,
  ordinal: seq,
  opening: opening === undefined ? undefined : { name: opening, ordinal: seq },
  content: CONTENT.json,
  sent: 0,
  number: 0,
})

const text = encodeText('{"n":666}')
const SIGNALS: readonly LinkMessage[] = [
  { t: 'offer', attempt: 1, turn: false, sdp: 'v=0\r\na=fingerprint:sha-256 AA:BB\r\n' },
  { t: 'answer', attempt: 1, sdp: 'v=0\r\na=fingerprint:sha-256 AA:BB\r\n' },
  { t: 'candidate', attempt: 1, candidate: { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 } },
  { t: 'beside', signal: { t: 'answer', attempt: 1, sdp: 'v=0\r\n' } },
  { t: 'ask', replaces: 0 },
  { t: 'full', attempt: 1 },
  { t: 'slot' },
  { t: 'relay-only' },
  { t: 'declare', channel: 3, name: 'l:other' },
]

/** One frame of each kind that goes in link records, and in group records. */
const UNICAST: readonly [string, Uint8Array][] = [
  ['greeted', encodeGreeted(1)],
  ['ack', encodeAck({ heldMs: 1, delayMs: 20, windowBytes: 65_536, streams: [], unread: [] })],
  ['ping', encodePing(7, false)],
  ['pong', encodePong(7)],
  ['message to one', encodeData(head(2, 0, 'm:chat'), text)],
  ['fragment to one', encodeFragment(head(3, 0), 0, false, 40_000, text)],
  [
    'value to one',
    encodeLatest({ audience: 'unicast', channel: 2, counter: 1, sent: 0, key: 'k', content: 0, body: text }),
  ],
  ...SIGNALS.map((signal): [string, Uint8Array] => [
    `signal ${signal.t}`,
    encodeData(head(2, 1, 'link'), encodeText(JSON.stringify(signal))),
  ]),
]
const ROOM: readonly [string, Uint8Array][] = [
  ['message', lineFrame(666, 0)],
  ['fragment', encodeFragment(head(1, 0), 0, false, 40_000, text)],
  ['value', positionFrame(666, 1)],
]

/** What Mallory says to Bob, in one record each. */
function recordsOf({ mallory, bob }: Company): readonly (readonly [string, Uint8Array])[] {
  const { member } = mallory
  const { senderKey } = member
  const toBob = member.sendingTo(bob.id)
  const link = (kind: number, plain: Uint8Array) => linkRecord(kind, toBob, member.nextCounter(), plain)
  const given = link(KEY, keyName(senderKey))
  return [
    ['key', given],
    ['held', link(HELD, keyName({ epoch: 1, step: 0 }))],
    ...member.seal([bob.id], mallory.greeting()).map(({ payload }) => ['greeting', payload] as const),
    ...UNICAST.map(([name, frame]) => [name, link(LINK, frame)] as const),
    ...ROOM.map(
      ([name, frame]) =>
        [name, groupRecord(senderKey, member.announced.instance, LOBBY, member.nextCounter(), frame)] as const,
    ),
  ]
}

/** It waits for its key, which never comes: of another epoch, or of a step before it or too far after. */
function waits(payload: Uint8Array, at: number): boolean {
  return payload[0] === 2 && (at === 0 || (at >= 1 && at <= 6))
}

describe.each(['link', 'secret'] as const)(
  'in a room of mode %s, of a record of each kind',
  { timeout: SLOW_MS },
  (mode) => {
    it('every byte counts: what was altered is refused, whatever the place, and changes nothing', async () => {
      const scene = await company(mode)
      const { stage, bob, mallory } = scene
      const records = recordsOf(scene)
      const [key] = records
      if (key === undefined) throw new Error('there are some')
      const refused = (): number => Object.values(bob.room.stats().sealing.refused).reduce((sum, n) => sum + n, 0)
      const hand = async (payload: Uint8Array): Promise<number> => {
        const before = refused()
        stage.server.hand('bob', { from: mallory.id, payload })
        await stage.run(0)
        return refused() - before
      }
      const opened = bob.room.stats().sealing.opened
      for (const [name, payload] of records) {
        for (let at = 0; at < payload.length; at += 1) {
          for (const flip of FLIPS) {
            const altered = flipped(payload, at, flip)
            const count = await hand(altered)
            if (!waits(altered, at)) expect({ name, at, flip, count }).toEqual({ name, at, flip, count: 1 })
          }
        }
        // Unaltered, the key is taken: what is sealed under it can be looked at.
        if (name === 'key') expect(await hand(payload)).toBe(0)
      }
      expect(bob.heard).toEqual(['ada 1'])
      expect(bob.room.stats().sealing.opened).toBe(opened)
      const codes = new Set(['forged', 'unsealed'])
      expect(new Set(bob.refusedOf)).toEqual(new Set([...codes].map((code) => `mallory ${code}`)))
      // And each of them would have been taken as it was.
      for (const [name, payload] of records.slice(1))
        expect({ name, count: await hand(payload) }).toEqual({ name, count: 0 })
      await stage.run(500)
      expect(bob.heard).toEqual(['ada 1', 'mallory 666', 'mallory 666'])
      await goesOn(scene)
    })
  },
)

describe.each([
  { mode: 'link', signed: true, found: ['seal-mismatch', 'identity-invalid'] },
  { mode: 'link', signed: false, found: ['seal-mismatch', 'forged'] },
  { mode: 'secret', signed: true, found: ['seal-mismatch', 'wrong-secret'] },
] as const)(
  'in a room of mode $mode, of an announcement with an identity: $signed',
  { timeout: SLOW_MS },
  ({ mode, signed, found }) => {
    it('every byte counts: nobody speaks under one that was altered', async () => {
      const stage = new Stage()
      const { ada, bob } = await stage.two(mode === 'link' ? {} : undefined)
      const S = Buffer.from(SECRET, 'base64url')
      const instance = 'e1'.repeat(16) as Shown['instance']
      const id = 'e1'.repeat(8) as Shown['id']
      const identity = signed ? { identity: makeIdentity() } : {}
      const eve = new IndependentMember({ mode, room: LOBBY, S, id, instance, x25519: true, ...identity })
      const bytes = Buffer.from(eve.announcement, 'base64url')
      eve.admit(stage.server.who('bob'))
      const greeting = Uint8Array.of(0x60, 0, 0, 0, 1)
      let version = 3
      const codes = new Set<string>()
      const show = async (seal: string): Promise<number> => {
        const before = bob.room.stats().sealing
        const member = { id, instance, seal, profile: null, presence: 'here' }
        stage.server.tell('bob', { t: 'joined', version, member })
        await stage.run(0)
        const { payload } = eve.seal([bob.id], greeting)[0] ?? { payload: Buffer.alloc(0) }
        stage.server.hand('bob', { from: id, payload })
        await stage.run(0)
        stage.server.tell('bob', { t: 'left', version: version + 1, id, reason: 'left' })
        await stage.run(0)
        version += 2
        for (const code of Object.keys(bob.room.stats().sealing.refused)) codes.add(code)
        return bob.room.stats().sealing.opened - before.opened
      }
      for (let at = 0; at < bytes.length; at += 1) {
        for (const flip of FLIPS) {
          const opened = await show(Buffer.from(flipped(bytes, at, flip)).toString('base64url'))
          expect({ at, flip, opened }).toEqual({ at, flip, opened: 0 })
        }
      }
      for (const length of [1, 4, 5, bytes.length - 1]) {
        expect(await show(bytes.subarray(0, length).toString('base64url'))).toBe(0)
      }
      expect(codes).toEqual(new Set(found))
      expect(await show(eve.announcement)).toBe(1)
      await stage.run(60_000)
      await goesOn({ stage, ada, bob })
    })
  },
)

describe('of the head in which the server hands on a record', { timeout: SLOW_MS }, () => {
  it('every byte is the server’s, and none makes anything else of what is in it', async () => {
    for (let at = 0; at < 16; at += 1) {
      for (const flip of FLIPS) {
        const stage = new Stage(at * 2 + 1)
        const { ada, bob } = await stage.two()
        const [rewritten] = [stage.server.handedOn]
        let lies = 3
        stage.server.handedOn = (client, packet) => {
          lies -= client === 'bob' ? 1 : 0
          return client === 'bob' && lies >= 0 ? flipped(packet, at, flip) : packet
        }
        ada.say(1)
        ada.say(2, [bob])
        await stage.run(10_000)
        stage.server.handedOn = rewritten
        bob.say(3)
        await stage.run(10_000)
        expect({ at, flip, ada: ada.heard, bob: bob.heard.sort() }).toEqual({
          at,
          flip,
          ada: ['bob 3'],
          bob: ['ada 1', 'ada 2'],
        })
      }
    }
  })

  it('nor where several come in one message: none is taken for part of another', async () => {
    const scene = await company()
    const { stage, bob, mallory } = scene
    const { member } = mallory
    const payloads = [lineFrame(1, 0), mallory.greeting(), lineFrame(2, 1)].flatMap((frame) =>
      member.seal([bob.id], frame).map(({ payload }) => payload),
    )
    const packet = Buffer.concat(payloads.map((payload) => fromEnvelope(mallory.id, payload)))
    for (let at = 0; at < packet.length; at += 1) {
      stage.server.handBytes('bob', flipped(packet, at, 0x01))
      // A message that is none costs the carrier.
      await stage.run(at < 16 ? 2_000 : 100)
      if (bob.room.status === 'closed') break
    }
    const good = ['ada 1', 'mallory 1', 'mallory 2']
    expect(bob.heard.filter((line) => !good.includes(line))).toEqual([])
    expect(new Set(bob.heard).size).toBe(bob.heard.length)
    const codes = new Set(['forged', 'unsealed', 'replayed', 'closed: protocol'])
    expect(bob.refused.filter((code) => !codes.has(code))).toEqual([])
  })
})
