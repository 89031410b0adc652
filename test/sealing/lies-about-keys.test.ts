import { describe, expect, it } from 'vitest'
import { Middle, rewriteMembers, type Shown, type Told } from './malicious-server.ts'
import { OTHER_SECRET, Stage } from './stage.ts'

const resealed =
  (change: (seal: Buffer) => Buffer) =>
  (_client: string, message: Told): Told =>
    rewriteMembers(message, (member) => ({
      ...member,
      seal: change(Buffer.from(member.seal ?? '', 'base64url')).toString('base64url'),
    }))

const without = ({ seal: _seal, ...member }: Shown): Shown => member

const set = (at: number, value: number) => (bytes: Buffer) => {
  const copy = Buffer.from(bytes)
  copy[at] = value
  return copy
}

describe('a server that lies about keys', () => {
  it('gets in the middle of a room without a secret, and the safety numbers show it', async () => {
    const stage = new Stage()
    const middle = new Middle(stage.server, 'lobby')
    const { ada, bob } = await stage.two({})
    ada.say(1)
    bob.say(2)
    await stage.run(1_000)
    expect([ada.heard, bob.heard]).toEqual([['bob 2'], ['ada 1']])
    expect(Buffer.concat(middle.read).toString('latin1')).toContain('{"n":1}')
    const [atAda, atBob] = await Promise.all([ada, bob].map(({ room }) => [...room.peers.values()][0]?.safetyNumber))
    expect(atAda).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(atAda).not.toBe(atBob)
  })

  it('is not in the middle when the numbers are equal', async () => {
    const { ada, bob } = await new Stage().two({})
    const [atAda, atBob] = await Promise.all([ada, bob].map(({ room }) => [...room.peers.values()][0]?.safetyNumber))
    expect(atAda).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(atAda).toBe(atBob)
  })

  it('does not get in the middle of a room with a secret', async () => {
    const stage = new Stage()
    const middle = new Middle(stage.server, 'lobby')
    const { ada, bob } = await stage.two()
    ada.say(1)
    bob.say(2)
    await stage.run(1_000)
    expect([ada.heard, bob.heard]).toEqual([[], []])
    expect(middle.read).toEqual([])
    expect([ada.refused[0], bob.refused[0]]).toEqual(['seal-mismatch', 'seal-mismatch'])
  })

  const lies: readonly [string, string, (client: string, message: Told) => Told][] = [
    ['no announcement', 'seal-mismatch', (_client, message) => rewriteMembers(message, without)],
    ['another form', 'seal-mismatch', resealed(set(0, 2))],
    ['the mode link', 'seal-mismatch', resealed(set(1, 1))],
    ['the mode open', 'seal-mismatch', resealed(set(1, 0))],
    ['another version', 'wrong-secret', resealed(set(3, 9))],
    ['unknown flags', 'seal-mismatch', resealed((seal) => set(4, (seal[4] ?? 0) | 8)(seal))],
    ['another key', 'wrong-secret', resealed((seal) => set(40, (seal[40] ?? 0) ^ 1)(seal))],
    [
      'no X25519',
      'wrong-secret',
      resealed((seal) => set(4, 4)(Buffer.concat([seal.subarray(0, 86), seal.subarray(118)]))),
    ],
    ['one that is cut', 'seal-mismatch', resealed((seal) => seal.subarray(0, -1))],
  ]
  it.each(lies)('is refused with a secret: %s', async (_what, code, lie) => {
    const stage = new Stage()
    stage.server.told = lie
    const { ada, bob } = await stage.two()
    ada.say(1)
    bob.say(2)
    await stage.run(1_000)
    expect([ada.heard, bob.heard]).toEqual([[], []])
    expect(ada.refused).toContain(code)
    expect(bob.refused).toContain(bob.room.status === 'closed' ? `closed: ${code}` : code)
    expect(ada.room.peers.size + bob.room.peers.size).toBe(0)
  })

  // Where nothing proves an announcement, what was altered makes other keys on each side.
  it.each([
    ['another version', resealed(set(3, 9))],
    ['no X25519', resealed((seal) => set(4, 0)(seal.subarray(0, 86)))],
  ] as const)('has nothing opened without a secret: %s', async (_what, lie) => {
    const stage = new Stage()
    stage.server.told = (client, message) => (client === 'bob' ? lie(client, message) : message)
    const { ada, bob } = await stage.two({})
    ada.say(1)
    bob.say(2)
    await stage.run(1_000)
    expect([ada.heard, bob.heard]).toEqual([[], []])
    expect(ada.refused).toContain('forged')
    expect(bob.refused).toContain('forged')
  })

  it('cannot show another key of a member later', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two({})
    const { seal } = stage.server.who('ada')
    stage.server.tell('ada', {
      t: 'changed',
      version: 3,
      id: stage.server.who('bob').id,
      seal,
    })
    await stage.run(100)
    bob.say(1)
    ada.say(2)
    await stage.run(1_000)
    expect([ada.heard, bob.heard]).toEqual([['bob 1'], ['ada 2']])
    expect(ada.refused).toContain('seal-changed')
  })

  it('cannot show a member as another', async () => {
    const stage = new Stage()
    // Bob is shown with the instance and keys of Ada's, to Carol.
    stage.server.told = (client, message) =>
      client !== 'carol'
        ? message
        : rewriteMembers(message, (member) =>
            member.id === stage.server.who('bob').id
              ? { ...member, ...stage.server.who('ada'), id: member.id }
              : member,
          )
    const { bob, carol } = await stage.three()
    bob.say(1)
    await stage.run(1_000)
    expect(carol.heard).toEqual([])
    expect(carol.refused).toContain('forged')
  })
})

describe('somebody with another secret', () => {
  it('is told at once, and reads nothing', async () => {
    const stage = new Stage()
    const ada = stage.join('ada')
    await stage.run(300)
    const bob = stage.join('bob', { secret: OTHER_SECRET })
    ada.say(1)
    await stage.run(200)
    expect(bob.room.status).toBe('closed')
    expect(bob.refused).toContain('closed: wrong-secret')
    expect(ada.refused).toEqual(['wrong-secret'])
    expect(bob.heard).toEqual([])
  })
})
