import type { PeerId } from 'partyline'
import { describe, expect, it } from 'vitest'
import { deliveryFrom, describeDelivery } from '../../../web/chat/model/delivery.ts'
import { meaningOf } from '../../../web/chat/model/lock-meaning.ts'
import { numberLasts } from '../../../web/chat/model/number-lasts.ts'
import { plotStretches, type RoundTripSample, scaleTop, withSample } from '../../../web/chat/model/round-trips.ts'
import { formatBytes, formatMs, formatNames, formatPercent } from '../../../web/ui/format.ts'
import { suggestPersonName, suggestRoomName } from '../../../web/ui/random-words.ts'
import {
  newRoomSecret,
  privateNameFor,
  type RoomLock,
  readPastedLink,
  readRoomLink,
  roomAddress,
} from '../../../web/ui/room-link.ts'
import { adviceForInsecurePage } from '../../../web/ui/secure-page.ts'
import { readRoomName, siteRoot } from '../../../web/ui/site-address.ts'

const ADA = 'aaaaaaaaaaaaaaaa' as PeerId
const BO = 'bbbbbbbbbbbbbbbb' as PeerId
const nameOf = (id: PeerId): string => (id === ADA ? 'Ada' : 'Bo')

describe('the lock', () => {
  it.each([
    ['secret', 'secret'],
    ['secret', 'password'],
    ['link', 'none'],
  ] as const)('promises nothing without a word on who serves the page: %s, %s', (sealing, lock) => {
    expect(meaningOf(sealing, lock).text.join(' ')).toMatch(/whoever serves it to you has to be trusted/)
  })

  it('promises nothing at all in an open room', () => {
    expect(meaningOf('open', 'none').text.join(' ')).not.toMatch(/trusted/)
  })
})

describe('a safety number', () => {
  const theirs = 'ab'.repeat(32)

  it.each([
    [theirs, true, 'Keeps an identity, which is verified: abababababababab… The number is the same on every visit.'],
    [
      theirs,
      false,
      expect.stringMatching(/abababababababab… You show none on this visit, so the number will be another/),
    ],
    [undefined, true, 'Keeps no identity in the browser: the number counts for this visit only.'],
    [undefined, false, 'Keeps no identity in the browser: the number counts for this visit only.'],
  ])('is the same on every visit only where both show an identity: %s, %s', (identity, isOursShown, text) => {
    expect(numberLasts(identity, isOursShown)).toEqual(text)
  })
})

describe('figures', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1_200, '1.2 kB'],
    [999_600, '1.0 MB'],
    [34_000_000, '34 MB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  it('write times, shares and names', () => {
    expect([undefined, 0.4, 12.6, 1_500].map(formatMs)).toEqual(['–', '0.4 ms', '13 ms', '1.5 s'])
    expect([formatPercent(0, 10), formatPercent(999, 1_000), formatPercent(0, 0)]).toEqual(['0 %', '99 %', '100 %'])
    expect([['A'], ['A', 'B'], ['A', 'B', 'C'], ['A', 'B', 'C', 'D']].map((names) => formatNames(names))).toEqual([
      'A',
      'A and B',
      'A, B and C',
      'A, B and 2 others',
    ])
  })
})

describe('delivery of one’s own message', () => {
  it('is told in the words of the client', () => {
    expect(deliveryFrom({ to: [], missed: new Map() }, nameOf)).toEqual({ at: 'nobody' })
    expect(describeDelivery(deliveryFrom({ to: [ADA, BO], missed: new Map() }, nameOf))).toBe('Delivered to all 2')
    expect(describeDelivery(deliveryFrom({ to: [ADA, BO], missed: new Map([[BO, 'lagging']]) }, nameOf))).toBe(
      'Missed by Bo (was too far behind)',
    )
  })
})

describe('addresses', () => {
  const root = siteRoot('https://example.org/base/chat/?room=x#secret', '../')
  const secret: RoomLock = { kind: 'secret', secret: 'AAECAwQFBgcICQoLDA0ODw' }

  it('carry the room and its secret where servers do not see them, below any base path', () => {
    expect(root.href).toBe('https://example.org/base/')
    const address = roomAddress(root, { room: 'night watch/1', lock: secret })
    expect(address.href).toBe('https://example.org/base/chat/#room=night+watch%2F1&secret=AAECAwQFBgcICQoLDA0ODw')
    expect(address.pathname + address.search).toBe('/base/chat/')
  })

  it.each<RoomLock>([secret, { kind: 'password' }, { kind: 'none' }, { kind: 'damaged' }])(
    'give back the room and what protects it: $kind',
    (lock) => {
      const link = { room: 'Küche & Co. 日本 #1/2', lock }
      expect(readRoomLink(new URL(roomAddress(root, link)))).toEqual(link)
    },
  )

  it('of the older form are read, and name a room without a secret', () => {
    const link = { room: 'lobby', lock: { kind: 'none' } }
    expect(readRoomLink(new URL('https://example.org/chat/?room=lobby'))).toEqual(link)
    expect(readPastedLink(' https://example.org/chat/?room=lobby ')).toEqual(link)
    expect(readPastedLink('lobby')).toBeUndefined()
    expect(readRoomLink(new URL('https://example.org/chat/'))).toBeUndefined()
  })

  it('that lost a part of their secret are never taken for addresses without one', () => {
    const whole = roomAddress(root, { room: 'lobby', lock: secret }).href
    for (let kept = whole.indexOf('=AAEC') + 1; kept < whole.length; kept += 1) {
      expect(readRoomLink(new URL(whole.slice(0, kept)))?.lock.kind).toBe('damaged')
    }
    for (const fragment of ['secret=a+b', 'secret=', 'lock=newer']) {
      expect(readRoomLink(new URL(`https://example.org/chat/#room=lobby&${fragment}`))?.lock.kind).toBe('damaged')
    }
    expect(readRoomLink(new URL(whole.replace('&', '&amp;')))?.lock).toEqual(secret)
  })

  it('are made with 128 random bits', () => {
    expect(newRoomSecret((bytes) => bytes.set([...bytes.keys()]))).toBe('AAECAwQFBgcICQoLDA0ODw')
    expect(newRoomSecret()).not.toBe(newRoomSecret())
  })

  it('of a private room beside another have a name of their own', () => {
    const random = (bytes: Uint8Array): void => void bytes.fill(171)
    expect(privateNameFor('lobby', random)).toBe('lobby ababab')
    expect(privateNameFor('x'.repeat(128), random)).toBe('private ababab')
  })

  it('take room names of 1 to 128 bytes', () => {
    expect(readRoomName(' my   room ')).toBe('my room')
    for (const typed of [null, '', '  ', 'ü'.repeat(65)]) expect(readRoomName(typed)).toBeUndefined()
  })
})

describe('suggestions', () => {
  it('come from the random numbers given', () => {
    expect(suggestRoomName(() => 0)).toBe('amber-badger-10')
    expect(suggestRoomName((below) => below - 1)).toBe('young-wren-99')
    expect(suggestPersonName(() => 0)).toBe('Amber Badger')
  })
})

describe('an insecure page', () => {
  it('says what to do', () => {
    const page = { isSecureContext: false, hasSubtleCrypto: false, hostname: '192.168.1.5', port: '8080' }
    expect(adviceForInsecurePage(page)?.join(' ')).toMatch(
      /http:\/\/localhost:8080\/.*--tls self-signed.*https:\/\/192\.168\.1\.5:8080\//u,
    )
    expect(adviceForInsecurePage({ ...page, isSecureContext: true, hasSubtleCrypto: true })).toBeUndefined()
  })
})

describe('the plot of round-trip times', () => {
  const sample = (rttMs: number | undefined, path: 'relay' | 'direct' = 'relay'): RoundTripSample => ({
    atMs: 0,
    path,
    rttMs,
  })

  it('keeps the newest samples', () => {
    const samples = [1, 2, 3].reduce<readonly RoundTripSample[]>((all, rtt) => withSample(all, sample(rtt), 2), [])
    expect(samples.map((one) => one.rttMs)).toEqual([2, 3])
  })

  it('has a round number at its top', () => {
    expect([[0.3], [3.4], [48], [71], [1_200]].map((rtts) => scaleTop(rtts.map((rtt) => sample(rtt))))).toEqual([
      1, 5, 50, 100, 2_000,
    ])
  })

  it('breaks at holes and where the path changes, the newest at the right edge', () => {
    const stretches = plotStretches([sample(10), sample(undefined), sample(10), sample(5, 'direct')], 5)
    expect(stretches).toEqual([
      { path: 'relay', points: [{ x: 0.25, y: 1 }] },
      { path: 'relay', points: [{ x: 0.75, y: 1 }] },
      { path: 'direct', points: [{ x: 1, y: 0.5 }] },
    ])
  })
})
