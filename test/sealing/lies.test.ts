import { describe, expect, it } from 'vitest'
import type { PartylineError } from '../../web/client/errors.ts'
import type { JoinOptions } from '../../web/client/face.ts'
import { type SimClient, SimWorld } from '../simulation/sim-world.ts'
import { type Handed, MaliciousServer, Middle, rewriteMembers, type Shown, type Told } from './malicious-server.ts'

const SECRET = 'AAECAwQFBgcICQoLDA0ODw'
const OTHER_SECRET = 'EAECAwQFBgcICQoLDA0ODw'

interface Line {
  readonly n: number
}

interface Person extends SimClient {
  /** What it was handed, as `sender n`. */
  readonly heard: string[]
  readonly refused: string[]
  say(n: number): void
}

class Stage {
  readonly server = new MaliciousServer()
  readonly world: SimWorld
  readonly people: Person[] = []

  constructor(seed = 1) {
    this.world = new SimWorld(seed, { between: this.server.between })
  }

  join(name: string, options: JoinOptions = { secret: SECRET }): Person {
    const client = this.world.join('lobby', name, { paths: ['relay'], profile: { name }, ...options })
    const channel = client.room.channel<Line>('chat')
    const heard: string[] = []
    const refused: string[] = []
    channel.on('message', ({ from, data }) => heard.push(`${this.#nameOf(from)} ${data.n}`))
    client.room.on('refused', ({ error }) => refused.push(error.code))
    client.room.ready.catch((error: PartylineError) => refused.push(`closed: ${error.code}`))
    const person = {
      ...client,
      heard,
      refused,
      say: (n: number) => void (client.room.status === 'closed' || channel.send({ n })),
    }
    this.people.push(person)
    return person
  }

  async two(options?: JoinOptions): Promise<{ ada: Person; bob: Person }> {
    const ada = this.join('ada', options)
    await this.world.clock.run(300)
    const bob = this.join('bob', options)
    await this.world.clock.run(1_000)
    return { ada, bob }
  }

  async three(options?: JoinOptions) {
    const two = await this.two(options)
    const carol = this.join('carol', options)
    await this.world.clock.run(1_000)
    return { ...two, carol }
  }

  run(ms: number): Promise<void> {
    return this.world.clock.run(ms)
  }

  #nameOf(id: string): string {
    return [...this.server.clients].find(([, shown]) => shown.id === id)?.[0] ?? 'nobody'
  }
}

const flipped = (payload: Uint8Array, at: number): Uint8Array => {
  const copy = payload.slice()
  copy[at] = (copy[at] ?? 0) ^ 0x81
  return copy
}

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

describe('a server that tampers with records', () => {
  it('has none opened whose bytes it altered, whatever the place', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    let altered = 0
    const before = bob.room.stats().sealing.opened
    const longest = 80
    for (let at = 0; at < longest; at += 1) {
      stage.server.handed = (client, frame) => {
        if (client !== 'bob' || at >= frame.payload.length) return [frame]
        altered += 1
        return [{ ...frame, payload: flipped(frame.payload, at) }, frame]
      }
      ada.say(at)
      await stage.run(200)
    }
    expect(bob.heard).toEqual(Array.from({ length: longest }, (_, n) => `ada ${n}`))
    expect(altered).toBeGreaterThan(longest / 2)
    const { refused, opened } = bob.room.stats().sealing
    expect(opened).toBeGreaterThan(before)
    expect(refused.forged).toBeGreaterThan(0)
    expect(refused.unsealed).toBeGreaterThan(0)
    expect(new Set(bob.refused)).toEqual(new Set(['forged', 'unsealed']))
  })

  it('has nothing delivered twice, and nothing old', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    for (let n = 0; n < 10; n += 1) {
      ada.say(n)
      await stage.run(100)
    }
    for (const frame of stage.server.recordsOf('bob')) stage.server.hand('bob', frame)
    await stage.run(1_000)
    for (const frame of [...stage.server.recordsOf('bob')].reverse()) stage.server.hand('bob', frame)
    await stage.run(1_000)
    ada.say(10)
    await stage.run(500)
    expect(bob.heard).toEqual(Array.from({ length: 11 }, (_, n) => `ada ${n}`))
    expect(bob.refused).toContain('replayed')
  })

  it('only delays what it drops', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    let passing = 0
    stage.server.handed = (_client, frame) => {
      passing += 1
      return passing % 3 === 0 ? [] : [frame]
    }
    for (let n = 0; n < 30; n += 1) {
      ada.say(n)
      await stage.run(20)
    }
    await stage.run(20_000)
    expect(bob.heard).toEqual(Array.from({ length: 30 }, (_, n) => `ada ${n}`))
  })

  it('cannot name another sender, hand it to another, or send it back', async () => {
    const stage = new Stage()
    const { ada, bob, carol } = await stage.three()
    const id = (name: string) => stage.server.who(name).id
    const said: [string, Handed][] = []
    stage.server.handed = (client, frame) => {
      said.push([client, frame])
      return [frame]
    }
    ada.say(1)
    bob.say(2)
    await stage.run(500)
    for (const person of stage.people) person.refused.length = 0
    for (const [, { from, payload }] of said.slice()) {
      for (const client of ['ada', 'bob', 'carol']) {
        for (const sender of ['ada', 'bob', 'carol']) {
          if (id(sender) !== from || id(client) === from) stage.server.hand(client, { from: id(sender), payload })
        }
      }
    }
    await stage.run(1_000)
    expect(ada.heard).toEqual(['bob 2'])
    expect(bob.heard).toEqual(['ada 1'])
    expect(carol.heard.sort()).toEqual(['ada 1', 'bob 2'])
    for (const person of stage.people) expect(person.refused).toContain('forged')
  })

  it('cannot put in a frame that is not sealed, from a member or from nobody', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    ada.say(0)
    await stage.run(300)
    const text = new TextEncoder().encode('{"n":7}')
    for (const first of Array.from({ length: 256 }, (_, byte) => byte)) {
      const payload = Uint8Array.of(first, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, ...text)
      for (const from of [stage.server.who('ada').id, '00000000000000aa' as Shown['id']]) {
        stage.server.hand('bob', { from, payload })
      }
    }
    await stage.run(1_000)
    ada.say(1)
    await stage.run(300)
    expect(bob.heard).toEqual(['ada 0', 'ada 1'])
    expect(bob.refused).toContain('unsealed')
  })

  it('cannot mix rooms of one secret', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    ada.say(1)
    await stage.run(300)
    const other = new Stage(2)
    const elsewhere = other.world.join('attic', 'eve', { paths: ['relay'], secret: SECRET })
    await other.run(300)
    const eve = other.server.who('eve')
    stage.server.tell('bob', {
      t: 'joined',
      version: 3,
      member: { ...eve, id: '00000000000000ee' as Shown['id'], profile: null, presence: 'here' },
    })
    await stage.run(300)
    expect(elsewhere.room.status).toBe('online')
    expect(bob.refused).toContain('wrong-secret')
    expect(bob.room.peers.size).toBe(1)
  })
})
