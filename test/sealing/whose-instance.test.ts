import { describe, expect, it } from 'vitest'
import type { JoinOptions } from '../../web/client/face.ts'
import { instanceId, peerId, type SealedMember, SealedRoom } from '../unit/sealing/sealed-room.ts'
import { IndependentMember } from './independent.ts'
import {
  HAS_IDENTITY,
  HAS_PROFILE,
  HAS_X25519,
  hmac,
  label,
  len,
  type Refusal,
  roomKeys,
} from './independent-announcement.ts'
import type { Shown } from './malicious-server.ts'
import { goesOn, LOBBY, type Person, SECRET, Stage } from './stage.ts'

type Mode = 'link' | 'secret'

const keyed = (mode: Mode): JoinOptions => (mode === 'link' ? {} : { secret: SECRET })

/** Ada and Bob, and somebody with keys of its own under Ada's instance. */
async function posed(mode: Mode, seal?: (adas: Buffer) => Buffer) {
  const stage = new Stage()
  const { ada, bob } = await stage.two(keyed(mode))
  ada.say(1)
  await stage.run(500)
  const adas = Buffer.from(stage.server.who('ada').seal ?? '', 'base64url')
  const other = seal && { seal: seal(adas).toString('base64url') }
  const posing = await stage.rawMember('posing', { mode, instance: ada.instance, ...other })
  return { stage, ada, bob, posing }
}

/** What the server shows to one client of who is there. */
function shows(stage: Stage, client: string, change: (members: readonly Shown[]) => readonly Shown[]): void {
  stage.server.told = (to, message) =>
    to === client && message.members ? { ...message, members: change(message.members) } : message
}

/** The one under whose instance another is comes first, or last. */
const last = (id: string) => (members: readonly Shown[]) =>
  [...members].sort((one, other) => Number(one.id === id) - Number(other.id === id))

async function isHeardOnce({ stage, ada }: { readonly stage: Stage; readonly ada: Person }, at: Person): Promise<void> {
  const before = at.heard.length
  for (let n = 10; n < 14; n += 1) ada.say(n)
  await stage.run(2_000)
  expect(at.heard.slice(before)).toEqual(['ada 10', 'ada 11', 'ada 12', 'ada 13'])
}

describe.each(['link', 'secret'] as const)('the instance of a member that is there, in mode %s', (mode) => {
  it('follows from its keys', async () => {
    const { ada, bob } = await new Stage().two(keyed(mode))
    expect(ada.instance).not.toBe(bob.instance)
    const stage = new Stage()
    const eve = await stage.rawMember('eve', { mode, instance: 'bound' })
    const carol = stage.join('carol', keyed(mode))
    await stage.run(1_000)
    eve.say(carol.id, eve.line(1))
    await stage.run(500)
    expect(carol.heard).toEqual(['eve 1'])
    expect(eve.member.admit(stage.server.who('carol')).bound).toBe(true)
  })

  it('is another’s for nobody who knows it', async () => {
    const { stage, ada, bob, posing } = await posed(mode)
    expect(bob.refusedOf).toEqual(['posing seal-changed'])
    expect(ada.refusedOf).toEqual(['posing seal-mismatch'])
    expect([...bob.room.peers.keys()]).toEqual([ada.id])
    posing.send(bob.id, posing.greeting())
    await isHeardOnce({ stage, ada }, bob)
    await goesOn({ stage, ada, bob })
  })

  it('is its own for a newcomer to whom the server shows the other first', async () => {
    const { stage, ada, bob, posing } = await posed(mode)
    shows(stage, 'carol', last(ada.id))
    const carol = stage.join('carol', keyed(mode))
    await stage.run(1_000)
    expect(carol.refusedOf).toEqual(['posing seal-changed'])
    expect(carol.room.stats().sealing.refused).toEqual({ 'seal-changed': 1 })
    expect([...carol.room.peers.keys()].sort()).toEqual([ada.id, bob.id].sort())
    posing.say([carol.id], posing.line(3))
    await isHeardOnce({ stage, ada }, carol)
    carol.say(5, [ada])
    await stage.run(500)
    expect(ada.heard).toEqual(['carol 5'])
    await goesOn({ stage, ada, bob })
  })

  it('is its own for a newcomer that admits some only, and asks about the other first', async () => {
    const { stage, ada, posing } = await posed(mode)
    shows(stage, 'carol', last(ada.id))
    const asked: string[] = []
    const carol = stage.join('carol', {
      ...keyed(mode),
      admit: ({ id }) => {
        asked.push(id)
        return id !== posing.id
      },
    })
    await stage.run(1_000)
    expect(carol.refusedOf).not.toContain('ada seal-changed')
    expect([...carol.room.peers.keys()]).toContain(ada.id)
    expect([...carol.room.peers.keys()]).not.toContain(posing.id)
    await isHeardOnce({ stage, ada }, carol)
  })

  it.each([
    ['is there still', false],
    ['has left', true],
  ] as const)('is its own for one who has heard the other for a while, which %s', async (_what, hasLeft) => {
    const { stage, ada, bob, posing } = await posed(mode)
    let version = 0
    shows(stage, 'carol', (members) => members.filter(({ id }) => id !== ada.id))
    const told = stage.server.told
    stage.server.told = (to, message) => {
      if (to === 'carol') version = (message as { version?: number }).version ?? version
      return told(to, message)
    }
    const carol = stage.join('carol', keyed(mode))
    const news = carol.room.channel<object>('news', { signed: true })
    const heardNews: unknown[] = []
    news.on('message', ({ data }) => heardNews.push(data))
    await stage.run(1_000)
    posing.say([carol.id], posing.line(3))
    posing.say(carol.id, posing.linkMessage({ t: 'signer', key: Buffer.alloc(65, 4).toString('base64url') }))
    await stage.run(500)
    expect(carol.heard).toEqual(['posing 3'])
    if (hasLeft) {
      posing.leave()
      await stage.run(500)
    }
    const left: string[] = []
    carol.room.on('leave', ({ peer, reason }) => left.push(`${stage.nameOf(peer.id)} ${reason}`))
    const member = { ...stage.server.who('ada'), profile: { name: 'ada' }, presence: 'here' }
    stage.server.tell('carol', { t: 'joined', version: version + 1, member })
    await stage.run(1_000)
    expect(left).toEqual(hasLeft ? [] : ['posing left'])
    expect(carol.refusedOf).toEqual(hasLeft ? [] : ['posing seal-changed'])
    expect([...carol.room.peers.keys()].sort()).toEqual([ada.id, bob.id].sort())
    if (!hasLeft) posing.say([carol.id], posing.line(4))
    await isHeardOnce({ stage, ada }, carol)
    ada.room.channel<object>('news', { signed: true }).send({ n: 1 })
    await stage.run(1_000)
    expect(heardNews).toEqual([{ n: 1 }])
    expect(carol.refusedOf).not.toContain('ada seal-changed')
    await goesOn({ stage, ada, bob })
  })

  it.each(['first', 'last'])('is heard beside one who shows its keys with another profile, shown %s', async (place) => {
    const { proof } = roomKeys(mode, LOBBY, Buffer.from(SECRET, 'base64url'))
    const { stage, ada, bob, posing } = await posed(mode, (adas) => {
      const body = Buffer.from(adas.subarray(0, mode === 'secret' ? -32 : undefined))
      expect(body[4]).toBe(HAS_X25519 | HAS_PROFILE)
      body[body.length - 1] = (body.at(-1) ?? 0) ^ HAS_IDENTITY
      return Buffer.concat([body, ...(proof ? [hmac(proof, label('announce'), len(LOBBY), body)] : [])])
    })
    expect(bob.refusedOf).toEqual(['posing seal-changed'])
    if (place === 'first') shows(stage, 'carol', last(ada.id))
    const carol = stage.join('carol', keyed(mode))
    await stage.run(1_000)
    posing.send(carol.id, posing.greeting())
    await isHeardOnce({ stage, ada }, carol)
    expect(posing.frames).toEqual([])
    await goesOn({ stage, ada, bob })
  })
})

describe('an implementation from the document alone', () => {
  const [ROOM, ID] = ['Küche 7', 7]
  const keyedBy = (instance: string, x25519 = true) =>
    new IndependentMember({ mode: 'link', room: ROOM, id: peerId(ID), instance, x25519 })

  it.each([
    ['not bound, then bound', false, 'bound', undefined],
    ['bound, then not', true, 'other', 'seal-changed'],
    ['not bound, then other keys that are not', false, 'other', 'seal-changed'],
    ['bound, then the same', true, 'bound', undefined],
  ] as const)('takes an instance for whose ours does: %s', async (_what, isBound, second, code) => {
    const room = new SealedRoom()
    const bob = await room.begin({ mode: 'link', room: ROOM })
    const reader = keyedBy(instanceId(99))
    const owner = keyedBy('bound', false)
    const instance = owner.announced.instance.toString('hex') as SealedMember['instance']
    const [one, other] = [keyedBy(instance), keyedBy(instance)]
    const first = isBound ? owner : one
    const next = second === 'bound' ? owner : other
    const shown = (of: IndependentMember, id: number) => ({ id: peerId(id), instance, seal: of.announcement })
    expect(await bob.sealing.admit(shown(first, 1))).not.toHaveProperty('refused')
    expect(reader.admit(shown(first, 1)).bound).toBe(isBound)
    const admitted = await bob.sealing.admit(shown(next, 2))
    expect('refused' in admitted ? admitted.refused : undefined).toBe(code)
    const read = (): string | undefined => {
      try {
        reader.admit(shown(next, 2))
        return undefined
      } catch (error) {
        return (error as Refusal).code
      }
    }
    expect(read()).toBe(code)
    expect(reader.knows(peerId(1))).toBe(isBound || second === 'other')
  })
})

describe('the id of a message', () => {
  it.each([true, false])('is the same at both ends, looked at before there are keys: %s', async (early) => {
    const stage = new Stage()
    const bob = stage.join('bob')
    const ids: string[] = []
    bob.room.channel<object>('chat').on('message', ({ id }) => ids.push(id))
    await stage.run(1_000)
    const ada = stage.join('ada')
    const sent = ada.room.channel<object>('chat').send({ n: 1 })
    const seen = early ? sent.id : undefined
    await stage.run(1_000)
    expect(bob.heard).toEqual(['ada 1'])
    expect(ids).toEqual([sent.id])
    expect(seen ?? sent.id).toBe(sent.id)
    expect(sent.id.startsWith(ada.instance)).toBe(true)
    const eve = await stage.rawMember('eve')
    expect(eve.member.admit(stage.server.who('ada')).bound).toBe(!early)
  })

  it('that was looked at before there are keys leaves its instance to whoever is shown first', async () => {
    const stage = new Stage()
    const ada = stage.join('ada')
    expect(ada.room.channel<object>('chat').send({ n: 1 }).id).toMatch(/^[0-9a-f]{32}-\d+-0$/)
    const bob = stage.join('bob')
    await stage.run(1_000)
    await stage.rawMember('posing', { instance: ada.instance })
    expect(bob.refusedOf).toEqual(['posing seal-changed'])
    shows(stage, 'carol', last(ada.id))
    const carol = stage.join('carol')
    await stage.run(1_000)
    expect(carol.refusedOf).toEqual(['ada seal-changed'])
    await goesOn({ stage, ada, bob })
  })
})
