import { describe, expect, it } from 'vitest'
import type { MemberInfo, PeerId } from '../../../signaling/protocol/index.ts'
import type { Newcomer } from '../../../web/client/face.ts'
import type { GateOptions } from '../../../web/client/gate.ts'
import { createIdentity } from '../../../web/client/identity.ts'
import { webCrypto } from '../../../web/client/sealing/web-crypto.ts'
import { instanceId, peerId, roomFrame, unicastFrame } from '../sealing/sealed-room.ts'
import { Gates, type Guarded, heard, list, sealed, turns } from './gates.ts'

describe('an application that chooses whom it admits', () => {
  it.each([
    ['says no', () => false],
    ['says no later', async () => false],
    [
      'throws',
      () => {
        throw new Error('no list')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no list'))],
  ])('has nothing to do with whom it does not: it %s', async (_how, admit) => {
    const gates = new Gates()
    const ada = await gates.open()
    const bob = await gates.open({ admit })
    await list(ada, [bob])
    await list(bob, [ada])
    await turns()
    expect(bob.gate.admits(ada.info)).toBe(false)
    expect(bob.told).toEqual([`${ada.info.id} not-admitted`])
    expect([...bob.gate.strangers]).toEqual([ada.info.id])
    expect(await heard(ada, bob, unicastFrame(1))).toEqual([])
    expect(await sealed(bob, { kind: 'one', id: ada.info.id }, unicastFrame(1))).toEqual([])
  })

  it('is asked about those whose keys are good, once for each, with what is known of them', async () => {
    const gates = new Gates()
    const asked: Newcomer[] = []
    const identity = await createIdentity()
    const ada = await gates.open({ identity }, { primitives: webCrypto() })
    const mallory = await gates.open({ secret: new Uint8Array(16) })
    const bob = await gates.open({
      admit: (newcomer) => {
        asked.push(newcomer)
        return true
      },
    })
    await bob.gate.welcomed(bob.info.id, [{ ...ada.info, profile: { name: 'Ada' }, userId: 'u1' }, mallory.info])
    await bob.gate.look([ada.info])
    expect(asked).toEqual([
      {
        id: ada.info.id,
        userId: 'u1',
        profile: { name: 'Ada' },
        identity: bob.gate.identity(ada.info.id),
        profileVerified: false,
      },
    ])
    expect(asked[0]?.identity).toMatch(/^[0-9a-f]{64}$/)
  })

  it('has said no when it has not answered in 5 s, whatever it says later', async () => {
    const gates = new Gates()
    const ada = await gates.open()
    const { answer, admit } = asking()
    const bob = await gates.open({ admit })
    await list(bob, [ada])
    gates.clock.advance(4_999)
    await turns()
    expect(bob.told).toEqual([])
    gates.clock.advance(1)
    await turns()
    answer(ada, true)
    await turns()
    expect(bob.gate.admits(ada.info)).toBe(false)
    expect(bob.told).toEqual([`${ada.info.id} not-admitted`])
    expect(bob.settles).toEqual([[ada.info.id, []]])
  })

  it('chooses in an open room too', async () => {
    const gates = new Gates()
    const { gate } = await gates.open({ sealing: 'open', secret: undefined, admit: ({ profile }) => profile === 'Ada' })
    const member = (number: number, profile: string): MemberInfo => ({
      id: peerId(number),
      instance: instanceId(number),
      profile,
      presence: 'here',
    })
    await gate.welcomed(peerId(1), [member(2, 'Ada'), member(3, 'Eve')])
    expect([gate.admits(member(2, '')), gate.admits(member(3, ''))]).toEqual([true, false])
  })
})

/** An application that answers when a test says so, of whom it was asked. */
function asking() {
  const answers = new Map<PeerId, ((good: boolean) => void)[]>()
  const asked: Newcomer[] = []
  return {
    asked,
    /** The oldest question about it. */
    answer: ({ info }: Pick<Guarded, 'info'>, good: boolean) => answers.get(info.id)?.shift()?.(good),
    admit: (newcomer: Newcomer): Promise<boolean> => {
      asked.push(newcomer)
      return new Promise((resolve) => {
        answers.set(newcomer.id, [...(answers.get(newcomer.id) ?? []), resolve])
      })
    },
  }
}

describe('a newcomer of whom the application has not said yet', () => {
  async function room(options: Partial<GateOptions> = {}) {
    const gates = new Gates()
    const application = asking()
    const ada = await gates.open(options)
    const carol = await gates.open(options)
    const bob = await gates.open({ ...options, admit: application.admit })
    for (const one of [ada, carol]) await list(one, [bob])
    return { ...application, gates, ada, bob, carol }
  }

  it('is a stranger, which is kept waiting with what it says, and is let in with that in order', async () => {
    const { ada, bob, answer } = await room()
    await list(bob, [ada])
    expect([bob.gate.admits(ada.info), bob.gate.asks(ada.info)]).toEqual([false, true])
    expect([...bob.gate.strangers]).toEqual([ada.info.id])
    for (let n = 1; n <= 3; n += 1) {
      expect(await heard(ada, bob, unicastFrame(n))).toEqual([])
      expect(await heard(ada, bob, roomFrame(n))).toEqual([])
    }
    expect(await sealed(bob, { kind: 'all' }, roomFrame(1))).toEqual([])
    expect(bob.told).toEqual([])
    answer(ada, true)
    await turns()
    const [[id, frames = []] = []] = bob.settles
    expect(id).toBe(ada.info.id)
    // Those to the room had to wait for their key: each kind is in its own order.
    expect(frames).toHaveLength(6)
    expect(frames.filter(([type]) => type === 17)).toEqual([1, 2, 3].map((n) => unicastFrame(n)))
    expect(frames.filter(([type]) => type === 1)).toEqual([1, 2, 3].map((n) => roomFrame(n)))
    expect([bob.gate.admits(ada.info), bob.gate.asks(ada.info)]).toEqual([true, false])
    expect([...bob.gate.strangers]).toEqual([])
    expect(bob.gate.stats.opened).toBe(6)
    expect(await heard(ada, bob, unicastFrame(4))).toEqual([unicastFrame(4)])
    expect(bob.told).toEqual([])
  })

  it('holds up nobody else', async () => {
    const { ada, bob, carol, answer } = await room()
    await list(bob, [ada])
    await list(bob, [carol], false)
    answer(carol, true)
    await turns()
    expect(bob.gate.admits(carol.info)).toBe(true)
    expect(await heard(carol, bob, roomFrame(1))).toEqual([roomFrame(1)])
    expect(bob.gate.asks(ada.info)).toBe(true)
  })

  it('is not heard when the answer is no: what it has said is dropped', async () => {
    const { ada, bob, answer } = await room()
    await list(bob, [ada])
    await heard(ada, bob, unicastFrame(1))
    answer(ada, false)
    await turns()
    expect(bob.settles).toEqual([[ada.info.id, []]])
    expect(bob.told).toEqual([`${ada.info.id} not-admitted`])
    expect([...bob.gate.strangers]).toEqual([ada.info.id])
    expect(await heard(ada, bob, unicastFrame(2))).toEqual([])
    expect(bob.gate.stats.opened).toBe(0)
  })

  it('is one of several, in whatever order the answers come', async () => {
    const { gates, ada, bob, carol, answer } = await room()
    const dave = await gates.open()
    await list(dave, [bob])
    await list(bob, [ada, carol, dave])
    for (const [n, one] of [ada, carol, dave, ada, carol, dave].entries()) await heard(one, bob, unicastFrame(n))
    answer(dave, true)
    await turns()
    answer(carol, false)
    answer(ada, true)
    await turns()
    expect(bob.settles).toEqual([
      [dave.info.id, [unicastFrame(2), unicastFrame(5)]],
      [carol.info.id, []],
      [ada.info.id, [unicastFrame(0), unicastFrame(3)]],
    ])
    expect([ada, carol, dave].map(({ info }) => bob.gate.admits(info))).toEqual([true, false, true])
  })

  it('is asked about once, however often it is shown, and has the profile that it was shown with last', async () => {
    const shown: (readonly [MemberInfo, string | undefined])[] = []
    const gates = new Gates()
    const { asked, answer, admit } = asking()
    const ada = await gates.open()
    const bob = await gates.open({ admit }, { shown: (member, announced) => shown.push([member, announced]) })
    await list(bob, [ada])
    await bob.gate.look([{ ...ada.info, profile: 'Ada' }])
    await bob.gate.listed([{ ...ada.info, profile: 'Ada L.' }])
    expect(asked).toHaveLength(1)
    expect(shown).toEqual([])
    answer(ada, true)
    await turns()
    expect(shown).toEqual([[{ ...ada.info, profile: 'Ada L.' }, expect.any(String)]])
  })

  it('with other keys for the same instance is refused with those, and asked about with its own', async () => {
    const { gates, ada, bob, answer } = await room()
    const other = await gates.open()
    await list(bob, [ada])
    await bob.gate.look([{ ...ada.info, seal: other.info.seal ?? '' }])
    expect(bob.told).toEqual([`${ada.info.id} seal-changed`])
    await heard(ada, bob, unicastFrame(1))
    answer(ada, true)
    await turns()
    expect(bob.settles).toEqual([[ada.info.id, [unicastFrame(1)]]])
  })

  it('that leaves was never there, whatever is answered then', async () => {
    const { ada, bob, answer } = await room()
    await list(bob, [ada])
    await heard(ada, bob, unicastFrame(1))
    bob.gate.gone(ada.info.id, ada.info.instance)
    expect(bob.gate.asks(ada.info)).toBe(true)
    bob.gate.gone(ada.info.id, undefined)
    answer(ada, true)
    await turns()
    expect(bob.settles).toEqual([])
    expect([bob.gate.admits(ada.info), bob.gate.asks(ada.info)]).toEqual([false, false])
    expect([...bob.gate.strangers]).toEqual([])
    expect(bob.told).toEqual([])
  })

  it('that leaves and comes again is asked about again, and nothing of before is heard', async () => {
    const { ada, bob, answer, asked } = await room()
    await list(bob, [ada])
    const early = await sealed(ada, { kind: 'one', id: bob.info.id }, unicastFrame(1))
    await heard(ada, bob, unicastFrame(2))
    bob.gate.gone(ada.info.id, undefined)
    await bob.gate.look([ada.info])
    expect(asked).toHaveLength(2)
    await heard(ada, bob, unicastFrame(3))
    answer(ada, false)
    await turns()
    expect(bob.settles).toEqual([])
    answer(ada, true)
    await turns()
    expect(bob.settles).toEqual([[ada.info.id, [unicastFrame(3)]]])
    // What was dropped may still come again, as the network has it.
    for (const { payload } of early) expect(await bob.gate.open(ada.info.id, payload)).toEqual([unicastFrame(1)])
  })

  it('of which another instance has the id meanwhile is gone, and the other one asked about', async () => {
    const { gates, ada, bob, answer, asked } = await room()
    const other = await gates.open()
    const another: Guarded = { ...other, info: { ...other.info, id: ada.info.id } }
    await list(another, [bob])
    await list(bob, [ada])
    await heard(ada, bob, unicastFrame(1))
    await bob.gate.look([another.info])
    expect(asked).toHaveLength(2)
    await heard(another, bob, unicastFrame(2))
    answer(ada, true)
    await turns()
    expect([bob.gate.admits(ada.info), bob.gate.admits(another.info)]).toEqual([false, false])
    answer(another, true)
    await turns()
    expect(bob.gate.admits(another.info)).toBe(true)
    expect(bob.settles).toEqual([[ada.info.id, [unicastFrame(2)]]])
  })

  it('is nobody’s answer any more when its turn comes late, and another has the id', async () => {
    const gates = new Gates()
    const { answer, admit } = asking()
    const decided: PeerId[] = []
    const ada = await gates.open()
    const bob = await gates.open({ admit }, { decided: (id) => decided.push(id) })
    await list(bob, [ada])
    answer(ada, true)
    await turns()
    const other = await gates.open()
    const another = { ...other.info, id: ada.info.id }
    await bob.gate.look([another])
    expect(decided).toEqual([ada.info.id])
    expect(bob.gate.settle(ada.info.id)).toBeUndefined()
    expect([bob.gate.admits(ada.info), bob.gate.admits(another), bob.gate.asks(another)]).toEqual([false, false, true])
  })

  it('is kept within bounds: more is dropped, of it and of all together', async () => {
    const { gates, ada, bob, answer } = await room({ sealing: 'open', secret: undefined })
    const others: Guarded[] = []
    while (others.length < 9) others.push(await gates.open({ sealing: 'open', secret: undefined }))
    await list(bob, [ada, ...others])
    const frame = new Uint8Array(65_536 - 128)
    const settled = () => bob.settles.map(([, frames]) => frames?.length)
    for (let n = 0; n < 20; n += 1) bob.gate.open(ada.info.id, frame)
    answer(ada, true)
    await turns()
    expect(settled()).toEqual([16])
    for (const one of others) for (let n = 0; n < 20; n += 1) bob.gate.open(one.info.id, frame)
    for (const one of others) answer(one, true)
    await turns()
    expect(settled()).toEqual([16, 16, 16, 16, 16, 16, 16, 16, 16, 0])
    const empty = await gates.open({ sealing: 'open', secret: undefined })
    await list(bob, [empty], false)
    for (let n = 0; n < 10_000; n += 1) bob.gate.open(empty.info.id, new Uint8Array())
    answer(empty, true)
    await turns()
    expect(settled().at(-1)).toBe(8_192)
  })

  it('is nobody once the room is closed: nothing runs, and nothing is heard', async () => {
    const { gates, ada, bob, answer } = await room()
    await list(bob, [ada])
    await heard(ada, bob, unicastFrame(1))
    bob.gate.close()
    answer(ada, true)
    gates.clock.advance(5_000)
    await turns()
    expect(bob.settles).toEqual([])
    expect(bob.told).toEqual([])
    expect(bob.gate.admits(ada.info)).toBe(false)
  })

  it('that could prove it has the secret shows that ours is right', async () => {
    const { gates, ada, bob } = await room()
    const mallory = await gates.open({ secret: new Uint8Array(16) })
    await list(bob, [mallory, ada])
    expect(bob.told).toEqual([`${mallory.info.id} wrong-secret`])
    expect(bob.gate.wrongSecret).toBe(false)
  })

  it('is asked about anew when we are somebody else, and who was let in is not', async () => {
    const { ada, bob, carol, answer, asked } = await room()
    await list(bob, [ada, carol])
    answer(ada, true)
    await turns()
    await heard(carol, bob, unicastFrame(1))
    await bob.gate.welcomed(peerId(50), [ada.info, carol.info])
    expect(asked.map(({ id }) => id)).toEqual([ada, carol, carol].map(({ info }) => info.id))
    expect([ada, carol].map(({ info }) => bob.gate.admits(info))).toEqual([true, false])
    answer(carol, true)
    answer(carol, true)
    await turns()
    // What it had said was for whom we were.
    expect(bob.settles).toEqual([
      [ada.info.id, []],
      [carol.info.id, []],
    ])
    bob.gate.gone(ada.info.id, undefined)
    await bob.gate.look([ada.info])
    expect(asked).toHaveLength(4)
  })

  it('cannot open what was said to the room while it was asked about, though it is given a key then', async () => {
    const { ada, bob, carol, answer } = await room()
    await list(bob, [carol])
    answer(carol, true)
    await turns()
    bob.here.add(carol.info.id)
    await list(bob, [ada], false)
    const before = await sealed(bob, { kind: 'all' }, roomFrame(1))
    const group = before.find(({ to }) => to.kind === 'all')?.payload ?? new Uint8Array()
    answer(ada, true)
    await turns()
    bob.here.add(ada.info.id)
    for (const { to, payload } of await sealed(bob, { kind: 'all' }, roomFrame(2))) {
      if (to.kind === 'all' || (to.kind === 'one' && to.id === ada.info.id)) {
        const frames = await ada.gate.open(bob.info.id, payload)
        if (to.kind === 'all') expect(frames).toEqual([roomFrame(2)])
      }
    }
    expect(await ada.gate.open(bob.info.id, group)).toEqual([])
  })
})

it('a member that is asked about gets nothing either when a server that was started again lists it anew', async () => {
  const gates = new Gates()
  const ada = await gates.open({ sealing: 'open', admit: () => new Promise(() => {}) })
  const eve = await gates.open({ sealing: 'open' })
  await ada.gate.welcomed(ada.info.id, [eve.info])
  await ada.gate.welcomed(ada.info.id, [])
  await ada.gate.look([eve.info])
  expect(ada.gate.asks(eve.info)).toBe(true)
  expect([...ada.gate.strangers]).toEqual([eve.info.id])
})
