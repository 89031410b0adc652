import { describe, expect, it } from 'vitest'
import { base64url, fromBase64url } from '../../../web/client/sealing/octets.ts'
import type { Admitted, SealingOptions } from '../../../web/client/sealing/sealing.ts'
import { p256Signer } from '../../support/node-primitives.ts'
import { admit, instanceId, type SealedMember, SealedRoom, unicastFrame } from './sealed-room.ts'

const identity = p256Signer(Uint8Array.from({ length: 32 }, () => 5))
const bytesOf = (seal: string): Uint8Array => fromBase64url(seal) ?? new Uint8Array(0)

/** Alice is shown Bob with another announcement than his. */
async function shown(seal: string | undefined, options: Partial<SealingOptions> = {}): Promise<Admitted> {
  const room = new SealedRoom()
  const alice = await room.begin(options)
  const bob = await room.begin(options)
  return alice.sealing.admit({ id: bob.id, instance: bob.instance, seal })
}

async function pair(
  aliceOptions: Partial<SealingOptions>,
  bobOptions: Partial<SealingOptions> = aliceOptions,
): Promise<{ room: SealedRoom; alice: SealedMember; bob: SealedMember; admitted: Admitted }> {
  const room = new SealedRoom()
  const alice = await room.begin(aliceOptions)
  const bob = await room.begin(bobOptions)
  return { room, alice, bob, admitted: await admit(alice, bob) }
}

const modes = [
  ['link', { mode: 'link' }],
  ['secret', { mode: 'secret' }],
  ['link, with an identity', { mode: 'link', identity }],
  ['secret, with an identity', { mode: 'secret', identity }],
] as const

describe('an announcement', () => {
  it.each(modes)('is admitted as it is: mode %s', async (_what, options) => {
    const { admitted } = await pair(options)
    expect(admitted).toEqual({ identity: 'identity' in options ? expect.stringMatching(/^[0-9a-f]{64}$/) : undefined })
  })

  it('has the size of its fields', async () => {
    const sizes = await Promise.all(
      modes.map(async ([, options]) => bytesOf((await pair(options)).alice.sealing.announcement).length),
    )
    expect(sizes).toEqual([118, 150, 247, 279])
  })

  it.each(modes)('with any byte altered is refused, or leads to other keys: mode %s', async (_what, options) => {
    const { room, alice, bob } = await pair(options)
    const good = bytesOf(bob.sealing.announcement)
    await admit(bob, alice)
    const [sealed] = await room.sealed(bob, [alice], unicastFrame(1))
    const codes = new Set<string>()
    for (let at = 0; at < good.length; at += 1) {
      const altered = good.slice()
      altered[at] = (altered[at] ?? 0) ^ 1
      // A fresh look each time: she has forgotten him, of whom nothing has opened.
      alice.sealing.left(bob.id)
      const admitted = await alice.sealing.admit({ id: bob.id, instance: bob.instance, seal: base64url(altered) })
      if ('refused' in admitted) codes.add(admitted.refused)
      else expect((await alice.sealing.open(bob.id, sealed?.payload ?? good)).refused).toBe('forged')
    }
    const expected = new Set(['seal-mismatch'])
    if (options.mode === 'secret') expected.add('wrong-secret')
    else if ('identity' in options) expected.add('identity-invalid')
    expect(codes).toEqual(expected)
  })

  it.each([
    ['missing', () => undefined],
    ['empty', () => ''],
    ['no base64url', (seal: string) => `${seal.slice(0, -1)}=`],
    ['cut off', (seal: string) => base64url(bytesOf(seal).subarray(0, -1))],
    ['followed by something', (seal: string) => base64url(Uint8Array.of(...bytesOf(seal), 0))],
    ['too long', (seal: string) => seal.repeat(100)],
  ])('that is %s is none', async (_what, change) => {
    const { alice, bob } = await pair({})
    alice.sealing.left(bob.id)
    const seal = change(bob.sealing.announcement)
    expect(await alice.sealing.admit({ id: bob.id, instance: bob.instance, seal })).toEqual({
      refused: 'seal-mismatch',
    })
    expect(await shown(undefined)).toEqual({ refused: 'seal-mismatch' })
  })

  it('of another mode is refused by both', async () => {
    const { alice, bob, admitted } = await pair({ mode: 'link' }, { mode: 'secret' })
    expect(admitted).toEqual({ refused: 'seal-mismatch' })
    expect(await admit(bob, alice)).toEqual({ refused: 'seal-mismatch' })
  })

  it('of another secret, or of another room with the same secret, is refused', async () => {
    expect((await pair({}, { secret: new Uint8Array(16) })).admitted).toEqual({ refused: 'wrong-secret' })
    expect((await pair({}, { room: 'lobby2' })).admitted).toEqual({ refused: 'wrong-secret' })
    expect((await pair({}, { secret: undefined, password: 'a' })).admitted).toEqual({ refused: 'wrong-secret' })
  })

  it('with the identity of another room is refused', async () => {
    const { admitted } = await pair({ mode: 'link', identity }, { mode: 'link', identity, room: 'lobby2' })
    expect(admitted).toEqual({ refused: 'identity-invalid' })
  })

  it('that is shown with another instance, or with our own, is refused', async () => {
    const { alice, bob } = await pair({})
    const seal = bob.sealing.announcement
    const as = instanceId(99)
    alice.sealing.left(bob.id)
    expect(await alice.sealing.admit({ id: bob.id, instance: as, seal })).toEqual({ refused: 'seal-mismatch' })
    const own = { id: bob.id, instance: alice.instance, seal: alice.sealing.announcement }
    expect(await alice.sealing.admit(own)).toEqual({ refused: 'seal-mismatch' })
  })

  it('another one of the same instance is refused, in its place, under another id, and later', async () => {
    const { room, alice, bob } = await pair({ mode: 'link' })
    await admit(bob, alice)
    await room.send(bob, [alice], unicastFrame(1))
    const impostor = await room.begin({ mode: 'link', instance: bob.instance }, bob.id)
    expect(await admit(alice, impostor)).toEqual({ refused: 'seal-changed' })
    expect(await room.send(bob, [alice], unicastFrame(2))).toEqual([[unicastFrame(2)]])
    const beside = await room.begin({ mode: 'link', instance: bob.instance })
    expect(await admit(alice, beside)).toEqual({ refused: 'seal-changed' })
    alice.sealing.left(bob.id)
    expect(await admit(alice, impostor)).toEqual({ refused: 'seal-changed' })
    expect(await admit(alice, bob)).toEqual({ identity: undefined })
  })

  it('two of one instance at the same moment: only one is taken', async () => {
    const { room, alice } = await pair({ mode: 'link' })
    const [one, other] = await Promise.all([
      room.begin({ mode: 'link', instance: instanceId(50) }),
      room.begin({ mode: 'link', instance: instanceId(50) }),
    ])
    const results = await Promise.all([admit(alice, one), admit(alice, other)])
    expect(results.filter((result) => 'refused' in result)).toHaveLength(1)
  })

  it('two of one instance at the same moment: the one that was shown first, however long it takes', async () => {
    const room = new SealedRoom()
    const [first, second] = [await room.begin(), await room.begin({ instance: instanceId(1) })]
    // What is done first is ready last.
    const due: (() => void)[] = []
    let slow = false
    const alice = await room.begin({}, undefined, (primitives) => ({
      ...primitives,
      hmac: async (...args) => {
        if (slow) await new Promise<void>((resolve) => due.unshift(resolve))
        return primitives.hmac(...args)
      },
    }))
    slow = true
    const admitting = [admit(alice, first), admit(alice, second)]
    for (let turn = 0; turn < 5; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      due.shift()?.()
    }
    expect(await Promise.all(admitting)).toEqual([{ identity: undefined }, { refused: 'seal-changed' }])
  })

  it('without X25519 on one side, they agree on P-256', async () => {
    const room = new SealedRoom()
    const alice = await room.join()
    const bob = await room.begin({}, undefined, (primitives) => ({ ...primitives, x25519: async () => undefined }))
    await admit(alice, bob)
    await admit(bob, alice)
    expect(bytesOf(bob.sealing.announcement)).toHaveLength(118)
    expect(await room.send(alice, [bob], unicastFrame(1))).toEqual([[unicastFrame(1)]])
    expect(await room.send(bob, [alice], unicastFrame(2))).toEqual([[unicastFrame(2)]])
  })

  it('with X25519 taken out on the way gives no common key in mode link, and no admission with a secret', async () => {
    for (const mode of ['link', 'secret'] as const) {
      const { room, alice, bob } = await pair({ mode })
      await admit(bob, alice)
      alice.sealing.left(bob.id)
      const bytes = bytesOf(bob.sealing.announcement)
      const stripped = Uint8Array.of(...bytes.subarray(0, 4), 0, ...bytes.subarray(5, 86), ...bytes.subarray(118))
      const admitted = await alice.sealing.admit({ id: bob.id, instance: bob.instance, seal: base64url(stripped) })
      expect(admitted).toEqual(mode === 'secret' ? { refused: 'wrong-secret' } : { identity: undefined })
      if (mode === 'secret') continue
      for (const [from, to] of [[bob, alice] as const, [alice, bob] as const]) {
        const [record] = await room.sealed(from, [to], unicastFrame(1))
        expect(await to.sealing.open(from.id, record?.payload ?? bytes)).toEqual({ frames: [], refused: 'forged' })
      }
    }
  })

  it('all zero as X25519 is refused', async () => {
    const { alice, bob } = await pair({ mode: 'link' })
    alice.sealing.left(bob.id)
    const bytes = bytesOf(bob.sealing.announcement).fill(0, 86, 118)
    const seen = { id: bob.id, instance: bob.instance, seal: base64url(bytes) }
    expect(await alice.sealing.admit(seen)).toEqual({ refused: 'seal-mismatch' })
  })

  it('is remembered of who has spoken, however many members a server makes up', async () => {
    const { room, alice, bob } = await pair({ mode: 'link' })
    await admit(bob, alice)
    await room.send(bob, [alice], unicastFrame(1))
    const bytes = bytesOf(bob.sealing.announcement)
    for (let number = 100; number < 1_200; number += 1) {
      const instance = instanceId(number)
      bytes.set(Buffer.from(instance, 'hex'), 5)
      expect(await alice.sealing.admit({ id: bob.id, instance, seal: base64url(bytes) })).toEqual({})
    }
    const impostor = await room.begin({ mode: 'link', instance: bob.instance }, bob.id)
    expect(await admit(alice, impostor)).toEqual({ refused: 'seal-changed' })
  })
})

describe('the safety number', () => {
  it('is the same for both, of identities when both have one, else of this visit', async () => {
    const numbers: (string | undefined)[] = []
    for (const [one, other] of [
      [{ identity }, { identity: p256Signer(new Uint8Array(32).fill(6)) }],
      [{ identity }, {}],
      [{}, {}],
    ]) {
      const { alice, bob } = await pair(one ?? {}, other ?? {})
      await admit(bob, alice)
      const number = await alice.sealing.safetyNumber(bob.id)
      expect(number).toMatch(/^(\d{5} ){11}\d{5}$/)
      expect(await bob.sealing.safetyNumber(alice.id)).toBe(number)
      numbers.push(number)
    }
    expect(new Set(numbers).size).toBe(3)
  })

  it('of identities outlives a visit', async () => {
    const options = [{ identity }, { identity: p256Signer(new Uint8Array(32).fill(6)) }] as const
    const number = async (room: string): Promise<string | undefined> => {
      const { alice, bob } = await pair({ ...options[0], room }, { ...options[1], room })
      return alice.sealing.safetyNumber(bob.id)
    }
    expect(await number('lobby')).toBe(await number('elsewhere'))
  })

  it('differs when the server sits between', async () => {
    const room = new SealedRoom()
    const [alice, bob] = [await room.begin({ mode: 'link' }), await room.begin({ mode: 'link' })]
    const toAlice = await room.begin({ mode: 'link', instance: bob.instance }, bob.id)
    const toBob = await room.begin({ mode: 'link', instance: alice.instance }, alice.id)
    await Promise.all([admit(alice, toAlice), admit(bob, toBob)])
    expect(await alice.sealing.safetyNumber(bob.id)).not.toBe(await bob.sealing.safetyNumber(alice.id))
  })
})
