import { describe, expect, it } from 'vitest'
import { IndependentMember } from './independent.ts'
import { makeIdentity } from './independent-announcement.ts'
import { rewriteMembers, type Shown, type Told } from './malicious-server.ts'
import { goesOn, LOBBY, type Person, Stage } from './stage.ts'

type Id = Shown['id']

const idNumber = (number: number): Id => number.toString(16).padStart(16, 'e') as Id
const instanceNumber = (number: number) => number.toString(16).padStart(32, 'e') as Shown['instance']
const named = (name: string) => ({ profile: { name }, presence: 'here' })

/** The server shows other members to one client, everything else is as it is. */
function shows(stage: Stage, client: string, change: (members: readonly Shown[]) => readonly Shown[]): void {
  stage.server.told = (to, message) =>
    to === client && message.members ? { ...message, members: change(message.members) } : message
}

/** In welcomes, snapshots and events. */
function showsOf(stage: Stage, client: string, change: (member: Shown) => Shown): void {
  stage.server.told = (to, message) => (to === client ? rewriteMembers(message, change) : message)
}

const listed = ({ room }: Person): readonly string[] => [...room.peers.keys()].sort()

describe('a server that lies about who is there', { timeout: 30_000 }, () => {
  it('has nobody admitted whom it made up, in a room with a secret', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    const inventor = new Stage(9)
    const invented = await inventor.rawMember('invented', { S: new Uint8Array(16).fill(9) })
    for (const [number, seal] of [undefined, 'A', 'AAAA', 'x'.repeat(512), invented.seal].entries()) {
      const member = { id: idNumber(number), instance: invented.instance, ...named('invented') }
      const version = 3 + number
      stage.server.tell('bob', { t: 'joined', version, member: seal === undefined ? member : { ...member, seal } })
    }
    await stage.run(500)
    expect(listed(bob)).toEqual([ada.id])
    expect(bob.room.stats().sealing.refused).toEqual({ 'seal-mismatch': 4, 'wrong-secret': 1 })
    bob.say(1)
    await stage.run(500)
    expect(ada.heard).toEqual(['bob 1'])
    // Our list is not the server's any more: it heals with the next.
    await stage.run(60_000)
    await goesOn({ stage, ada, bob })
  })

  it('can have one listed that was there, and never anything of it', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    const eve = await stage.rawMember('eve', { identity: makeIdentity() })
    eve.say([ada.id, bob.id], eve.line(1))
    await stage.run(500)
    eve.leave()
    await stage.run(500)
    stage.server.tell('bob', {
      t: 'joined',
      version: 5,
      member: { id: eve.id, instance: eve.instance, seal: eve.seal, ...named('eve') },
    })
    await stage.run(200)
    expect(listed(bob)).toEqual([ada.id, eve.id].sort())
    for (const frame of stage.server.recordsOf('bob')) stage.server.hand('bob', frame)
    await stage.run(2_000)
    expect(bob.heard).toEqual(['eve 1'])
    expect(bob.refusedOf).toContain('eve replayed')
    bob.say(2)
    await stage.run(500)
    expect(ada.heard).toEqual(['eve 1', 'bob 2'])
  })

  it('can hide a member from another, which then hears nothing of it, and is believed by nobody else', async () => {
    const stage = new Stage()
    const isCarol = (member: Shown | undefined): boolean => JSON.stringify(member?.profile) === '{"name":"carol"}'
    stage.server.told = (client, message) => {
      if (client !== 'bob') return message
      const { members } = message
      if (members) return { ...message, members: members.filter((member) => !isCarol(member)) }
      return isCarol(message.member) ? undefined : message
    }
    const { ada, bob, carol } = await stage.three()
    expect(listed(bob)).toEqual([ada.id])
    expect(listed(carol)).toEqual([ada.id, bob.id].sort())
    carol.say(1)
    ada.say(2)
    await stage.run(1_000)
    expect(ada.heard).toEqual(['carol 1'])
    expect(bob.heard).toEqual(['ada 2'])
    expect(carol.heard).toEqual(['ada 2'])
    expect([...ada.refused, ...bob.refused, ...carol.refused]).toEqual([])
  })

  it('has nothing opened when it shows one member under the id of another, and the other way round', async () => {
    const stage = new Stage()
    const swap = (member: Shown): Shown => {
      const [bob, carol] = ['bob', 'carol'].map((name) => stage.server.clients.get(name)?.id)
      const id = member.id === bob ? carol : member.id === carol ? bob : member.id
      return { ...member, id: id ?? member.id }
    }
    stage.server.told = (client, message) =>
      client === 'ada' && message.t !== 'welcome' && message.members === undefined && message.t !== 'joined'
        ? message
        : client === 'ada'
          ? rewriteMembers(message, swap)
          : message
    const bob = stage.join('bob')
    await stage.run(500)
    const carol = stage.join('carol')
    await stage.run(500)
    const ada = stage.join('ada')
    await stage.run(1_000)
    for (const person of [ada, bob, carol]) person.say(1)
    await stage.run(2_000)
    expect(ada.heard).toEqual([])
    expect(bob.heard).toEqual(['carol 1'])
    expect(carol.heard).toEqual(['bob 1'])
    for (const person of [ada, bob, carol]) expect(person.refused).toContain('forged')
  })

  it.each([
    ['first', (good: Shown, other: Shown) => [good, other]],
    ['last', (good: Shown, other: Shown) => [other, good]],
  ] as const)('has nothing wrong delivered when it lists an id twice, the good one %s', async (_which, order) => {
    const stage = new Stage()
    const ada = stage.join('ada')
    await stage.run(500)
    const invented = await new Stage(9).rawMember('invented', { S: new Uint8Array(16).fill(9) })
    shows(stage, 'bob', (members) =>
      members.flatMap((good) => order(good, { ...good, instance: invented.instance, seal: invented.seal })),
    )
    const bob = stage.join('bob')
    await stage.run(1_000)
    ada.say(1)
    bob.say(2)
    await stage.run(2_000)
    expect(bob.refused).toContain('wrong-secret')
    expect(bob.heard.filter((line) => line !== 'ada 1')).toEqual([])
    expect(ada.heard.filter((line) => line !== 'bob 2')).toEqual([])
    expect(bob.room.status).toBe('online')
  })

  it('has one who is listed twice, or under two ids, heard once', async () => {
    const stage = new Stage()
    const ada = stage.join('ada')
    await stage.run(500)
    shows(stage, 'bob', (members) => members.flatMap((ada) => [ada, ada, { ...ada, id: idNumber(1) }]))
    const bob = stage.join('bob')
    await stage.run(1_000)
    expect(listed(bob)).toEqual([ada.id, idNumber(1)].sort())
    stage.server.handed = (client, frame) => (client === 'bob' ? [frame, { ...frame, from: idNumber(1) }] : [frame])
    ada.say(1)
    bob.say(2)
    await stage.run(2_000)
    expect(bob.heard).toEqual(['ada 1'])
    expect(ada.heard).toEqual(['bob 2'])
    expect(bob.refusedOf).toContain('nobody forged')
    await goesOn({ stage, ada, bob })
  })

  it('has nothing opened when it tells a newcomer that it is somebody else', async () => {
    const stage = new Stage()
    const ada = stage.join('ada')
    await stage.run(500)
    stage.server.told = (client, message) =>
      client === 'bob' && message.peerId ? { ...message, peerId: idNumber(1) } : message
    const bob = stage.join('bob')
    await stage.run(1_000)
    ada.say(1)
    bob.say(2)
    await stage.run(1_000)
    expect([...ada.heard, ...bob.heard]).toEqual([])
    expect(ada.refused).toContain('forged')
    expect(bob.refusedOf).toContain('ada forged')
  })

  it('has a member refused whose instance it changed', async () => {
    const stage = new Stage()
    showsOf(stage, 'bob', (member) => ({ ...member, instance: instanceNumber(1) }))
    const { ada, bob } = await stage.two()
    ada.say(1)
    bob.say(2)
    await stage.run(1_000)
    expect([...ada.heard, ...bob.heard]).toEqual([])
    expect(listed(bob)).toEqual([])
    expect(bob.refusedOf).toContain('ada seal-mismatch')
  })

  it('only ends a link by showing another instance of a member that is there', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    ada.say(1)
    await stage.run(500)
    const { seal } = stage.server.who('ada')
    const other = { id: ada.id, instance: instanceNumber(1), ...(seal && { seal }), ...named('ada') }
    stage.server.tell('bob', { t: 'joined', version: 3, member: other })
    await stage.run(200)
    expect(listed(bob)).toEqual([])
    expect(bob.refusedOf).toEqual(['ada seal-mismatch'])
    for (const frame of stage.server.recordsOf('bob')) stage.server.hand('bob', frame)
    await stage.run(500)
    expect(bob.heard).toEqual(['ada 1'])
    stage.server.tell('bob', {
      t: 'joined',
      version: 4,
      member: { ...stage.server.who('ada'), ...named('ada') },
    })
    await stage.run(2_000)
    await goesOn({ stage, ada, bob })
  })

  it('can give the id of one who left to itself, in a room without a secret: after a leave, and with another number', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two({})
    const { id } = bob
    const number = await ada.room.peers.get(id)?.safetyNumber
    const told: string[] = []
    ada.room.on('leave', ({ peer }) => told.push(`leave ${peer.id}`))
    ada.room.on('join', (peer) => told.push(`join ${peer.id}`))
    const posing = new IndependentMember({ mode: 'link', room: LOBBY, id, instance: instanceNumber(1), x25519: true })
    stage.server.tell('ada', { t: 'left', version: 3, id, reason: 'left' })
    const member = { id, instance: instanceNumber(1), seal: posing.announcement, ...named('bob') }
    stage.server.tell('ada', { t: 'joined', version: 4, member })
    await stage.run(500)
    expect(told).toEqual([`leave ${id}`, `join ${id}`])
    const itsNumber = await ada.room.peers.get(id)?.safetyNumber
    for (const one of [number, itsNumber]) expect(one).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(itsNumber).not.toBe(number)
  })

  it('is refused when it shows us as somebody else', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    stage.server.tell('bob', {
      t: 'joined',
      version: 3,
      member: { ...stage.server.who('bob'), id: idNumber(1), ...named('bob') },
    })
    await stage.run(200)
    expect(bob.refusedOf).toEqual(['nobody seal-mismatch'])
    for (const frame of stage.server.recordsOf('ada')) stage.server.hand('bob', { ...frame, from: idNumber(1) })
    await stage.run(500)
    expect(bob.heard).toEqual([])
    expect(listed(bob)).toEqual([ada.id])
  })

  it('has no room spoilt by members that come and go', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two({})
    const inventor = new Stage(9)
    const invented = await inventor.rawMember('invented', { mode: 'link' })
    for (let number = 0; number < 300; number += 1) {
      const id = idNumber(number)
      const member = { id, instance: invented.instance, seal: invented.seal, ...named('x') }
      stage.server.tell('bob', { t: 'joined', version: number * 2 + 3, member })
      stage.server.tell('bob', { t: 'left', version: number * 2 + 4, id, reason: 'left' })
    }
    await stage.run(2_000)
    expect(listed(bob)).toEqual([ada.id])
    bob.say(1)
    await stage.run(500)
    expect(ada.heard).toEqual(['bob 1'])
  })
})

describe('a server that tampers with identities', () => {
  const strip = (member: Shown): Shown => {
    const seal = Buffer.from(member.seal ?? '', 'base64url')
    const at = 5 + 16 + 65 + 32
    const bytes = Buffer.concat([seal.subarray(0, at), seal.subarray(at + 129)])
    bytes[4] = (bytes[4] ?? 0) & 1
    return { ...member, seal: bytes.toString('base64url') }
  }
  const flip =
    (from: number, to: number) =>
    (member: Shown): Shown => {
      const seal = Buffer.from(member.seal ?? '', 'base64url')
      for (let at = from; at < to; at += 1) seal[at] = (seal[at] ?? 0) ^ 1
      return { ...member, seal: seal.toString('base64url') }
    }

  it.each([
    ['link', 'none at all', strip, 'eve forged'],
    ['secret', 'none at all', strip, 'eve wrong-secret'],
    ['link', 'another', flip(150, 151), 'eve identity-invalid'],
    ['secret', 'another', flip(150, 151), 'eve wrong-secret'],
    ['link', 'another signature', flip(200, 201), 'eve identity-invalid'],
    ['link', 'another key than the signed one', flip(90, 91), 'eve identity-invalid'],
  ] as const)('in mode %s, is found out: %s', async (mode, _what, change, told) => {
    const stage = new Stage()
    const eve = await stage.rawMember('eve', { mode, identity: makeIdentity() })
    stage.server.told = (client, message: Told) => (client === 'bob' ? rewriteMembers(message, change) : message)
    const bob = stage.join('bob', mode === 'link' ? {} : undefined)
    await stage.run(1_000)
    eve.say(bob.id, eve.line(1))
    bob.say(2)
    await stage.run(1_000)
    expect(bob.heard).toEqual([])
    expect(eve.text).not.toContain('{"n":2}')
    const codes = told.endsWith('wrong-secret') ? bob.refused : bob.refusedOf
    expect(codes).toContain(told.endsWith('wrong-secret') ? 'closed: wrong-secret' : told)
    expect(bob.room.peers.get(eve.id)?.identity).toBeUndefined()
  })
})
