import { describe, expect, it } from 'vitest'
import { mayForward } from '../../../signaling/access/frame-rights.ts'
import { ALL_RIGHTS } from '../../../signaling/access/grant.ts'
import type { Right } from '../../../signaling/protocol/access.ts'
import {
  encodeData,
  encodeGreeted,
  encodeLatest,
  encodePing,
  encodePong,
  streamIndex,
} from '../../../signaling/protocol/index.ts'

const BODY = Uint8Array.of(1, 2, 3)
const data = (audience: 'room' | 'unicast', channel: number): Uint8Array =>
  encodeData(
    {
      stream: streamIndex(audience, 'small'),
      seq: 7,
      channel,
      ordinal: 0,
      opening: { name: 'm:chat', ordinal: 0 },
      content: 2,
      sent: 0,
      number: 0,
    },
    BODY,
  )
const latest = (audience: 'room' | 'unicast'): Uint8Array =>
  encodeLatest({ audience, channel: 5, counter: 1, sent: 0, key: '', content: 2, body: BODY })

const frames = {
  'a message to the room': data('room', 3),
  'a message to one': data('unicast', 3),
  'a signal': data('unicast', 0),
  'a value for the room': latest('room'),
  'a value for one': latest('unicast'),
  'a ping': encodePing(1, true),
  'a pong': encodePong(1),
  'a confirmed greeting': encodeGreeted(1),
}
const allowed = (...rights: Right[]): string[] =>
  Object.entries(frames)
    .filter(([, frame]) => {
      const among = Uint8Array.of(0xff, 0xff, ...frame)
      return mayForward(new Set(rights), among, 2, false)
    })
    .map(([name]) => name)

const ALWAYS = ['a signal', 'a ping', 'a pong', 'a confirmed greeting']

describe('what a member may have forwarded', () => {
  it('is everything with all rights', () => {
    expect(allowed(...ALL_RIGHTS)).toEqual(Object.keys(frames))
  })

  it('is what links need, and no message, with none', () => {
    expect(allowed()).toEqual(ALWAYS)
  })

  it('is what goes to the room, with the right to publish', () => {
    expect(allowed('publish').sort()).toEqual([...ALWAYS, 'a message to the room', 'a value for the room'].sort())
  })

  it('is what goes to one, with the right to that', () => {
    expect(allowed('direct').sort()).toEqual([...ALWAYS, 'a message to one', 'a value for one'].sort())
  })

  it('is not a message to one on a channel that is nearly the link channel', () => {
    // 0 as a varint of two bytes.
    const forged = Uint8Array.of(0x12, 0, 0, 0, 7, 0x80, 0x00, 0, 0, 0, 0, 0, 0)
    expect(mayForward(new Set(), forged, 0, false)).toBe(false)
  })

  it('keeps back what is sealed for the room of who may not publish, and leaves the rest to its receivers', () => {
    const record = (kind: number, rights: readonly Right[]): boolean =>
      mayForward(new Set(rights), Uint8Array.of(9, kind, 0, 0, 0, 0, 0, 0, 0, 1), 1, true)
    expect([1, 2, 3, 4].map((kind) => record(kind, ['direct']))).toEqual([true, false, true, true])
    expect([1, 2, 3, 4].map((kind) => record(kind, ['publish']))).toEqual([true, true, true, true])
  })
})
