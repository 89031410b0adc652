import { describe, expect, it } from 'vitest'
import { AccessError } from '../../signaling/access/access-error.ts'
import { readClaims } from '../../signaling/access/claims.ts'
import { fitsPattern } from '../../signaling/access/room-pattern.ts'
import { addressGroup } from '../../signaling/limits/addresses.ts'
import { clientAddressBehind, isAddressRange, normalAddress } from '../../signaling/net/address.ts'
import { isOriginPattern, originCheck } from '../../signaling/net/origin.ts'
import { isAmbiguous } from '../../signaling/net/request-shape.ts'
import { OptionsError } from '../../signaling/options/errors.ts'
import { parseServerOptions } from '../../signaling/options/parse.ts'
import { OPTION_KEYS } from '../../signaling/options/table.ts'
import {
  type BatchRecord,
  encodeRecord,
  PackWriter,
  ProtocolError,
  parseClientMessage,
  parseLinkMessage,
  parseServerMessage,
  readBatch,
  takeBatch,
  unpack,
} from '../../signaling/protocol/index.ts'
import { chosenSubprotocol, offeredJoin, subprotocolsFor } from '../../signaling/protocol/offered-join.ts'
import { SessionTokens } from '../../signaling/sessions/tokens.ts'
import { decodePayload } from '../../web/client/channel/content.ts'
import { decodeChunk, encodeChunk, parseOfferMessage } from '../../web/client/channel/offer-wire.ts'
import { decodeCall, encodeCall } from '../../web/client/channel/procedure-wire.ts'
import { decodeAnnouncement } from '../../web/client/sealing/announcement.ts'
import { decodeKeyName, decodeRecord } from '../../web/client/sealing/records.ts'
import fc from '../support/properties.ts'
import { quickestMs } from '../support/quickest.ts'
import { instanceId, peerId } from '../unit/protocol/arbitrary-frames.ts'
import { examples } from '../unit/protocol/protocol-document.ts'
import { almost, almostBytes } from './arbitrary-hostile.ts'

const RUNS = { numRuns: 1_000 }

/** What `read` gives, or undefined when it refuses in the way it says; whatever else it throws is a failure. */
function orRefused<T>(read: () => T, refusal: abstract new (...args: never[]) => Error = ProtocolError): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof refusal) return undefined
    throw error
  }
}

const unpolluted = (): void => expect(Object.keys(Object.prototype)).toEqual([])

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

describe('control messages', () => {
  it.each([
    ['client', (text: string) => parseClientMessage(text)],
    ['server', (text: string) => parseServerMessage(text)],
    ['link', (text: string) => parseLinkMessage(JSON.parse(text))],
    ['offer', (text: string) => parseOfferMessage(JSON.parse(text))],
  ] as const)('that are almost one are read as one, or refused: %s', (info, parse) => {
    const arbitrary = fc.oneof(...examples(`json ${info}`).map((text) => almost(JSON.parse(text))))
    fc.assert(
      fc.property(arbitrary, (value) => {
        const message = orRefused(() => parse(JSON.stringify(value)))
        unpolluted()
        // What was taken is taken again, and for the same: nothing of it hangs on how it was written.
        if (message !== undefined) expect(parse(JSON.stringify(message))).toEqual(message)
      }),
      RUNS,
    )
  })

  it.each([
    ['client', (text: string) => parseClientMessage(text)],
    ['server', (text: string) => parseServerMessage(text)],
  ] as const)('of any text are refused, or read: %s', (_, parse) => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map((json) => json.slice(0, -1)),
    )
    fc.assert(
      fc.property(text, (one) => void orRefused(() => parse(one))),
      RUNS,
    )
  })

  it('nested to any depth cost no stack', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      for (const depth of [65, 1_000, 7_000]) {
        const value = `${open.repeat(depth)}1${close.repeat(depth)}`
        expect(() => parseClientMessage(`{"t":"profile","id":1,"profile":${value}}`, 1_000_000)).toThrow(ProtocolError)
      }
    }
  })
})

describe('batches of the carriers over plain HTTP', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 })
  const record: fc.Arbitrary<BatchRecord> = fc.oneof(
    text.map((one): BatchRecord => ({ kind: 'text', text: one })),
    fc.uint8Array({ maxLength: 200 }).map((bytes): BatchRecord => ({ kind: 'binary', bytes })),
    fc.tuple(fc.nat({ max: 0xffff }), text).map(([code, reason]): BatchRecord => ({ kind: 'close', code, reason })),
    text.map((token): BatchRecord => ({ kind: 'opened', token })),
    text.map((ticket): BatchRecord => ({ kind: 'ticket', ticket })),
    fc.constant<BatchRecord>({ kind: 'ask' }),
  )
  const batch = fc
    .array(record, { maxLength: 8 })
    .map((records) => takeBatch(records.map(encodeRecord), Number.POSITIVE_INFINITY))

  it('come back as they were put in', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), (records) => {
        expect(readBatch(takeBatch(records.map(encodeRecord), Number.POSITIVE_INFINITY))).toEqual(records)
      }),
      RUNS,
    )
  })

  it('that are almost one are refused, or read without copies', () => {
    fc.assert(
      fc.property(almostBytes(batch), (bytes) => {
        for (const one of orRefused(() => readBatch(bytes)) ?? []) {
          if (one.kind === 'binary') expect(one.bytes.buffer).toBe(bytes.buffer)
        }
      }),
      RUNS,
    )
  })

  it('take no more for one answer than was asked for, but always one record', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.nat({ max: 500 }), (records, most) => {
        const waiting = records.map(encodeRecord)
        const [first] = waiting
        expect(takeBatch(waiting, most).length).toBeLessThanOrEqual(Math.max(most, first?.length ?? 0))
      }),
    )
  })
})

describe('packs', () => {
  const frames = fc.array(
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((frame) => {
      if (frame[0] === 0xff) frame[0] = 0
      return frame
    }),
    { minLength: 1, maxLength: 30 },
  )

  it('that are almost one give frames that lie within them, and no more bytes than came', () => {
    const packed = frames.map((some) => {
      const writer = new PackWriter(16_384)
      for (const frame of some) writer.add(frame)
      return writer.take().slice()
    })
    fc.assert(
      fc.property(almostBytes(packed), (bytes) => {
        let sum = 0
        unpack(bytes, (frame) => {
          if (frame.length > 0) expect(frame.buffer).toBe(bytes.buffer)
          sum += frame.length
        })
        expect(sum).toBeLessThanOrEqual(bytes.length)
      }),
      RUNS,
    )
  })
})

describe('joins that are offered in an upgrade', () => {
  it('come back, whatever they say', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (join) => {
        expect(offeredJoin(subprotocolsFor(join).join(', '))).toBe(join)
      }),
      RUNS,
    )
  })

  it('in any header are some text, or none', () => {
    const value = fc.oneof(fc.string(), fc.constantFrom('partyline', 'join.', 'join.!', 'join.AA', 'join.gIA', 'join'))
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), (values) => {
        const header = values.join(',')
        expect(['string', 'undefined']).toContain(typeof offeredJoin(header))
        expect(['', 'partyline']).toContain(chosenSubprotocol(header))
        if (chosenSubprotocol(header) === '') expect(offeredJoin(header)).toBeUndefined()
      }),
      RUNS,
    )
  })
})

describe('session tokens', () => {
  const tokens = new SessionTokens([new Uint8Array(32).fill(7)])
  const claims = fc.record({
    room: fc.string({ minLength: 1, maxLength: 40 }),
    peerId,
    instance: instanceId,
    expiresAtMs: fc.nat(),
  })

  it('that are not letter for letter one that was signed are worth nothing', () => {
    fc.assert(
      fc.property(
        claims,
        fc.nat(),
        fc.string({ unit: 'binary-ascii', maxLength: 3 }),
        fc.nat({ max: 3 }),
        (given, at, put, cut) => {
          const token = tokens.sign(given)
          const index = at % (token.length + 1)
          const changed = token.slice(0, index) + put + token.slice(index + cut)
          if (changed !== token) expect(tokens.verify(changed, 0)).toEqual({ is: 'invalid' })
        },
      ),
      RUNS,
    )
  })

  it('of any text are worth nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.stringMatching(/^[\w-]+\.[\w-]{43}$/)),
        (token) => {
          expect(tokens.verify(token, 0)).toEqual({ is: 'invalid' })
        },
      ),
      RUNS,
    )
  })
})

describe('access', () => {
  it('claims that are almost good are refused by name, or bounded', () => {
    const good = { rooms: ['lobby', 'team-*'], rights: ['publish', 'direct'], sub: 'ada', profile: { name: 'Ada' } }
    fc.assert(
      fc.property(almost(good), (value) => {
        if (typeof value !== 'object' || value === null) return
        const read = orRefused(() => readClaims(value as Record<string, unknown>, 4_096), AccessError)
        unpolluted()
        if (read !== undefined) expect(read.rooms.length).toBeLessThanOrEqual(64)
      }),
      RUNS,
    )
  })

  it('patterns of rooms fit what they say, and cost what they are long', async () => {
    const piece = fc.constantFrom('a', 'b', '*', '**', '.', '\\', '[', '(a+)+$')
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.constantFrom('a', 'b', '.', '*'), { maxLength: 128 }),
        async (pieces, letters) => {
          const pattern = pieces.join('')
          const name = letters.join('')
          const ms = await quickestMs(() => expect(typeof fitsPattern(name, pattern)).toBe('boolean'))
          expect(fitsPattern(name, '*')).toBe(true)
          if (!pattern.includes('*')) expect(fitsPattern(name, pattern)).toBe(name === pattern)
          expect(ms).toBeLessThan(500)
        },
      ),
      RUNS,
    )
    expect(fitsPattern('a'.repeat(128), `${'*a'.repeat(64)}b`)).toBe(false)
  })
})

describe('options', () => {
  it('of any value are taken, or refused by name', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(Number.NaN, Infinity, () => 1, Symbol.iterator, 10n, new Date(0)),
    )
    const key = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom<string>(...OPTION_KEYS) },
      { weight: 1, arbitrary: fc.string() },
    )
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(key, value), { maxLength: 3, selector: ([name]) => name }), (pairs) => {
        const input = Object.fromEntries(pairs)
        try {
          parseServerOptions(input)
        } catch (error) {
          expect(error).toBeInstanceOf(OptionsError)
          expect(typeof (error as OptionsError).key).toBe('string')
        }
        unpolluted()
      }),
      RUNS,
    )
  })
})

describe('headers', () => {
  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string(),
    fc.constantFrom('', '::', '[::1]:80', '::ffff:1.2.3.4', '1.2.3.4:5', '127.0.0.1'),
  )

  it('X-Forwarded-For of any kind names an address, and whoever is not trusted cannot choose it', () => {
    const behind = clientAddressBehind(['loopback'])
    fc.assert(
      fc.property(fc.ipV4(), fc.array(address, { maxLength: 6 }), (socket, hops) => {
        const forwarded = hops.join(', ')
        expect(typeof behind('127.0.0.1', forwarded)).toBe('string')
        if (!socket.startsWith('127.')) expect(behind(socket, forwarded)).toBe(socket)
        expect(clientAddressBehind([])(socket, forwarded)).toBe(socket)
      }),
      RUNS,
    )
  })

  it('addresses of any kind are one, or none', () => {
    fc.assert(
      fc.property(address, (text) => {
        const normal = normalAddress(text)
        if (normal !== undefined) expect(normalAddress(normal)).toBe(normal)
        expect(typeof addressGroup(text)).toBe('string')
        expect(typeof isAddressRange(text)).toBe('boolean')
      }),
      RUNS,
    )
  })

  it('Origin of any kind lets in nobody but localhost, our own, and the listed', () => {
    const check = originCheck(['https://*.good.example'], () => false)
    const host = fc.domain().filter((name) => !name.endsWith('good.example') && !name.endsWith('localhost'))
    const origin = fc.oneof(
      host.map((name) => `https://${name}`),
      host.map((name) => `https://good.example.${name}`),
      host.map((name) => `https://localhost.${name}`),
      host.map((name) => `https://${name}/.good.example/`),
      host.map((name) => `https://${name}:443`),
      host.map((name) => `https://good.example@${name}`),
      host.map((name) => `https://${name}?.good.example/`),
      fc.constantFrom('null', 'file://', '', 'https://', 'javascript:1'),
    )
    fc.assert(
      fc.property(origin, (from) => {
        const refusal = check({
          ...{ method: 'GET', path: '/ws', query: '', socketAddress: '198.51.100.1', secure: true },
          header: (name) => ({ origin: from, host: 'party.example' })[name],
        })
        expect(refusal).toMatch(/may not connect/)
      }),
      RUNS,
    )
    expect(isOriginPattern('https://*')).toBe(false)
  })

  it('that leave open where a request ends are told from those that do not', () => {
    const length = fc.oneof(fc.nat().map(String), fc.string(), fc.constantFrom(undefined, '+1', '1, 1', '0x1', ' 1'))
    const coding = fc.oneof(
      fc.string(),
      fc.constantFrom(undefined, 'chunked', 'Chunked', 'chunked, chunked', 'identity'),
    )
    fc.assert(
      fc.property(length, coding, (contentLength, transferEncoding) => {
        const headers: Record<string, string | undefined> = {
          'content-length': contentLength,
          'transfer-encoding': transferEncoding,
        }
        const plain =
          transferEncoding === undefined && (contentLength === undefined || /^\d{1,15}$/.test(contentLength))
        const chunked = contentLength === undefined && transferEncoding?.toLowerCase() === 'chunked'
        expect(isAmbiguous({ header: (name) => headers[name] })).toBe(!plain && !chunked)
      }),
      RUNS,
    )
  })
})

describe('what members say', () => {
  it('as calls of procedures is read, or refused', () => {
    const data = fc.oneof(fc.jsonValue(), fc.string())
    const call = fc.oneof(
      fc.tuple(fc.constantFrom(0, 1), fc.nat(), data).map(([kind, id, said]) => encodeCall(kind as 0, id, said)),
      fc.tuple(fc.nat(), fc.string()).map(([id, why]) => encodeCall(2, id, why)),
      fc.tuple(fc.constantFrom(3, 4, 5), fc.nat()).map(([kind, id]) => encodeCall(kind as 3, id)),
    )
    fc.assert(
      fc.property(almostBytes(call), (bytes) => void orRefused(() => decodeCall(bytes).data())),
      RUNS,
    )
  })

  it('as chunks of files is read, or refused', () => {
    const chunk = fc.tuple(fc.nat(), fc.nat(), fc.uint8Array()).map(([n, index, bytes]) => encodeChunk(n, index, bytes))
    fc.assert(
      fc.property(
        fc.oneof(almostBytes(chunk), fc.jsonValue()),
        (message) => void orRefused(() => decodeChunk(message)),
      ),
      RUNS,
    )
  })

  it('as content of any kind is what it says, or refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 200 }), (content, bytes) => {
        const value = orRefused(() => decodePayload(content as 0, bytes))
        unpolluted()
        if (content === 1 && value !== undefined) expect(value).not.toMatch(LONE_SURROGATE)
      }),
      RUNS,
    )
  })

  it('as announcements, records and keys of sealing is read, or is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(1, 2, 3, 4, 255), (bytes, kind) => {
        if (bytes.length > 0) bytes[0] = kind
        decodeRecord(bytes)
        decodeKeyName(bytes, 32)
        decodeAnnouncement(Buffer.from(bytes).toString('base64url'), 'link')
      }),
      RUNS,
    )
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()),
        (text) => void decodeAnnouncement(text, 'secret'),
      ),
      RUNS,
    )
  })
})
