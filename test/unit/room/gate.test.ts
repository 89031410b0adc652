import { describe, expect, it } from 'vitest'
import type { Address, InstanceId, MemberInfo } from '../../../signaling/protocol/index.ts'
import { createIdentity } from '../../../web/client/identity.ts'
import { webCrypto } from '../../../web/client/sealing/web-crypto.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { nodePrimitives } from '../../support/node-primitives.ts'
import { instanceId, latestFrame, peerId, roomFrame, unicastFrame } from '../sealing/sealed-room.ts'
import { Gates, heard, list, sealed } from './gates.ts'

describe('the gate of an open room', () => {
  it('lets in at once whoever announces nothing, and passes frames as they are', async () => {
    const gates = new Gates()
    const { gate, told } = await gates.open({ sealing: 'open', secret: undefined })
    const member: MemberInfo = { id: peerId(7), instance: instanceId(7), profile: null, presence: 'here' }
    const stranger: MemberInfo = { ...member, id: peerId(8), instance: instanceId(8), seal: 'AAAA' }
    expect(gate.welcomed(peerId(1), [member, stranger])).not.toBeInstanceOf(Promise)
    expect([gate.admits(member), gate.admits(stranger)]).toEqual([true, false])
    expect(told).toEqual([`${stranger.id} seal-mismatch`])
    const frame = roomFrame(1)
    expect(gate.open(member.id, frame)).toEqual([frame])
    expect(gate.open(stranger.id, frame)).toEqual([])
    expect(gate.open(peerId(9), frame)).toEqual([])
    expect(await gate.safetyNumber(member.id)).toBeUndefined()
    expect([...gate.strangers]).toEqual([stranger.id])
  })

  it('has no lock', async () => {
    const { gate } = await new Gates().open({ sealing: 'open', secret: undefined })
    await expect(gate.lock()).rejects.toMatchObject({ code: 'insecure-context', fatal: true })
  })
})

describe('the lock', () => {
  it('cannot be had where there is no cryptography: the room ends, and says why', async () => {
    const opening = new Gates().open({}, { primitives: undefined })
    await expect(opening).rejects.toMatchObject({ code: 'insecure-context', fatal: true })
  })

  it('cannot be had where keys cannot be made', async () => {
    const primitives = nodePrimitives(new SeededRandom(1).fill)
    const failing = { ...primitives, p256: () => Promise.reject(new Error('no keys today')) }
    const opening = new Gates().open({}, { primitives: failing })
    await expect(opening).rejects.toMatchObject({ code: 'unsupported', fatal: true, message: /no keys today/ })
  })

  it('takes an identity, which the others see', async () => {
    const gates = new Gates()
    const identity = await createIdentity()
    const ada = await gates.open({ identity }, { primitives: webCrypto() })
    const bob = await gates.open()
    await list(bob, [ada])
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', identity.publicKey))
    const hash = Buffer.from(await crypto.subtle.digest('SHA-256', raw)).toString('hex')
    expect(bob.gate.identity(ada.info.id)).toBe(hash)
    expect(bob.gate.identity(peerId(99))).toBeUndefined()
    await list(ada, [bob])
    const number = await bob.gate.safetyNumber(ada.info.id)
    expect(number).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(await ada.gate.safetyNumber(bob.info.id)).toBe(number)
  })

  it('refuses what is no identity', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])
    const opening = new Gates().open({ identity: pair }, { primitives: webCrypto() })
    await expect(opening).rejects.toMatchObject({ code: 'unsupported', fatal: true })
  })
})

describe('a frame', () => {
  it('reaches those that its address means, and are in', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    const carol = await gates.enter([ada, bob])
    const [b, c] = [bob.info.id, carol.info.id]
    const kinds: readonly Address[] = [
      { kind: 'all' },
      { kind: 'except', ids: [b] },
      { kind: 'several', ids: [b, c] },
      { kind: 'one', id: c },
      { kind: 'several', ids: [c, peerId(77)] },
    ]
    for (const address of kinds) {
      const records = await sealed(ada, address, unicastFrame(1))
      const receivers = records.map(({ to }) => to)
      const meant = address.kind === 'all' || (address.kind === 'several' && address.ids.includes(b)) ? [b, c] : [c]
      expect(receivers).toEqual(meant.map((id) => ({ kind: 'one', id })))
    }
    expect(await sealed(ada, { kind: 'one', id: peerId(77) }, unicastFrame(1))).toEqual([])
    ada.here.delete(b)
    expect((await sealed(ada, { kind: 'all' }, unicastFrame(2))).map(({ to }) => to)).toEqual([{ kind: 'one', id: c }])
  })

  it('to the room keeps its address, and only its keys outlast a newer value in its place', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    const records = await sealed(ada, { kind: 'all' }, latestFrame(1))
    expect(records.map(({ to, lasting, payload }) => [to, lasting, payload[0]])).toEqual([
      [{ kind: 'one', id: bob.info.id }, true, 3],
      [{ kind: 'all' }, false, 2],
    ])
  })

  it('is opened of members only, and answered where it is to be', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    expect(await heard(ada, bob, roomFrame(1))).toEqual([roomFrame(1)])
    expect(bob.sent.map(({ to, payload }) => [to, payload[0]])).toEqual([[ada.info.id, 4]])
    expect(bob.gate.stats).toEqual({ sealed: 0, opened: 1, refused: {} })
    expect(ada.gate.stats).toEqual({ sealed: 1, opened: 0, refused: {} })
    const [record] = await sealed(ada, { kind: 'one', id: bob.info.id }, unicastFrame(1))
    expect(await bob.gate.open(peerId(77), record?.payload ?? new Uint8Array())).toEqual([])
    bob.gate.gone(ada.info.id, undefined)
    expect(await bob.gate.open(ada.info.id, record?.payload ?? new Uint8Array())).toEqual([])
    expect(bob.told).toEqual([])
  })

  it('is neither sealed nor opened once the room is closed', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    bob.gate.close()
    expect(await heard(ada, bob, unicastFrame(1))).toEqual([])
    expect(await sealed(bob, { kind: 'all' }, unicastFrame(1))).toEqual([])
  })
})

describe('a refusal', () => {
  it('is told once a second of each member and code, and always counted', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    const bare = new Uint8Array(40)
    const forged = new Uint8Array(40).fill(1, 0, 1)
    for (let time = 0; time < 5; time += 1) {
      for (const payload of [bare, forged]) await bob.gate.open(ada.info.id, payload)
    }
    const once = [`${ada.info.id} unsealed`, `${ada.info.id} forged`]
    expect(bob.told).toEqual(once)
    gates.clock.advance(999)
    await bob.gate.open(ada.info.id, bare)
    expect(bob.told).toEqual(once)
    gates.clock.advance(1)
    await bob.gate.open(ada.info.id, bare)
    expect(bob.told).toEqual([...once, once[0]])
    expect(bob.gate.stats.refused).toEqual({ unsealed: 7, forged: 5 })
  })

  it('of a member that is shown again as it was leaves it in; with other keys, too', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    const other = await gates.open()
    await bob.gate.look([{ ...ada.info, seal: other.info.seal ?? '' }])
    expect(bob.told).toEqual([`${ada.info.id} seal-changed`])
    expect(bob.gate.admits(ada.info)).toBe(true)
    expect([...bob.gate.strangers]).toEqual([])
    expect(await heard(ada, bob, unicastFrame(1))).toEqual([unicastFrame(1)])
  })

  it('makes a stranger, until the server lists it no more', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const mallory = await gates.open({ secret: new Uint8Array(16) })
    await list(ada, [mallory], false)
    expect([...ada.gate.strangers]).toEqual([mallory.info.id])
    ada.gate.gone(mallory.info.id, undefined)
    expect([...ada.gate.strangers]).toEqual([])
    await list(ada, [mallory], false)
    await ada.gate.listed([])
    expect([...ada.gate.strangers]).toEqual([])
  })
})

describe('the wrong secret', () => {
  const other = { secret: new Uint8Array(16).fill(9) }

  it('is ours when nobody has the same, and somebody another', async () => {
    const gates = new Gates()
    const [ada, bob] = [await gates.open(), await gates.open()]
    const newcomer = await gates.open(other)
    await list(newcomer, [ada, bob])
    expect(newcomer.gate.wrongSecret).toBe(true)
  })

  it('is theirs when anybody has the same', async () => {
    const gates = new Gates()
    const [ada, mallory] = [await gates.open(), await gates.open(other)]
    const newcomer = await gates.open()
    await list(newcomer, [mallory, ada])
    expect(newcomer.gate.wrongSecret).toBe(false)
  })

  it('is theirs when somebody has the same who is not let in for something else', async () => {
    const gates = new Gates()
    const [ada, mallory] = [await gates.open(), await gates.open(other)]
    const newcomer = await gates.open({ admit: () => false })
    await list(newcomer, [mallory, ada])
    expect(newcomer.told.map((line) => line.split(' ')[1]).sort()).toEqual(['not-admitted', 'wrong-secret'])
    expect(newcomer.gate.wrongSecret).toBe(false)
  })

  it('is nobody’s in an empty room, nor among those of another mode', async () => {
    const gates = new Gates()
    const linked = await gates.open({ sealing: 'link', secret: undefined })
    const newcomer = await gates.open()
    await list(newcomer, [])
    expect(newcomer.gate.wrongSecret).toBe(false)
    await list(newcomer, [linked])
    expect(newcomer.gate.wrongSecret).toBe(false)
  })
})

describe('a member', () => {
  it('that the server lists as another instance is gone, and looked at anew', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    const other = await gates.open()
    const another: MemberInfo = { ...other.info, id: ada.info.id }
    await bob.gate.look([another])
    expect([bob.gate.admits(ada.info), bob.gate.admits(another)]).toEqual([false, true])
  })

  it('stays when what is over is another instance under its id', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    bob.gate.gone(ada.info.id, ada.info.instance)
    expect(bob.gate.admits(ada.info)).toBe(true)
    bob.gate.gone(ada.info.id, instanceId(99) as InstanceId)
    expect(bob.gate.admits(ada.info)).toBe(false)
  })

  it('is to be looked at anew when we are somebody else', async () => {
    const gates = new Gates()
    const ada = await gates.enter([])
    const bob = await gates.enter([ada])
    await bob.gate.welcomed(peerId(50), [])
    expect(bob.gate.admits(ada.info)).toBe(false)
    const [record] = await sealed(ada, { kind: 'one', id: bob.info.id }, unicastFrame(1))
    await bob.gate.look([ada.info])
    expect(bob.gate.admits(ada.info)).toBe(true)
    // Its keys were made for the id that we had.
    expect(await bob.gate.open(ada.info.id, record?.payload ?? new Uint8Array())).toEqual([])
    expect(bob.told).toEqual([`${ada.info.id} forged`])
  })
})
