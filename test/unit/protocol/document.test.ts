import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { HUB_DEFAULTS } from '../../../signaling/limits/hub-options.ts'
import {
  CLOSE,
  decodeAck,
  decodeGreeted,
  decodeGreeting,
  decodeLatest,
  decodePing,
  decodeStoreRecord,
  encodeAck,
  encodeGreeted,
  encodeGreeting,
  encodeLatest,
  encodePing,
  encodePong,
  encodeRecord,
  encodeStoreRecord,
  fromEnvelope,
  LIMITS,
  PackWriter,
  parseAnyServerMessage,
  parseClientMessage,
  parseLinkMessage,
  readBatch,
  ShortForms,
  takeBatch,
  unpack,
  VERSION,
} from '../../../signaling/protocol/index.ts'
import { decodeChunk, encodeChunk, parseOfferMessage } from '../../../web/client/channel/offer-wire.ts'
import { annotatedBytes } from './annotated-bytes.ts'
import { envelopeAgain, pieceAgain } from './encoded-again.ts'
import { examples, PROTOCOL_TEXT, tableRows } from './protocol-document.ts'
import { sourceNumber } from './source-number.ts'

const CLIENT_MESSAGES = [
  ...['join', 'profile', 'renew', 'snapshot', 'leave', 'grace', 'ping'],
  ...['history', 'read', 'positions'],
]
const SERVER_MESSAGES = [
  'welcome',
  'joined',
  'changed',
  'left',
  'snapshot',
  'renewed',
  'ok',
  'pong',
  'dropped',
  'expiring',
  'published',
  'history',
  'stored',
  'logged',
  'position',
  'positions',
  'error',
  'bye',
]
const LINK_MESSAGES = [
  'offer',
  'answer',
  'candidate',
  'ask',
  'full',
  'slot',
  'relay-only',
  'beside',
  'declare',
  'signer',
  'profile',
]
const OFFER_MESSAGES = ['offer', 'accept', 'progress', 'withdraw', 'decline']

/** What the short forms of the examples follow. */
const LAST: Readonly<Record<string, string>> = {
  data: '01 ff ff ff fe 03 00 07 01 02 03 68 69',
  ack: '41 00 03 00 14 01 00 00 00 00 00 00 0a 00',
}

describe("PROTOCOL.md's examples of JSON", () => {
  it.each([
    ['client', CLIENT_MESSAGES, (text: string) => parseClientMessage(text)],
    ['server', SERVER_MESSAGES, (text: string) => parseAnyServerMessage(text)],
    ['link', LINK_MESSAGES, (text: string) => parseLinkMessage(JSON.parse(text))],
    ['offer', OFFER_MESSAGES, (text: string) => parseOfferMessage(JSON.parse(text))],
  ] as const)('of %s messages show every kind once, with no field that is not read', (info, kinds, parse) => {
    const texts = examples(`json ${info}`)
    expect(texts.map((text) => JSON.parse(text).t).sort()).toEqual([...kinds].sort())
    for (const text of texts) expect(parse(text)).toEqual(JSON.parse(text))
  })
})

describe("PROTOCOL.md's examples of bytes", () => {
  const cases: readonly (readonly [string, number, (bytes: Uint8Array) => Uint8Array])[] = [
    ['envelope', 2, envelopeAgain],
    ['batch', 1, (bytes) => takeBatch(readBatch(bytes).map(encodeRecord), bytes.length)],
    ['record', 1, (bytes) => encodeStoreRecord(decodeStoreRecord(bytes))],
    ['data', 2, pieceAgain],
    ['fragment', 2, pieceAgain],
    ['ack', 1, (bytes) => encodeAck(decodeAck(bytes))],
    ['ping', 1, (bytes) => encodePing(decodePing(bytes).nonce, decodePing(bytes).wantsAck)],
    ['pong', 1, (bytes) => encodePong(decodePing(bytes).nonce)],
    ['greet', 1, (bytes) => encodeGreeting(decodeGreeting(bytes))],
    ['greeted', 1, (bytes) => encodeGreeted(decodeGreeted(bytes).generation)],
    ['latest', 1, (bytes) => encodeLatest(decodeLatest(bytes))],
    [
      'pack',
      1,
      (bytes) => {
        const writer = new PackWriter(bytes.length + 3)
        unpack(bytes, (frame) => expect(writer.add(frame)).toBe(true))
        return writer.take()
      },
    ],
    [
      'short',
      2,
      (bytes) => {
        const [sender, receiver] = [new ShortForms(), new ShortForms()]
        for (const label of ['data', 'ack']) {
          const last = annotatedBytes(LAST[label] ?? '')
          receiver.restore(sender.shorten(last as Uint8Array<ArrayBuffer>))
        }
        return sender.shorten(receiver.restore(bytes) as Uint8Array<ArrayBuffer>)
      },
    ],
    [
      'chunk',
      1,
      (bytes) => {
        const chunk = decodeChunk(bytes)
        return chunk === undefined ? new Uint8Array() : encodeChunk(chunk.n, chunk.index, chunk.bytes)
      },
    ],
  ]

  it.each(cases)('are what the code reads and writes: %s', (info, count, again) => {
    const texts = examples(`bytes ${info}`)
    expect(texts).toHaveLength(count)
    for (const text of texts) expect(again(annotatedBytes(text))).toEqual(annotatedBytes(text))
  })

  it('are all looked at', () => {
    const labels = [...PROTOCOL_TEXT.matchAll(/^```(?:bytes|json) (\w+)$/gm)].map(([, label]) => label)
    expect([...new Set(labels)].sort()).toEqual(
      [...cases.map(([info]) => info), 'client', 'server', 'link', 'offer'].sort(),
    )
  })

  it('have the sender in the place of the receivers when they arrive', () => {
    const arrived = examples('bytes envelope')[1] ?? ''
    const sender = '1032547698badcfe' as Parameters<typeof fromEnvelope>[0]
    expect(fromEnvelope(sender, Uint8Array.of(0x61, 0x62, 0x63), 5)).toEqual(annotatedBytes(arrived))
  })
})

describe("PROTOCOL.md's tables", () => {
  it('name the version that is spoken', () => {
    expect(PROTOCOL_TEXT).toContain(`Version ${VERSION.max}.`)
    expect(VERSION.min).toBe(1)
  })

  it('have every error code', () => {
    const source = readFileSync(new URL('../../../signaling/protocol/errors.ts', import.meta.url), 'utf8')
    const declared = [...source.matchAll(/^ {2}\| '([a-z-]+)'$/gm)].map(([, code]) => code)
    const codes = tableRows('code').flatMap(([code = '']) => (code === '' ? [] : [code.replaceAll('`', '')]))
    expect(codes.sort()).toEqual(declared.sort())
    const closes = new Set<number>(Object.values(CLOSE))
    for (const [, , fatal, close = ''] of tableRows('code')) {
      if (fatal === 'yes') expect(closes).toContain(Number(close))
      else expect([fatal, close]).toEqual(['no', ''])
    }
  })

  it('have every close code under its name', () => {
    const rows = tableRows('close').map(([code, name = '']) => [name.replaceAll('`', ''), Number(code)])
    expect(Object.fromEntries(rows)).toEqual(CLOSE)
  })
})

describe("PROTOCOL.md's table of limits", () => {
  const rows = tableRows('limit')
  const places = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, place = '']) => place)
  const named = new Map(rows.flatMap((row) => places(row.at(-1) ?? '').map((place) => [place, row] as const)))

  function numberAt(place: string): number {
    const [path = '', name] = place.split(' ')
    if (name !== undefined) return sourceNumber(path, name)
    const [object, key = ''] = path.split('.')
    return Number(Reflect.get(object === 'LIMITS' ? LIMITS : HUB_DEFAULTS, key))
  }

  it('has a default, who sets it, and a place in the code, in every row', () => {
    for (const row of rows) {
      expect(row).toHaveLength(5)
      expect(row[1]).toMatch(/^\d{1,3}(?:,\d{3})*(?: (?:bytes|ms|s|levels|characters))?$/)
      expect(row[2]).toMatch(/^(?:hard|server|client)(?:, .+)?$/)
      expect(places(row[4] ?? '')).not.toHaveLength(0)
    }
  })

  it.each([...named].map(([place, row]) => [place, row[1] ?? '', row[0] ?? '']))(
    'agrees with %s: %s (%s)',
    (place, shown) => {
      expect(numberAt(place)).toBe(Number(shown.replace(/ .*$/, '').replaceAll(',', '')))
    },
  )

  it('has every number that both sides agree on, and every option of the hub', () => {
    const missing = [
      ...Object.keys(LIMITS).map((key) => `LIMITS.${key}`),
      ...Object.keys(HUB_DEFAULTS).map((key) => `HUB_DEFAULTS.${key}`),
    ].filter((place) => !named.has(place))
    expect(missing).toEqual([])
  })
})
