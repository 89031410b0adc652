import { describe, expect, it } from 'vitest'
import { BODY, encodeText, type InstanceId, type Json } from '../../../signaling/protocol/index.ts'
import type { SealedMode } from '../../../web/client/sealing/announcement.ts'
import { base64url, fromBase64url } from '../../../web/client/sealing/octets.ts'
import type { Primitives, SigningKey } from '../../../web/client/sealing/primitives.ts'
import { RECORD } from '../../../web/client/sealing/records.ts'
import { roomKey, stretch } from '../../../web/client/sealing/room-key.ts'
import { openProfile, sealProfile } from '../../../web/client/sealing/sealed-profile.ts'
import { RoomSealing, type SealingOptions } from '../../../web/client/sealing/sealing.ts'
import { groupCipher, nextStep } from '../../../web/client/sealing/sender-key.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { nodePrimitives, p256Key, p256Signer, x25519Key } from '../../support/node-primitives.ts'
import { ackFrame, hex, instanceId, peerId, roomFrame, SECRET, unicastFrame } from './sealed-room.ts'

const ROOM = encodeText('lobby')
const bytes = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value)
/** In rows of 32 bytes. */
const rows = (data: Uint8Array): string[] => hex(data).match(/.{1,64}/g) ?? []

const primitives = nodePrimitives(() => {
  throw new Error('nothing here is random')
})

interface Known {
  readonly sealing: RoomSealing
  /** Raw keys of ciphers, in the order in which they were made. */
  readonly keys: string[]
}

/** Instance `n`, peer id `n`, private keys of 32 bytes `16 n + 1` (X25519) and `16 n + 2` (P-256), sender key `16 n + 3`. */
async function known(
  n: number,
  mode: SealedMode,
  x25519: boolean,
  identity?: SigningKey,
  instance: SealingOptions['instance'] = instanceId(n),
): Promise<Known> {
  const keys: string[] = []
  const own: Primitives = {
    ...primitives,
    x25519: async () => (x25519 ? x25519Key(bytes(16 * n + 1)) : undefined),
    p256: async () => p256Key(bytes(16 * n + 2)),
    cipher: (key) => {
      keys.push(hex(key))
      return primitives.cipher(key)
    },
  }
  const sealing = await RoomSealing.begin(
    { mode, room: 'lobby', instance, protocol: 1, secret: SECRET, identity },
    { primitives: own, fillRandom: (random) => random.fill(16 * n + 3), clock: new FakeClock(), transmit: () => {} },
  )
  sealing.welcomed(peerId(n))
  return { sealing, keys }
}

const announced = ({ sealing }: Known): string[] => rows(fromBase64url(sealing.announcement) ?? bytes(0, 0))

describe('the room key', () => {
  it('of a secret', async () => {
    const key = await roomKey(primitives, SECRET, ROOM)
    expect(hex(await key.derive('proof'))).toMatchInlineSnapshot(
      `"d3984135bdbcdf3afd80f5c2fd4a966280691c3ff90a399629091779e8d36556"`,
    )
    expect(hex(await key.derive('salt'))).toMatchInlineSnapshot(
      `"cca1b7d1b18c272d4474537933a2e7a7d5342b96a92cce85fb3b155f3266f657"`,
    )
    expect(hex(await key.derive('history'))).toMatchInlineSnapshot(
      `"4e7751fed9c6452f56279c9bd93844e01ebfcd007fae1415b93c8f9eefeee7ed"`,
    )
    expect(hex(await key.derive('profile'))).toMatchInlineSnapshot(
      `"f4fb868c9f267d673b1289cffe75f2d85959e1957d88f226993651ab639bf635"`,
    )
  })

  it('of a password, whichever way its letters are composed', async () => {
    const stretched = hex(await stretch(primitives, 'caf\u00e9 noir', ROOM))
    expect(stretched).toMatchInlineSnapshot(`"758a1a013fb609a9e6ac08d14f4eb0a8a15366d181b9e74fddc96af80ebfae73"`)
    expect(hex(await stretch(primitives, 'cafe\u0301 noir', ROOM))).toBe(stretched)
  })
})

describe('an announcement', () => {
  it('in mode link, with P-256 alone', async () => {
    expect(announced(await known(1, 'link', false))).toMatchInlineSnapshot(`
      [
        "0101000100000000000000000000000000000000010426159392acf77519ec45",
        "a097311687c7c5df05c45eeee45d63731bcc8775f79c847a8680e5cd688043e0",
        "c7c6951d9956b0ae2d675d1e6061f845ca9cf5b238bf",
      ]
    `)
  })

  it('in mode secret, with both curves', async () => {
    expect(announced(await known(1, 'secret', true))).toMatchInlineSnapshot(`
      [
        "0102000101000000000000000000000000000000010426159392acf77519ec45",
        "a097311687c7c5df05c45eeee45d63731bcc8775f79c847a8680e5cd688043e0",
        "c7c6951d9956b0ae2d675d1e6061f845ca9cf5b238bf7b4e909bbe7ffe44c465",
        "a220037d608ee35897d31ef972f07f74892cb0f73f132b944bd60b9a29028725",
        "534c9fa8aa021b3941a4d94e1f52fb652160ff2e406b",
      ]
    `)
  })

  it('with an identity, whose signature is over the bytes before it', async () => {
    const signer = p256Signer(bytes(9))
    let data = bytes(0, 0)
    const sign = async (signed: Uint8Array): Promise<Uint8Array> => {
      data = signed
      return bytes(0xee, 64)
    }
    expect(announced(await known(1, 'secret', true, { ...signer, sign }))).toMatchInlineSnapshot(`
      [
        "0102000103000000000000000000000000000000010426159392acf77519ec45",
        "a097311687c7c5df05c45eeee45d63731bcc8775f79c847a8680e5cd688043e0",
        "c7c6951d9956b0ae2d675d1e6061f845ca9cf5b238bf7b4e909bbe7ffe44c465",
        "a220037d608ee35897d31ef972f07f74892cb0f73f13047135fa4fd93a09dce9",
        "8bbf681b4bfcf50e7c0d6354e62afb0bff2a3429617865ed4c1f02ddb9023ee5",
        "6a557e515d6a9dc66c11f220960de594334df588776724eeeeeeeeeeeeeeeeee",
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee67def605739516bce0",
        "08314c9dc82a5acc08bd2b057c014967c30ee38207bce2",
      ]
    `)
    expect(rows(data)).toMatchInlineSnapshot(`
      [
        "70617274796c696e652031206964656e7469747900056c6f6262790102000103",
        "000000000000000000000000000000010426159392acf77519ec45a097311687",
        "c7c5df05c45eeee45d63731bcc8775f79c847a8680e5cd688043e0c7c6951d99",
        "56b0ae2d675d1e6061f845ca9cf5b238bf7b4e909bbe7ffe44c465a220037d60",
        "8ee35897d31ef972f07f74892cb0f73f13047135fa4fd93a09dce98bbf681b4b",
        "fcf50e7c0d6354e62afb0bff2a3429617865ed4c1f02ddb9023ee56a557e515d",
        "6a9dc66c11f220960de594334df588776724",
      ]
    `)
  })
})

describe('the instance that follows from the keys', () => {
  const bound = async (x25519: boolean, identity?: SigningKey): Promise<string> => {
    const { sealing } = await known(1, 'link', x25519, identity, (instance) => instance)
    return hex(sealing.secrets.keys.instance)
  }

  it('of P-256 alone, of both curves, and with an identity', async () => {
    expect(await bound(false)).toMatchInlineSnapshot(`"097d48825ffa77751bc7cc2a6aaf9ede"`)
    expect(await bound(true)).toMatchInlineSnapshot(`"55ef55a69afbba2fa51d344c87f83638"`)
    expect(await bound(true, p256Signer(bytes(9)))).toMatchInlineSnapshot(`"fcc84bac59806ef64fcb5e056a23b230"`)
  })
})

describe('between two members', () => {
  const both = async (mode: SealedMode, x25519: boolean): Promise<readonly [Known, Known]> => {
    const [one, two] = [await known(1, mode, x25519), await known(2, mode, true)]
    await one.sealing.admit({ id: peerId(2), instance: instanceId(2), seal: two.sealing.announcement })
    await two.sealing.admit({ id: peerId(1), instance: instanceId(1), seal: one.sealing.announcement })
    return [one, two]
  }

  it('link keys: from the smaller instance to the larger, and back', async () => {
    const [link, twin] = await both('link', true)
    expect(link.keys).toMatchInlineSnapshot(`
      [
        "740493a50d6151f29afb9a341c3b2c191ef94416bcb6748477a318ad3504b47d",
        "ea1b66b1b3d6fe5a6aaad6232482a1d7deededd269a71437bed9ffac98bc1415",
      ]
    `)
    expect(twin.keys).toEqual(link.keys)
    expect((await both('secret', true))[0].keys).toMatchInlineSnapshot(`
      [
        "e1e9db995edecad96672caed3b12c71b5f7a456934e9d938c054fe0a28b33435",
        "f25dca7a1d9de9e56563d693035189fc505decc4a5f5993f12b111ec4157d2c0",
      ]
    `)
    expect((await both('secret', false))[0].keys).toMatchInlineSnapshot(`
      [
        "f491071d8816c174d1e2846ab8adbb3c7cec246097aa65a822910f5dabaf578a",
        "7d4ddadbddc47f6d15a9f8b2a41602aeafe18d453072a88964a415190e74d0ca",
      ]
    `)
  })

  it('records of every kind', async () => {
    const [one, two] = await both('secret', true)
    const to = [peerId(2)]
    const [key, group] = await one.sealing.seal(to, roomFrame(1, 2, 3))
    expect(hex(group?.payload ?? bytes(0))).toMatchInlineSnapshot(
      `"0200000001000000000000000000011c82f07d73fe683135950810edf90cf1aa26942d"`,
    )
    expect(hex(key?.payload ?? bytes(0))).toMatchInlineSnapshot(
      `"030000000000000002d43e7e6e71e5e9a901158cbcb74502fd616a81e16062d9e09638c4b4dd4fee11cbca575257f70a411aa0ded01a5c63e31d3b014a8c39"`,
    )
    const [link] = await one.sealing.seal(to, unicastFrame(1, 2, 3))
    expect(hex(link?.payload ?? bytes(0))).toMatchInlineSnapshot(
      `"010000000000000003227e86cb6db47937e6e38f389c47899970557d0f"`,
    )
    const [ack] = await one.sealing.seal(to, ackFrame(1, 2, 3))
    expect(hex(ack?.payload ?? bytes(0))).toMatchInlineSnapshot(
      `"0100000000000000041d3e851b371f9fd86f76c176459e6a2dd6e37d4e"`,
    )
    const { reply } = await two.sealing.open(peerId(1), key?.payload ?? bytes(0))
    expect(hex(reply ?? bytes(0))).toMatchInlineSnapshot(
      `"0400000000000000011a964cb7b1c503d54ecd2935d480aaf4aebd90a45c9d"`,
    )
  })

  it('the safety number', async () => {
    expect(await (await both('secret', true))[0].sealing.safetyNumber(peerId(2))).toMatchInlineSnapshot(
      `"34327 10619 05899 43434 78445 89114 12660 57101 20715 05044 49517 33742"`,
    )
  })
})

/** The same as of the second implementation: test/sealing/claims.test.ts. */
describe('a profile', () => {
  const instance = '00112233445566778899aabbccddeeff' as InstanceId
  const of = (mode: SealedMode, profile: Json = null): Promise<RoomSealing> =>
    RoomSealing.begin(
      { mode, room: 'lobby', instance, protocol: 1, secret: SECRET, profile },
      {
        primitives: { ...primitives, x25519: async () => undefined, p256: async () => p256Key(bytes(18)) },
        fillRandom: (random) => random.fill(19),
        clock: new FakeClock(),
        transmit: () => {},
      },
    )
  const digest = async (mode: SealedMode, profile: Json | undefined): Promise<string> =>
    hex(fromBase64url(await (await of(mode)).profileDigest(instance, profile)) ?? bytes(0, 0))

  it('digests, whichever way it is written', async () => {
    const profile = { name: 'Ada', age: 36 }
    const secret = '654bde9750e61272deb387ca6765199299e4dca7edee99601774fffc0ece1e8b'
    const link = 'eeebce6c542a3520348d6a8e6a86a46386f0a43640175e65caa1119888d22770'
    expect(await digest('secret', profile)).toBe(secret)
    expect(await digest('secret', { age: 36, name: 'Ada' })).toBe(secret)
    expect(await digest('link', profile)).toBe(link)
    const none = [await digest('link', undefined), await digest('link', null)]
    expect(none).toEqual([none[0], none[0]])
    expect(await digest('secret', null)).toMatchInlineSnapshot(
      `"e28416cc7a27f1c0cbc9f5c94d5080c1b25817448ca9f9cba7c073c34408baf3"`,
    )
    expect(none[0]).toMatchInlineSnapshot(`"fa1fbe7f657dc59b09b29c26a6788f94122498ba70874d9eb131144dfb75ccc1"`)
    const odd = { b: [1, { d: 1e21, c: -0 }], a: 'é\u2028"\n', '€': null, '\r': 'x', ö: true }
    expect(await digest('secret', odd)).toMatchInlineSnapshot(
      `"49d3445ca766728c9125611277dcf6c497ab98a738822d6c6eb67d5cf79e551b"`,
    )
    expect(await digest('link', odd)).toMatchInlineSnapshot(
      `"8a42e01d5fcf12c305840e76e149e128f62f77ab2be4811cd5e8ea632169e48d"`,
    )
  })

  it.each(['link', 'secret'] as const)('its digest in an announcement, mode %s', async (mode) => {
    const profile = { name: 'Ada', age: 36 }
    const announcement = fromBase64url((await of(mode, profile)).announcement) ?? bytes(0, 0)
    expect(announcement[4]).toBe(4)
    expect(hex(announcement.subarray(86, 118))).toBe(await digest(mode, profile))
  })

  it('sealed, in mode secret', async () => {
    const sealing = await of('secret')
    for (let counter = 1; counter < 5; counter += 1) expect(sealing.nextCounter()).toBe(counter)
    const shown = await sealProfile(sealing, { name: 'Ada' })
    expect(hex(fromBase64url(shown.sealed) ?? bytes(0, 0))).toBe(
      '060000000000000005670f70877cc3a25a271202733dba240396bdf2c5237b25369c89b22d073e',
    )
    expect(await openProfile(sealing, instance, shown)).toEqual({ name: 'Ada' })
  })

  it('sealed is of a kind of its own: a first byte says one thing, wherever it stands', async () => {
    const numbers = [...Object.values(RECORD), ...Object.values(BODY)]
    expect(numbers.sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
    const sealing = await of('secret')
    const { sealed } = await sealProfile(sealing, { name: 'Ada' })
    for (const kind of [0, 1, 2, 3, 4, 5, 7]) {
      const other = Uint8Array.of(kind, ...(fromBase64url(sealed) ?? bytes(0)).subarray(1))
      const shown = { sealed: base64url(other) }
      expect(await openProfile(sealing, instance, shown)).toBe(shown)
    }
  })
})

it('steps of a sender key, and its group keys', async () => {
  const owner = { instance: bytes(1, 16), roomHash: await primitives.sha256(Uint8Array.of(0, 5, ...ROOM)) }
  const keys: string[] = []
  const recording: Primitives = {
    ...primitives,
    cipher: (key) => {
      keys.push(hex(key))
      return primitives.cipher(key)
    },
  }
  const stepped = await nextStep(primitives, bytes(7))
  await groupCipher(recording, owner, { epoch: 1, step: 0 }, bytes(7))
  await groupCipher(recording, owner, { epoch: 65_537, step: 258 }, stepped)
  expect([hex(stepped), ...keys]).toMatchInlineSnapshot(`
    [
      "e143591960b15584ebed6f164f3be19e28c7830afbdeb40b9188473a31adbfb3",
      "452041921dbe011c2ee03f18dd1f3b44b47eb707b86ac3bdf3688b07a10b1cb8",
      "8a5248ce288c06e4352caa81aa5ff5de64d335033bbaf63df07d10afcee4de76",
    ]
  `)
})
