/** Real rooms and the real hub, and between them a server that lies: who heard what, and what was refused. */
import { expect } from 'vitest'
import type { InstanceId, PeerId } from '../../signaling/protocol/index.ts'
import type { OpenCarrier } from '../../web/client/carriers/carrier.ts'
import type { PartylineError } from '../../web/client/errors.ts'
import type { JoinOptions } from '../../web/client/face.ts'
import { clearUplink } from '../simulation/sim-server.ts'
import { type SimClient, SimWorld } from '../simulation/sim-world.ts'
import { MaliciousServer } from './malicious-server.ts'
import { RawMember, type RawMemberOptions } from './raw-member.ts'

export const LOBBY = 'lobby'
export const SECRET = 'AAECAwQFBgcICQoLDA0ODw'
export const OTHER_SECRET = 'EAECAwQFBgcICQoLDA0ODw'

interface Line {
  readonly n: number
}

export interface Person extends SimClient {
  /** What it was handed, as `sender n`. */
  readonly heard: string[]
  /** Codes of `refused`, and why the room ended. */
  readonly refused: string[]
  /** The same with the member that it is about, as `name code`. */
  readonly refusedOf: string[]
  /** To the room, or to some. */
  say(n: number, to?: readonly Person[]): void
  readonly id: PeerId
  readonly instance: InstanceId
}

export class Stage {
  readonly server = new MaliciousServer()
  readonly world: SimWorld
  readonly people: Person[] = []
  readonly raw: RawMember[] = []

  constructor(
    seed = 1,
    private readonly room = LOBBY,
  ) {
    this.world = new SimWorld(seed, { between: this.server.between })
  }

  join(name: string, options: JoinOptions = { secret: SECRET }, room = this.room): Person {
    const client = this.world.join(room, name, { paths: ['relay'], profile: { name }, ...options })
    const channel = client.room.channel<Line>('chat')
    const heard: string[] = []
    const refused: string[] = []
    const refusals: { readonly id: PeerId; readonly code: string }[] = []
    channel.on('message', ({ from, data }) => heard.push(`${this.nameOf(from)} ${data.n}`))
    client.room.on('refused', ({ id, error }) => {
      refused.push(error.code)
      refusals.push({ id, code: error.code })
    })
    client.room.ready.catch((error: PartylineError) => refused.push(`closed: ${error.code}`))
    const { server } = this
    const named = (id: PeerId): string => this.nameOf(id)
    const person: Person = {
      ...client,
      heard,
      refused,
      get refusedOf() {
        return refusals.map(({ id, code }) => `${named(id)} ${code}`)
      },
      say: (n, to) => {
        if (client.room.status !== 'closed') channel.send({ n }, to === undefined ? {} : { to: to.map(({ id }) => id) })
      },
      get id() {
        return server.who(name).id
      },
      get instance() {
        return server.who(name).instance
      },
    }
    this.people.push(person)
    return person
  }

  /** A member of the tests' own, which does as it likes; admitted like any other. */
  async rawMember(name: string, options: Partial<RawMemberOptions> = {}): Promise<RawMember> {
    const { world } = this
    const member = new RawMember(
      { mode: 'secret', room: this.room, S: Buffer.from(SECRET, 'base64url'), number: this.raw.length, ...options },
      world.clock,
    )
    member.enter(this.opens())
    this.raw.push(member)
    await this.run(500)
    this.server.clients.set(name, { id: member.id, instance: member.instance, seal: member.seal })
    return member
  }

  /** Another way to the server. */
  opens(): OpenCarrier {
    return this.world.server.open(clearUplink(20))
  }

  async two(options?: JoinOptions): Promise<{ ada: Person; bob: Person }> {
    const ada = this.join('ada', options)
    await this.run(300)
    const bob = this.join('bob', options)
    await this.run(1_000)
    return { ada, bob }
  }

  async three(options?: JoinOptions) {
    const two = await this.two(options)
    const carol = this.join('carol', options)
    await this.run(1_000)
    return { ...two, carol }
  }

  run(ms: number): Promise<void> {
    return this.world.clock.run(ms)
  }

  nameOf(id: string): string {
    return [...this.server.clients].find(([, shown]) => shown.id === id)?.[0] ?? 'nobody'
  }
}

export interface Company {
  readonly stage: Stage
  readonly ada: Person
  readonly bob: Person
  readonly mallory: RawMember
}

/** Ada and Bob, who have spoken, and Mallory, who has been given their keys. */
export async function company(mode: 'link' | 'secret' = 'secret'): Promise<Company> {
  const stage = new Stage()
  const { ada, bob } = await stage.two(mode === 'link' ? {} : undefined)
  const mallory = await stage.rawMember('mallory', { mode })
  ada.say(1)
  bob.say(2)
  await stage.run(500)
  return { stage, ada, bob, mallory }
}

/** Ada and Bob hear each other as ever. */
export async function goesOn({ stage, ada, bob }: Pick<Company, 'stage' | 'ada' | 'bob'>): Promise<void> {
  const [atAda, atBob] = [ada.heard.length, bob.heard.length]
  ada.say(1_001)
  bob.say(1_002)
  await stage.run(3_000)
  expect(ada.heard.slice(atAda)).toEqual(['bob 1002'])
  expect(bob.heard.slice(atBob)).toEqual(['ada 1001'])
}
