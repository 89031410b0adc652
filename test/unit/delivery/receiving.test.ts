import { describe, expect, it } from 'vitest'
import {
  CONTENT,
  type Content,
  decodePiece,
  encodeData,
  encodeFragment,
  encodeText,
  type InstanceId,
  LIMITS,
  type PieceFrame,
  ProtocolError,
  type StreamIndex,
} from '../../../signaling/protocol/index.ts'
import type { Arrived } from '../../../web/client/delivery/channel-order.ts'
import { IncomingStream } from '../../../web/client/delivery/incoming-stream.ts'
import { LinkReceiver } from '../../../web/client/delivery/link-receiver.ts'
import { ReceiveBudget, type ReceiveShare } from '../../../web/client/delivery/receive-budget.ts'

const OVERHEAD_BYTES = 64

interface Head {
  readonly stream?: StreamIndex
  readonly ordinal: number
  readonly opens?: boolean
  readonly content?: Content
  readonly body?: Uint8Array
}

function piece(seq: number, { stream = 0, ordinal, opens = false, content = CONTENT.text, body }: Head): PieceFrame {
  const opening = opens ? { name: 'm:chat', ordinal } : undefined
  const head = { stream, seq, channel: 1, ordinal, opening, content, sent: 0, number: 0 }
  return decodePiece(encodeData(head, body ?? encodeText(String(ordinal))))
}

function fragment(
  seq: number,
  ordinal: number,
  index: number,
  last: boolean,
  totalBytes: number,
  bytes = 10,
): PieceFrame {
  const opening = index === 0 && ordinal === 0 ? { name: 'm:chat', ordinal } : undefined
  const head = { stream: 1 as const, seq, channel: 1, ordinal, opening, content: CONTENT.binary, sent: 0, number: 0 }
  return decodePiece(encodeFragment(head, index, last, totalBytes, new Uint8Array(bytes)))
}

function receiver(totalBytes = 1_000_000, ordinal?: number) {
  const budget = new ReceiveBudget(totalBytes)
  budget.links = 1
  const heard: number[] = []
  /** Of each message, how large what holds its body is. */
  const held: number[] = []
  const taking = { now: true }
  const link = new LinkReceiver(
    {
      generation: 1,
      known: 0,
      afterCut: false,
      instance: 'f'.repeat(32) as InstanceId,
      delayMs: 20,
      uplinkRttMs: 0,
      starts: [0, 0, 0, 0],
      channels: ordinal === undefined ? [] : [{ channel: 1, ordinal, name: 'm:chat' }],
    },
    budget,
    {
      message: (message: Arrived) => {
        if (taking.now) {
          heard.push(message.ordinal)
          held.push(message.body.buffer.byteLength)
        }
        return taking.now
      },
    },
  )
  return { budget, heard, held, taking, link }
}

describe('an incoming stream', () => {
  it.each([0, 2 ** 32 - 3, 2 ** 31 - 2])('tells new from repeated from impossible, starting at %i', (start) => {
    const stream = new IncomingStream(start)
    const at = (offset: number): number => (start + offset) >>> 0
    stream.take(at(0))
    stream.take(at(2))
    stream.take(at(5))
    expect([0, 1, 2, 3, 5, 6].map((offset) => stream.look(at(offset)))).toEqual([
      'repeat',
      'new',
      'repeat',
      'new',
      'repeat',
      'new',
    ])
    expect(stream.look(at(4_096))).toBe('new')
    expect(stream.look(at(4_097))).toBe('beyond')
    expect(stream.look(at(-1))).toBe('repeat')
    expect(stream.next).toBe(at(1))
    // Bit i stands for next + 1 + i: 2 and 5.
    expect([...stream.bitmap()]).toEqual([0b1001])
    for (const offset of [1, 3, 4]) stream.take(at(offset))
    expect(stream.next).toBe(at(6))
    expect([...stream.bitmap()]).toEqual([])
  })
})

describe('a channel', () => {
  it('waits for what it is called before anything is handed on', () => {
    const { link, heard, budget } = receiver()
    link.take(piece(1, { ordinal: 1 }), 0)
    link.take(piece(2, { ordinal: 2 }), 0)
    expect(heard).toEqual([])
    expect(budget.heldBytes).toBe(2 * (OVERHEAD_BYTES + 1))
    link.take(piece(0, { ordinal: 0, opens: true }), 0)
    expect(heard).toEqual([0, 1, 2])
    expect(budget.heldBytes).toBe(0)
  })

  it('begins where the greeting says: what came before it was not meant for us', () => {
    const { link, heard } = receiver(1_000, 5)
    link.take(piece(0, { ordinal: 4 }), 0)
    link.take(piece(1, { ordinal: 5 }), 0)
    expect(heard).toEqual([5])
  })

  it('passes over the place of a message that was given up', () => {
    const { link, heard } = receiver(1_000, 0)
    link.take(piece(0, { ordinal: 0, content: CONTENT.void, body: new Uint8Array() }), 0)
    link.take(piece(1, { ordinal: 1 }), 0)
    expect(heard).toEqual([1])
  })

  it('never takes more small messages behind a missing large one than ordinals can tell apart', () => {
    const { link, heard } = receiver(100_000_000, 0)
    const refused: number[] = []
    const body = new Uint8Array(0)
    let seq = 0
    for (let ordinal = 1; ordinal < 0x6000; ordinal += 1) {
      if (link.take(piece(seq, { ordinal: ordinal & 0xffff, body }), 0) === 'refused') refused.push(ordinal)
      else seq += 1
    }
    expect(refused[0]).toBe(0x4000)
    expect(refused.length).toBe(0x6000 - 0x4000)
    link.take(piece(0, { stream: 1, ordinal: 0, body }), 0)
    expect(heard.length).toBe(0x4000)
    expect(link.take(piece(seq, { ordinal: 0x4000, body }), 0)).toBe('taken')
  })

  it('takes a message whose handler throws it away no second time', () => {
    const { link, heard, taking } = receiver(10_000, 0)
    taking.now = false
    link.take(piece(0, { ordinal: 0 }), 0)
    link.take(piece(1, { ordinal: 1 }), 0)
    taking.now = true
    link.drain('m:other')
    expect(heard).toEqual([])
    link.drain('m:chat')
    link.drain('m:chat')
    expect(heard).toEqual([0, 1])
  })
})

describe('the receive budget', () => {
  it('refuses what does not fit, but never the next missing frame of an application that reads', () => {
    const { link, heard } = receiver(250, 0)
    expect(link.take(piece(1, { ordinal: 1, body: new Uint8Array(100) }), 0)).toBe('taken')
    expect(link.take(piece(2, { ordinal: 2, body: new Uint8Array(100) }), 0)).toBe('refused')
    expect(link.take(piece(0, { ordinal: 0, body: new Uint8Array(100) }), 0)).toBe('taken')
    expect(heard).toEqual([0, 1])
    expect(link.take(piece(2, { ordinal: 2, body: new Uint8Array(100) }), 0)).toBe('taken')
  })

  it('refuses even the next frame of one that does not read, and of what only waits behind a hole', () => {
    const { link, taking, budget } = receiver(150, 0)
    taking.now = false
    expect(link.take(piece(0, { ordinal: 0, body: new Uint8Array(100) }), 0)).toBe('taken')
    expect(link.take(piece(1, { ordinal: 1, body: new Uint8Array(100) }), 0)).toBe('refused')
    expect(budget.share().windowBytes()).toBe(0)

    const holed = receiver(150, 0)
    for (let seq = 0; seq < 100; seq += 1) {
      holed.link.take(piece(seq, { ordinal: seq + 1, body: new Uint8Array(100) }), 0)
    }
    expect(holed.budget.heldBytes).toBeLessThan(400)
  })

  it('is shared by up to four senders at once, however many links there are', () => {
    const budget = new ReceiveBudget(1_000)
    const share = budget.share()
    const windows = [1, 2, 4, 50].map((links) => {
      budget.links = links
      return share.windowBytes()
    })
    expect(windows).toEqual([800, 500, 250, 250])
    share.add(2_000)
    expect(share.windowBytes()).toBe(0)
  })

  it('is not one sender’s to fill: others find room, and as many as fill what they may get the same', () => {
    const budget = new ReceiveBudget(16_777_216)
    const frame = 16_384
    const filled = (share: ReceiveShare): number => {
      let bytes = 0
      for (; share.fits(frame - OVERHEAD_BYTES); bytes += frame) share.add(frame)
      return bytes
    }
    const hog = budget.share()
    const held = filled(hog)
    expect(held).toBeGreaterThan(LIMITS.messageBytes * 1.5)
    const other = budget.share()
    expect(filled(other)).toBeGreaterThan(2_000_000)
    expect(hog.fits(frame - OVERHEAD_BYTES)).toBe(false)
    expect(budget.share().windowBytes()).toBeGreaterThan(frame)
    // What the first gives back it may take again only down to the others' level.
    hog.add(-held)
    const shares = [hog, other, budget.share(), budget.share()]
    const total = new Map<ReceiveShare, number>(shares.map((share) => [share, share === other ? 1 : 0]))
    for (let round = 0; round < 4_000; round += 1) {
      for (const share of shares) {
        if (!share.fits(frame - OVERHEAD_BYTES)) continue
        share.add(frame)
        total.set(share, (total.get(share) ?? 0) + frame)
      }
    }
    expect(budget.heldBytes).toBeLessThan(16_777_216)
    expect(total.get(hog)).toBe(total.get(shares[2] as ReceiveShare))
    expect(budget.share().fits(frame - OVERHEAD_BYTES)).toBe(true)
  })

  it('counts what holding costs of messages and beginnings without a byte', () => {
    const { link, budget } = receiver(1_000, 0)
    for (let seq = 0; seq < 2_000; seq += 1) link.take(piece(seq, { ordinal: seq + 1, body: new Uint8Array() }), 0)
    expect(budget.heldBytes).toBeLessThan(1_100)
    const beginnings = receiver(1_000, 0)
    let taken = 0
    for (let seq = 0; seq < 2_000; seq += 1)
      if (beginnings.link.take(fragment(seq, seq + 1, 0, false, 0, 0), 0) === 'taken') taken += 1
    expect(taken).toBeLessThan(20)
    beginnings.link.close()
    expect(beginnings.budget.heldBytes).toBe(0)
  })

  it('is not gone beyond without end by one who begins a message on every channel', () => {
    const { link, budget } = receiver(10_000)
    let seq = 0
    for (let channel = 1; channel < 200; channel += 1) {
      for (let index = 0; index < 5; index += 1) {
        const opening = index === 0 ? { name: `m:${channel}`, ordinal: 0 } : undefined
        const head = {
          stream: 1 as const,
          seq,
          channel,
          ordinal: 0,
          opening,
          content: CONTENT.binary,
          sent: 0,
          number: 0,
        }
        const frame = encodeFragment(head, index, false, 1_000_000, new Uint8Array(1_000))
        if (link.take(decodePiece(frame), 0) === 'taken') seq += 1
      }
    }
    expect(budget.heldBytes).toBeLessThan(45_000)
  })

  it('is not fooled by small frames of large packs: what is held does not keep the pack', () => {
    const { link, held, taking } = receiver(10_000, 0)
    taking.now = false
    for (let seq = 0; seq < 5; seq += 1) {
      const frame = encodeData(
        { stream: 0, seq, channel: 1, ordinal: seq, opening: undefined, content: CONTENT.text, sent: 0, number: 0 },
        encodeText('x'),
      )
      const pack = new Uint8Array(100_000)
      pack.set(frame)
      link.take(decodePiece(pack.subarray(0, frame.length)), 0)
    }
    taking.now = true
    link.drain('m:chat')
    // The first was offered before anybody knew that it would have to wait.
    expect(held.slice(1)).toEqual([1, 1, 1, 1])
  })

  it('gets back all that a link held when it ends', () => {
    const { link, budget } = receiver(1_000_000, 3)
    link.take(piece(0, { ordinal: 7 }), 0)
    link.take(fragment(0, 4, 0, false, 20), 0)
    expect(budget.heldBytes).toBeGreaterThan(0)
    link.close()
    expect(budget.heldBytes).toBe(0)
  })

  it.each([
    ['more bytes than were announced', (): PieceFrame[] => [fragment(0, 0, 0, false, 15), fragment(1, 0, 1, true, 0)]],
    ['a last piece before others', (): PieceFrame[] => [fragment(0, 0, 1, true, 0), fragment(1, 0, 2, false, 0)]],
    ['too many pieces', (): PieceFrame[] => [fragment(0, 0, 600, false, 0)]],
  ])('is not skewed by a message with %s, which is refused', (_what, pieces) => {
    const { link, budget } = receiver()
    expect(() => {
      for (const each of pieces()) link.take(each, 0)
    }).toThrow(ProtocolError)
    link.close()
    expect(budget.heldBytes).toBe(0)
  })
})

describe('an acknowledgement', () => {
  it('of a lone message leaves at once in a small room, and within the delay after another', () => {
    const { link } = receiver(1_000, 0)
    const half = (): number => 0.5
    link.take(piece(0, { ordinal: 0 }), 100)
    expect(link.ackWanted(100, 20, half)).toBe(true)
    link.takeAck(100, 20)
    link.take(piece(1, { ordinal: 1 }), 105)
    expect(link.ackWanted(105, 20, half)).toBe(false)
    expect(link.ackDueMs).toBe(105 + 15)
    expect(link.ackWanted(120, 20, half)).toBe(true)
  })

  it('waits in a large room, so that its members do not answer at once', () => {
    const { link } = receiver(1_000, 0)
    link.take(piece(0, { ordinal: 0 }), 100)
    expect(link.ackWanted(100, 100, () => 0)).toBe(false)
    expect(link.ackDueMs).toBe(150)
  })

  it('leaves after 256 frames or 256 KiB, whatever the time', () => {
    const { link } = receiver(10_000_000, 0)
    link.takeAck(100, 20)
    for (let seq = 0; seq < 256; seq += 1) link.take(piece(seq, { ordinal: seq }), 100)
    expect(link.ackWanted(100, 100, () => 1)).toBe(true)
  })

  it('says which channels have messages that nobody has taken', () => {
    const { link, taking } = receiver(1_000, 0)
    taking.now = false
    link.take(piece(0, { ordinal: 0 }), 100)
    expect(link.takeAck(140, 20)).toEqual({
      heldMs: 40,
      delayMs: 20,
      windowBytes: 800 - OVERHEAD_BYTES - 1,
      streams: [{ stream: 0, next: 1, bitmap: new Uint8Array() }],
      unread: [{ channel: 1, audience: 'room', ordinal: 0 }],
    })
  })
})
