import { describe, expect, it } from 'vitest'
import { cheapPrimitives } from './cheap-primitives.ts'
import { runSchedule } from './schedule.ts'
import { SeededRandom } from './seeded-random.ts'
import { shapeOf } from './shape.ts'
import { WatchedNonces } from './watched-nonces.ts'

const cheap = cheapPrimitives(new SeededRandom(1).fill)
const bytes = (length: number, start = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (start + index) % 256)
const changedAt = (index: number, of: Uint8Array): Uint8Array =>
  of.map((byte, at) => (at === index ? byte ^ (1 << (index % 8)) : byte))

describe('what stands in for cryptography', () => {
  it('opens what was sealed under the same key, nonce and head, and nothing else', async () => {
    const [key, nonce, head] = [bytes(32), bytes(12, 50), bytes(9, 100)]
    const cipher = await cheap.cipher(key)
    for (const length of [0, 1, 7, 300]) {
      const plain = bytes(length, 7)
      const sealed = await cipher.seal(nonce, head, plain)
      expect(sealed).toHaveLength(length + 16)
      expect(await (await cheap.cipher(key)).open(nonce, head, sealed)).toEqual(plain)
      if (length > 4) expect(sealed.subarray(0, length)).not.toEqual(plain)
      for (let at = 0; at < sealed.length; at += 1) {
        expect(await cipher.open(nonce, head, changedAt(at, sealed))).toBeUndefined()
      }
      for (let at = 0; at < 12; at += 1) expect(await cipher.open(changedAt(at, nonce), head, sealed)).toBeUndefined()
      for (let at = 0; at < 9; at += 1) expect(await cipher.open(nonce, changedAt(at, head), sealed)).toBeUndefined()
      for (let at = 0; at < 32; at += 1) {
        const other = await cheap.cipher(changedAt(at, key))
        expect(await other.open(nonce, head, sealed)).toBeUndefined()
      }
      for (const part of [sealed.subarray(1), sealed.subarray(0, -1), sealed.subarray(0, 3)]) {
        expect(await cipher.open(nonce, head, part)).toBeUndefined()
      }
    }
  })

  it.each(['x25519', 'p256'] as const)('agrees as %s does, and refuses what is no public key', async (curve) => {
    const [one, other, third] = await Promise.all([cheap[curve](), cheap[curve](), cheap[curve]()])
    if (one === undefined || other === undefined || third === undefined) throw new Error(`no ${curve}`)
    expect(one.publicKey).toHaveLength(curve === 'p256' ? 65 : 32)
    const shared = await one.agree(other.publicKey)
    expect(shared).toHaveLength(32)
    expect(await other.agree(one.publicKey)).toEqual(shared)
    expect(await third.agree(one.publicKey)).not.toEqual(shared)
    for (let at = 0; at < one.publicKey.length; at += 1) {
      await expect(other.agree(changedAt(at, one.publicKey))).rejects.toThrow(RangeError)
    }
    await expect(other.agree(one.publicKey.subarray(1))).rejects.toThrow(RangeError)
  })

  it('derives something else from anything else', async () => {
    const parts = [bytes(32), bytes(32, 1), bytes(20, 2)] as const
    const all = new Set<string>()
    const add = (derived: Uint8Array): unknown => all.add(Buffer.from(derived).toString('hex'))
    for (const [one, two, three] of [parts, [parts[1], parts[0], parts[2]] as const]) {
      add(await cheap.hkdf(one, two, three, 64))
      add(await cheap.hmac(one, two))
      add(await cheap.sha256(one))
    }
    expect(all.size).toBe(6)
    expect(await cheap.hkdf(...parts, 64)).toHaveLength(64)
  })
})

describe('nonces of a simulation', () => {
  it('are noticed when they are used again under their key, by whomever', async () => {
    const nonces = new WatchedNonces()
    const [one, other] = [nonces.watch(cheap), nonces.watch(cheap)]
    const [first, same, another] = [
      await one.cipher(bytes(32)),
      await other.cipher(bytes(32)),
      await one.cipher(bytes(32, 1)),
    ]
    await first.seal(bytes(12), bytes(9), bytes(1))
    await first.seal(bytes(12, 1), bytes(9), bytes(1))
    await another.seal(bytes(12), bytes(9), bytes(1))
    expect(nonces.repeated).toBe(0)
    await same.seal(bytes(12), bytes(9), bytes(1))
    expect(nonces.repeated).toBe(1)
  })
})

describe('a seed', () => {
  const traceOf = async (seed: number, realCiphers: boolean): Promise<string[]> => {
    const lines: string[] = []
    const trace = (line: string): void => void lines.push(line)
    const result = await runSchedule({ seed, ...shapeOf(seed), realCiphers, trace })
    return [...lines, JSON.stringify(result)]
  }

  it.each([1, 2, 3, 4])(
    '%i has the same trace whenever it is run, over what stands in or over the real thing',
    async (seed) => {
      const first = await traceOf(seed, false)
      expect(first.length).toBeGreaterThan(10)
      expect(await traceOf(seed, false)).toEqual(first)
      expect(await traceOf(seed, true)).toEqual(first)
    },
  )

  it('is over the real thing in one of twenty', () => {
    const real = Array.from({ length: 2_000 }, (_, seed) => shapeOf(seed).realCiphers).filter(Boolean)
    expect(real.length).toBeGreaterThan(70)
    expect(real.length).toBeLessThan(130)
  })
})
