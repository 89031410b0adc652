import { describe, expect, it } from 'vitest'
import { GivenKeys } from '../../../web/client/sealing/given-keys.ts'
import { base64url, compare, fromBase64url } from '../../../web/client/sealing/octets.ts'
import { OwnSenderKeys } from '../../../web/client/sealing/own-sender-keys.ts'
import { decodeRecord } from '../../../web/client/sealing/records.ts'
import { ReplayWindow, WIDTH } from '../../../web/client/sealing/replay-window.ts'
import { MOST_RECORDS, MOST_STEP } from '../../../web/client/sealing/sender-key.ts'
import { nodePrimitives } from '../../support/node-primitives.ts'
import fc from '../../support/properties.ts'

describe('a replay window', () => {
  it('takes each counter once, and none that is 1,024 or more behind', () => {
    const counter = fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 2 ** 40, max: 2 ** 40 + 3_000 }))
    fc.assert(
      fc.property(fc.array(counter, { maxLength: 300 }), (counters) => {
        const window = new ReplayWindow()
        const taken = new Set<number>()
        let newest = 0
        for (const one of counters) {
          const fresh = !taken.has(one) && one > newest - WIDTH
          expect(window.take(one)).toBe(fresh)
          if (fresh) taken.add(one)
          newest = Math.max(newest, fresh ? one : 0)
        }
      }),
    )
  })
})

describe('base64url', () => {
  it('comes back, and is what Node writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(base64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64url(base64url(bytes))).toEqual(bytes)
      }),
    )
    for (const bad of ['a', 'a=', 'a b', 'ab+/', 'é']) expect(fromBase64url(bad)).toBeUndefined()
  })
})

it('bytes compare as texts of their hex do', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3, max: 3 }), fc.uint8Array({ maxLength: 3, max: 3 }), (a, b) => {
      expect(Math.sign(compare(a, b))).toBe(Math.sign(Buffer.compare(a, b)))
    }),
  )
})

it('a record is what it is, or none: any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
      const record = decodeRecord(payload)
      const least = payload[0] === 2 ? 31 : 25
      const isOne = payload.length >= least && (payload[0] ?? 0) >= 1 && (payload[0] ?? 0) <= 4
      expect(record !== undefined).toBe(isOne)
      if (record !== undefined) expect([...record.head, ...record.ciphertext]).toEqual([...payload])
    }),
  )
})

describe('own sender keys', () => {
  const keys = (): OwnSenderKeys => {
    const owner = { instance: new Uint8Array(16), roomHash: new Uint8Array(32) }
    return new OwnSenderKeys(
      nodePrimitives((bytes) => bytes.fill(1)),
      owner,
      (bytes) => bytes.fill(1),
    )
  }

  it('begin a new epoch when a key has sealed its fill', () => {
    const own = keys()
    const first = own.next()
    first.records = MOST_RECORDS - 1
    expect(own.next()).toBe(first)
    expect(own.next()).toMatchObject({ epoch: 2, step: 0, index: 1 })
  })

  it('begin a new epoch instead of a step beyond the last', () => {
    const real = nodePrimitives((bytes) => bytes.fill(1))
    const own = new OwnSenderKeys(
      { ...real, hkdf: async () => new Uint8Array(32), cipher: () => Promise.race([]) },
      { instance: new Uint8Array(16), roomHash: new Uint8Array(32) },
      (bytes) => bytes.fill(1),
    )
    own.next()
    for (let step = 1; step < MOST_STEP; step += 1) {
      own.came()
      own.next()
    }
    own.came()
    expect(own.next()).toMatchObject({ epoch: 1, step: 65_535 })
    own.came()
    expect(own.next()).toMatchObject({ epoch: 2, step: 0, index: 65_536 })
  })
})

it('of keys that were given, the newest 64 are remembered', () => {
  const owner = { instance: new Uint8Array(16), roomHash: new Uint8Array(32) }
  const own = new OwnSenderKeys(
    nodePrimitives((bytes) => bytes.fill(1)),
    owner,
    (bytes) => bytes.fill(1),
  )
  const given = new GivenKeys(0)
  const made = Array.from({ length: 65 }, () => {
    const key = own.next()
    expect(given.missing(key, 0)).toBe(key)
    given.held(key)
    own.left(key.epoch)
    return key
  })
  const [first, second] = made
  if (first === undefined || second === undefined) throw new Error('no keys')
  expect(given.missing(second, 0)).toBeUndefined()
  expect(given.missing(first, 0)).toBe(first)
})

it('of keys that were given, the newest epoch is remembered, whichever are sent again after', () => {
  const own = new OwnSenderKeys(
    nodePrimitives((bytes) => bytes.fill(1)),
    { instance: new Uint8Array(16), roomHash: new Uint8Array(32) },
    (bytes) => bytes.fill(1),
  )
  const given = new GivenKeys(0)
  expect(given.epoch).toBe(0)
  const made = Array.from({ length: 65 }, () => {
    const key = own.next()
    own.left(key.epoch)
    return key
  })
  for (const key of made.toReversed()) given.missing(key, 0)
  expect(given.epoch).toBe(65)
  expect(new GivenKeys(66, given.epoch).epoch).toBe(65)
})
