import { describe, expect, it } from 'vitest'
import {
  CONTENT,
  type Content,
  encodeText,
  type Greeting,
  type InstanceId,
  type PeerId,
} from '../../../signaling/protocol/index.ts'
import { SignedChannels, type SignedDeps, signedBytes } from '../../../web/client/channel/signed.ts'
import type { Arrived } from '../../../web/client/delivery/channel-order.ts'
import { LinkReceiver } from '../../../web/client/delivery/link-receiver.ts'
import { OutgoingMessage } from '../../../web/client/delivery/outgoing-message.ts'
import { ReceiveBudget } from '../../../web/client/delivery/receive-budget.ts'
import { base64url } from '../../../web/client/sealing/octets.ts'
import type { SigningKey } from '../../../web/client/sealing/primitives.ts'
import { webCrypto } from '../../../web/client/sealing/web-crypto.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { nodePrimitives, p256Signer } from '../../support/node-primitives.ts'

const ADA = '00000000000000aa' as PeerId
const BOB = '00000000000000bb' as PeerId
const ADAS = '000000000000000000000000000000aa' as InstanceId
const BOBS = '000000000000000000000000000000bb' as InstanceId
const CHAT = 's:chat'

const secret = (last: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, at) => (at === 31 ? last : 1))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

interface Sent {
  readonly ordinal: number
  readonly sent: number
  readonly body: Uint8Array
}

/** Bob's end: what it was told, and what it hands on. */
class End {
  readonly told: string[] = []
  readonly drained: string[] = []
  readonly signed: SignedChannels
  readonly instances = new Map<PeerId, InstanceId>([
    [ADA, ADAS],
    [BOB, BOBS],
  ])

  constructor(change: Partial<SignedDeps> = {}) {
    this.signed = new SignedChannels({
      primitives: nodePrimitives(new SeededRandom(1).fill),
      room: 'lobby',
      instance: BOBS,
      flush: () => {},
      drain: (name) => this.drained.push(name),
      giveUp: () => this.told.push('given up'),
      refuse: (_peer, code) => this.told.push(code),
      withheld: () => this.told.push('withheld'),
      instanceOf: (peer) => this.instances.get(peer),
      peers: () => this.instances.keys(),
      ...change,
    })
  }

  /** As its channel offers it: again until it is not to wait any more. */
  async take(
    { ordinal, sent, body }: Sent,
    channel = CHAT,
    from = ADA,
    content: Content = CONTENT.binary,
    isHeard = true,
  ) {
    const arrived: Arrived = { channel, channelId: 1, audience: 'room', ordinal, sent, number: 0, content, body }
    let checked = this.signed.check(from, arrived)
    if (checked === false) {
      await settled()
      checked = this.signed.check(from, arrived)
    }
    if (typeof checked !== 'boolean') checked.hand(() => isHeard)
    return typeof checked === 'boolean' ? checked : `${checked.content} ${Buffer.from(checked.body)}`
  }
}

/** Ada's: makes what bob is to take. */
class Signer {
  readonly key: SigningKey = p256Signer(secret(2))
  #next = 0

  get text(): string {
    return base64url(this.key.publicKey)
  }

  async message(
    text: string,
    { room = 'lobby', channel = CHAT, instance = 0xaa, ordinal = this.#next, sent = 9 } = {},
  ): Promise<Sent> {
    this.#next = ordinal + 1
    const payload = Uint8Array.of(CONTENT.text, ...encodeText(text))
    const by = new Uint8Array(16).fill(instance, 15)
    const signature = await this.key.sign(signedBytes(room, by, channel, { ordinal, sent }, payload))
    return { ordinal, sent, body: Uint8Array.of(...signature, ...payload) }
  }
}

async function two(): Promise<{ ada: Signer; bob: End }> {
  const ada = new Signer()
  const bob = new End()
  bob.signed.told(ADA, ada.text)
  return { ada, bob }
}

it('signs these bytes', () => {
  const body = Uint8Array.of(CONTENT.text, ...encodeText('hi'))
  const instance = Uint8Array.from({ length: 16 }, (_, at) => at)
  expect(hex(signedBytes('lobby', instance, CHAT, { ordinal: 0x01020304, sent: 0x0a0b0c }, body))).toBe(
    [
      hex(encodeText('partyline 1 message')),
      '0005', // length of the room's name
      hex(encodeText('lobby')),
      '000102030405060708090a0b0c0d0e0f', // instance
      '0006', // length of the channel's name
      hex(encodeText('s:chat')),
      '01020304', // ordinal
      '0a0b0c', // sent
      '01', // content: text
      '6869', // "hi"
    ].join(''),
  )
})

it('checks a signature that another library has made', async () => {
  // Private key 32 × 01; OpenSSL's, over the bytes above.
  const { verify } = webCrypto() ?? {}
  const key = p256Signer(new Uint8Array(32).fill(1))
  expect(hex(key.publicKey)).toMatchInlineSnapshot(
    `"046ff03b949241ce1dadd43519e6960e0a85b41a69a05c328103aa2bce1594ca163c4f753a55bf01dc53f6c0b0c7eee78b40c6ff7d25a96e2282b989cef71c144a"`,
  )
  const body = Uint8Array.of(CONTENT.text, ...encodeText('hi'))
  const instance = Uint8Array.from({ length: 16 }, (_, at) => at)
  const bytes = signedBytes('lobby', instance, CHAT, { ordinal: 0x01020304, sent: 0x0a0b0c }, body)
  expect(await verify?.(key.publicKey, await key.sign(bytes), bytes)).toBe(true)
})

describe('a message to the room on a signed channel', () => {
  it('is handed on when it is in its place and its signature is good', async () => {
    const { ada, bob } = await two()
    expect(await bob.take(await ada.message('one'))).toBe('1 one')
    expect(await bob.take(await ada.message('two'))).toBe('1 two')
    expect(bob.told).toEqual([])
  })

  it('waits for its key', async () => {
    const ada = new Signer()
    const bob = new End()
    const message = await ada.message('one')
    expect(await bob.take(message)).toBe(false)
    bob.signed.told(ADA, ada.text)
    expect(bob.drained).toEqual([CHAT])
    expect(await bob.take(message)).toBe('1 one')
  })

  it('may be offered again until the application takes it', async () => {
    const { ada, bob } = await two()
    const message = await ada.message('one')
    expect(await bob.take(message, CHAT, ADA, CONTENT.binary, false)).toBe('1 one')
    expect(await bob.take(message)).toBe('1 one')
    expect(bob.told).toEqual([])
    expect(await bob.take(message)).toBe(true)
  })

  it.each([
    ['of another', { instance: 0xcc }],
    ['of another room', { room: 'attic' }],
    ['of another channel', { channel: 's:other' }],
    ['of the same name without a signature', { channel: 'm:chat' }],
  ])('is refused when it is %s', async (_what, made) => {
    const { ada, bob } = await two()
    expect(await bob.take(await ada.message('one', made))).toBe(true)
    expect(bob.told).toEqual(['forged'])
  })

  it('is refused in another place, at another time, as other content, or with any byte altered', async () => {
    const { ada, bob } = await two()
    const message = await ada.message('one')
    expect(await bob.take({ ...message, body: message.body.slice(), ordinal: 1 })).toBe(true)
    expect(await bob.take({ ...message, body: message.body.slice(), sent: 10 })).toBe(true)
    for (let at = 0; at < message.body.length; at += 1) {
      const body = message.body.slice()
      body[at] = (body[at] ?? 0) ^ 1
      expect(await bob.take({ ...message, body })).toBe(true)
    }
    for (const length of [0, 1, 64]) {
      expect(await bob.take({ ...message, body: message.body.slice(0, length) })).toBe(true)
    }
    expect(await bob.take({ ...message, body: message.body.slice() }, CHAT, ADA, CONTENT.text)).toBe(true)
    expect(new Set(bob.told)).toEqual(new Set(['forged']))
    expect(await bob.take(message)).toBe('1 one')
  })

  it('is refused when it comes again, whoever made it come again', async () => {
    const { ada, bob } = await two()
    const [one, two_] = [await ada.message('one'), await ada.message('two')]
    for (const message of [one, two_]) await bob.take(message)
    expect(await bob.take({ ...one, body: one.body.slice() })).toBe(true)
    expect(bob.told).toEqual(['replayed'])
  })

  it('tells of what was kept back before it, and refuses that afterwards', async () => {
    const { ada, bob } = await two()
    const [one, two_, three] = [await ada.message('one'), await ada.message('two'), await ada.message('three')]
    expect(await bob.take(one)).toBe('1 one')
    expect(await bob.take(three)).toBe('1 three')
    expect(await bob.take(two_)).toBe(true)
    expect(bob.told).toEqual(['withheld', 'replayed'])
  })

  it('starts where a greeting says, and not before what was handed on', async () => {
    const { ada, bob } = await two()
    bob.signed.greeted(ADA, [{ channel: 3, name: CHAT, ordinal: 7 }])
    expect(await bob.take(await ada.message('seven', { ordinal: 7 }))).toBe('1 seven')
    bob.signed.greeted(ADA, [{ channel: 3, name: CHAT, ordinal: 5 }])
    expect(await bob.take(await ada.message('five', { ordinal: 5 }))).toBe(true)
    expect(bob.told).toEqual(['replayed'])
  })

  it('counts on when its member comes back under another id', async () => {
    const { ada, bob } = await two()
    const one = await ada.message('one')
    await bob.take(one)
    bob.instances.delete(ADA)
    const again = '00000000000000ab' as PeerId
    bob.instances.set(again, ADAS)
    expect(await bob.take({ ...one, body: one.body.slice() }, CHAT, again)).toBe(true)
    expect(await bob.take(await ada.message('two'), CHAT, again)).toBe('1 two')
    expect(bob.told).toEqual(['replayed'])
  })

  it('is handed on once when it reached an old beginning of the link unread, and comes again in the new one', async () => {
    const { ada, bob } = await two()
    const heard: string[] = []
    let listens = false
    // As the room's channels do: what nobody listens to waits.
    const message = (arrived: Arrived): boolean => {
      const checked = bob.signed.check(ADA, arrived)
      if (typeof checked === 'boolean') return checked
      return checked.hand(() => {
        if (listens) heard.push(`${Buffer.from(checked.body)}`)
        return listens
      })
    }
    const greeting = (generation: number): Greeting => ({
      generation,
      known: 0,
      afterCut: false,
      instance: ADAS,
      delayMs: 20,
      uplinkRttMs: 0,
      starts: [100 * generation, 0, 0, 0],
      channels: [{ channel: 1, ordinal: 0, name: CHAT }],
    })
    const budget = new ReceiveBudget()
    const receive = async (receiver: LinkReceiver, seq: number, { ordinal, sent, body }: Sent): Promise<void> => {
      const start = { content: CONTENT.binary, sent, number: 0, totalBytes: body.length }
      const whole = { stream: 0, channel: 1, opening: undefined, index: 0, last: true } as const
      receiver.take({ ...whole, seq, ordinal, start, body: body.slice() }, 0)
      await settled()
      receiver.drain(CHAT)
    }
    const [one, next] = [await ada.message('one'), await ada.message('two')]
    const old = new LinkReceiver(greeting(1), budget, { message })
    await receive(old, 100, one)
    const again = new LinkReceiver(greeting(2), budget, { message }, old.close())
    bob.signed.greeted(ADA, greeting(2).channels)
    await receive(again, 200, one)
    listens = true
    again.drain(CHAT)
    await receive(again, 201, next)
    again.drain(CHAT)
    expect(heard).toEqual(['one', 'two'])
    expect(bob.told).toEqual([])
    const third = new LinkReceiver(greeting(3), budget, { message }, again.close())
    await receive(third, 300, next)
    expect(heard).toEqual(['one', 'two'])
  })

  it('that waits under two ids of its member is handed on once', async () => {
    const { ada, bob } = await two()
    const again = '00000000000000ab' as PeerId
    bob.instances.set(again, ADAS)
    const one = await ada.message('one')
    const copy = { ...one, body: one.body.slice() }
    expect(await bob.take(one, CHAT, ADA, CONTENT.binary, false)).toBe('1 one')
    expect(await bob.take(copy, CHAT, again, CONTENT.binary, false)).toBe('1 one')
    expect(await bob.take(one)).toBe('1 one')
    expect(await bob.take(copy, CHAT, again)).toBe(true)
    expect(bob.told).toEqual(['replayed'])
  })

  it('is not handed on again from within, while its application takes it', async () => {
    const { ada, bob } = await two()
    const one = await ada.message('one')
    const arrived = (body: Uint8Array): Arrived => ({
      ...one,
      channel: CHAT,
      channelId: 1,
      audience: 'room',
      number: 0,
      content: CONTENT.binary,
      body,
    })
    const [first, copy] = [arrived(one.body), arrived(one.body.slice())]
    for (const each of [first, copy]) expect(bob.signed.check(ADA, each)).toBe(false)
    await settled()
    const checked = bob.signed.check(ADA, first)
    if (typeof checked === 'boolean') throw new Error('it is good')
    let within: unknown
    checked.hand(() => {
      within = bob.signed.check(ADA, copy)
      return true
    })
    expect(within).toBe(true)
    expect(bob.told).toEqual(['replayed'])
  })

  it('beyond its place tells of what was kept back once, however often it is offered', async () => {
    const { ada, bob } = await two()
    await ada.message('one')
    const late = await ada.message('two')
    for (const message of [late, late, { ...late, body: late.body.slice() }]) {
      expect(await bob.take(message, CHAT, ADA, CONTENT.binary, false)).toBe('1 two')
    }
    expect(bob.told).toEqual(['withheld'])
    expect(await bob.take(late)).toBe('1 two')
    expect(await bob.take(await ada.message('three'))).toBe('1 three')
    expect(bob.told).toEqual(['withheld'])
  })

  it('is under the first key that its member told', async () => {
    const { ada, bob } = await two()
    bob.signed.told(ADA, ada.text)
    expect(bob.told).toEqual([])
    bob.signed.told(ADA, base64url(p256Signer(secret(3)).publicKey))
    expect(bob.told).toEqual(['seal-changed'])
    expect(await bob.take(await ada.message('one'))).toBe('1 one')
  })
})

describe('a message of ours', () => {
  const outgoing = (body: Uint8Array): OutgoingMessage => {
    const message = new OutgoingMessage('id', 1, 0, 0, 'small', 9, CONTENT.binary, body)
    message.late = true
    return message
  }

  it('goes when it is signed, and can be checked', async () => {
    let flushed = 0
    const ada = new End({ instance: ADAS, flush: () => (flushed += 1) })
    const bob = new End()
    const message = outgoing(Uint8Array.of(...new Uint8Array(64), CONTENT.text, ...encodeText('hi')))
    bob.signed.told(ADA, await ada.signed.key())
    await ada.signed.sign(CHAT, message)
    expect([message.late, flushed]).toEqual([false, 1])
    expect(await bob.take({ ordinal: 0, sent: 9, body: message.body })).toBe('1 hi')
  })

  it('is given up where no signature can be had', async () => {
    const signer = (): never => {
      throw new Error('no')
    }
    const ada = new End({ instance: ADAS, primitives: { ...nodePrimitives(new SeededRandom(1).fill), signer } })
    await ada.signed.sign(CHAT, outgoing(new Uint8Array(70)))
    expect(ada.told).toEqual(['given up'])
  })
})
