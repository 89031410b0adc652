/** The second implementation of what members claim of themselves, pinned to bytes: the product is compared with it. */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { roomKeys } from './independent-announcement.ts'
import {
  CONTENTS,
  canonical,
  makeSigner,
  openBody,
  openProfile,
  type Place,
  profileDigest,
  SignedPlaces,
  sealProfile,
  signBody,
} from './independent-claims.ts'

const S = Uint8Array.from({ length: 16 }, (_, index) => index)
const INSTANCE = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
const PROFILE_KEY = roomKeys('secret', 'lobby', S).profile ?? Buffer.alloc(0)
const NO_KEY = Buffer.alloc(32)

const PLACE: Place = { room: 'Küche 7', instance: INSTANCE, wireName: 's:chat', ordinal: 258, sent: 66_051 }
const PAYLOAD = Buffer.from('{"n":1}')

/** Made once, of `PAYLOAD` in `PLACE`, by the known signer: ECDSA is never the same twice. */
const SIGNED_BODY =
  'bc59d66bf9d540bf5b06120551464a28ae705f4d5419e2d875ddde3ea6490f8e' +
  '94fc1a3eaa9e8fcd766d4cf1d1aa1602eb2b37a00051e77df063bb47721f10b0' +
  '007b226e223a317d'
const SEALED = 'BgAAAAAAAAAFZw9wh3zDolonEgJzPbokA5a98sUjeyU2nImyLQc-'

/** Of a key pair that everybody knows: RFC 6979, A.2.5. */
function knownSigner() {
  const d = Buffer.from('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721', 'hex')
  const x = Buffer.from('60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6', 'hex')
  const y = Buffer.from('7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299', 'hex')
  const [dText, xText, yText] = [d, x, y].map((bytes) => bytes.toString('base64url'))
  const jwk = { kty: 'EC', crv: 'P-256', d: dText ?? '', x: xText ?? '', y: yText ?? '' }
  const privateKey = createPrivateKey({ format: 'jwk', key: jwk })
  return makeSigner({ privateKey, publicKey: createPublicKey(privateKey) })
}

describe('a signed message', () => {
  const signer = knownSigner()

  it('has the signature first, then the content, then the payload', () => {
    const body = signBody(signer, PLACE, CONTENTS.json, PAYLOAD)
    expect(body).toHaveLength(64 + 1 + PAYLOAD.length)
    expect(body.subarray(64).toString('latin1')).toBe('\0{"n":1}')
    expect(openBody(signer.says.key, PLACE, body)).toEqual({ content: CONTENTS.json, payload: PAYLOAD })
    expect(signer.says.key).toHaveLength(87)
  })

  it('is signed over these bytes', () => {
    const fields = [
      '70617274796c696e652031206d657373616765', // label "message"
      '0008 4bc3bc6368652037', // len(room name)
      '00112233445566778899aabbccddeeff', // sender's instance
      '0006 733a63686174', // len(wire name)
      '00000102', // ordinal
      '010203', // sent
      '00', // content
      '7b226e223a317d', // payload
    ]
    const over = Buffer.from(fields.join('').replaceAll(' ', ''), 'hex')
    expect(createHash('sha256').update(over).digest('hex')).toBe(
      '17dbafd49dfae87b437529dd7d670721b680214c3759637bb46ff43d7a232db7',
    )
    expect(openBody(signer.says.key, PLACE, Buffer.from(SIGNED_BODY, 'hex')).payload).toEqual(PAYLOAD)
  })

  it.each<[string, Partial<Place>]>([
    ['another room', { room: 'Küche 8' }],
    ['another sender', { instance: Buffer.alloc(16) }],
    ['another channel', { wireName: 's:chats' }],
    ['a channel that is not signed', { wireName: 'm:chat' }],
    ['another place', { ordinal: 259 }],
    ['a place one round of 16 bits later', { ordinal: 258 + 65_536 }],
    ['another time', { sent: 66_052 }],
  ])('is nothing of %s', (_what, change) => {
    const body = signBody(signer, PLACE, CONTENTS.json, PAYLOAD)
    expect(() => openBody(signer.says.key, { ...PLACE, ...change }, body)).toThrow('forged')
  })

  it('is refused with any byte altered, cut anywhere, or of another signer', () => {
    const body = signBody(signer, PLACE, CONTENTS.text, PAYLOAD)
    for (let at = 0; at < body.length; at += 1) {
      const altered = Buffer.from(body)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(() => openBody(signer.says.key, PLACE, altered)).toThrow('forged')
      expect(() => openBody(signer.says.key, PLACE, body.subarray(0, at))).toThrow('forged')
    }
    expect(() => openBody(makeSigner().says.key, PLACE, body)).toThrow('forged')
  })
})

describe('the places of a signed channel', () => {
  it('are taken once, in order, and a gap is noticed', () => {
    const places = new SignedPlaces()
    expect(places.take(0)).toEqual({ withheld: false })
    expect(places.take(1)).toEqual({ withheld: false })
    expect(() => places.take(1)).toThrow('replayed')
    expect(places.take(3)).toEqual({ withheld: true })
    expect(() => places.take(2)).toThrow('replayed')
  })

  it('go on with a greeting, never back, also where numbers wrap', () => {
    const places = new SignedPlaces()
    places.greeted(7)
    places.greeted(5)
    expect(() => places.take(6)).toThrow('replayed')
    expect(places.take(7)).toEqual({ withheld: false })
    const late = new SignedPlaces()
    for (const ordinal of [0x7000_0000, 0xe000_0000, 0xffff_ffff]) late.greeted(ordinal)
    expect(late.take(0xffff_ffff)).toEqual({ withheld: false })
    expect(late.take(0)).toEqual({ withheld: false })
    expect(() => late.take(0xffff_ffff)).toThrow('replayed')
  })
})

describe('a profile', () => {
  it('is written in one way only', () => {
    expect(canonical({ b: [1, { d: 1e21, c: -0 }], a: 'é\u2028"\n', '€': null, '\r': 'x', ö: true })).toBe(
      '{"\\r":"x","a":"é\u2028\\"\\n","b":[1,{"c":0,"d":1e+21}],"ö":true,"€":null}',
    )
    expect([undefined, null, 'a', 1, [], {}].map(canonical)).toEqual(['null', 'null', '"a"', '1', '[]', '{}'])
  })

  it('has these digests', () => {
    const profile = { name: 'Ada', age: 36 }
    expect(profileDigest(PROFILE_KEY, 'lobby', INSTANCE, profile).toString('hex')).toBe(
      '654bde9750e61272deb387ca6765199299e4dca7edee99601774fffc0ece1e8b',
    )
    expect(profileDigest(NO_KEY, 'lobby', INSTANCE, { age: 36, name: 'Ada' }).toString('hex')).toBe(
      'eeebce6c542a3520348d6a8e6a86a46386f0a43640175e65caa1119888d22770',
    )
    expect(profileDigest(NO_KEY, 'lobby', INSTANCE, undefined)).toEqual(profileDigest(NO_KEY, 'lobby', INSTANCE, null))
  })

  it('is sealed in these bytes', () => {
    expect(sealProfile(PROFILE_KEY, INSTANCE, 5, { name: 'Ada' })).toEqual({ sealed: SEALED })
    expect(openProfile(PROFILE_KEY, INSTANCE, { sealed: SEALED })).toEqual({ name: 'Ada' })
  })

  it('that is not sealed is what it is, and one that does not open is none', () => {
    const open = (shown: unknown): unknown => openProfile(PROFILE_KEY, INSTANCE, shown)
    const plain = [null, 'x', { name: 'Ada' }, { sealed: 7 }, { sealed: 'AAAA' }, { sealed: SEALED, name: 'Ada' }]
    for (const shown of plain) expect(open(shown)).toEqual(shown)
    const record = Buffer.from(SEALED, 'base64url')
    for (let at = 1; at < record.length; at += 1) {
      const altered = Buffer.from(record)
      altered[at] = (altered[at] ?? 0) ^ 1
      expect(open({ sealed: altered.toString('base64url') })).toBeNull()
    }
    expect(openProfile(PROFILE_KEY, Buffer.alloc(16), { sealed: SEALED })).toBeNull()
    expect(openProfile(NO_KEY, INSTANCE, { sealed: SEALED })).toBeNull()
  })
})
