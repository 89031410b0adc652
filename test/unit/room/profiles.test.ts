import { describe, expect, it } from 'vitest'
import type { Json } from '../../../signaling/protocol/index.ts'
import type { JoinOptions, Newcomer } from '../../../web/client/face.ts'
import { MaliciousServer, rewriteMembers, type Told } from '../../sealing/malicious-server.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'

const SECRET = 'AAECAwQFBgcICQoLDA0ODw'

class Stage {
  readonly server = new MaliciousServer()
  readonly world = new SimWorld(1, { between: this.server.between })
  readonly told: string[] = []

  join(name: string, options: JoinOptions = {}): SimClient {
    const client = this.world.join('lobby', name, {
      paths: ['relay'],
      secret: SECRET,
      profile: { name, 10: 1, 9: [true, null, -0.5] },
      ...options,
    })
    client.room.on('refused', ({ error }) => this.told.push(`${name}: ${error.code}`))
    return client
  }

  async two(options: JoinOptions = {}): Promise<{ ada: SimClient; bob: SimClient }> {
    const ada = this.join('ada', options)
    await this.run(300)
    const bob = this.join('bob', options)
    await this.run(1_000)
    return { ada, bob }
  }

  run(ms: number): Promise<void> {
    return this.world.clock.run(ms)
  }
}

const seen = ({ room }: SimClient) =>
  [...room.peers.values()].map(({ profile, profileVerified }) => [profile, profileVerified])

/** Shows these profiles, by the name in the true one. */
const shows =
  (profiles: { readonly [name: string]: Json }) =>
  (_client: string, message: Told): Told => {
    const rewritten = rewriteMembers(message, (member) => {
      const { name } = (member.profile ?? {}) as { readonly name?: string }
      return name !== undefined && name in profiles ? { ...member, profile: profiles[name] } : member
    })
    const { profile } = rewritten as { readonly profile?: { readonly name?: string } }
    const { name } = profile ?? {}
    return name !== undefined && name in profiles ? ({ ...rewritten, profile: profiles[name] } as Told) : rewritten
  }

describe.each([
  ['with a secret', {}],
  ['without a secret', { secret: undefined }],
] as const)('a profile, %s', (_what, keyed) => {
  it('is verified from the beginning, and again after a change', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two(keyed as JoinOptions)
    expect(seen(bob)).toEqual([[{ name: 'ada', 10: 1, 9: [true, null, -0.5] }, true]])
    const changes: unknown[] = []
    bob.room.on('change', ({ profile, profileVerified }) => changes.push([profile, profileVerified]))
    void ada.room.setProfile({ name: 'Ada' })
    await stage.run(1_000)
    expect(changes.at(-1)).toEqual([{ name: 'Ada' }, true])
    const carol = stage.join('carol', keyed as JoinOptions)
    await stage.run(1_000)
    expect(new Set(seen(carol).map(([, isVerified]) => isVerified))).toEqual(new Set([true]))
    await stage.run(30_000)
    expect(stage.told).toEqual([])
  })

  it('that the server rewrites is told of, for those who come and those who are there', async () => {
    const stage = new Stage()
    stage.server.told = shows({ ada: { name: 'Eve' } })
    const { bob } = await stage.two(keyed as JoinOptions)
    expect(seen(bob)).toEqual([[{ name: 'Eve' }, undefined]])
    await stage.run(10_000)
    expect(seen(bob)).toEqual([[{ name: 'Eve' }, false]])
    expect(stage.told).toEqual(['bob: profile-altered'])
  })

  it('that the server rewrites later, or keeps from the others, is told of', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two(keyed as JoinOptions)
    stage.server.told = shows({ Ada: { name: 'ada' } })
    void ada.room.setProfile({ name: 'Ada' })
    await stage.run(12_000)
    expect(seen(bob)).toEqual([[{ name: 'ada' }, false]])
    expect(stage.told).toEqual(['bob: profile-altered'])
    // It shows the right one after all.
    stage.server.told = (_client, message) => message
    void ada.room.setProfile({ name: 'Ada again' })
    await stage.run(1_000)
    expect(seen(bob)).toEqual([[{ name: 'Ada again' }, true]])
  })
})

it('an empty profile is one: nobody can put another in its place', async () => {
  const stage = new Stage()
  const { ada, bob } = await stage.two({ profile: null })
  expect([seen(ada), seen(bob)]).toEqual([[[null, true]], [[null, true]]])
})

it('in an open room nobody knows whose a profile is', async () => {
  const stage = new Stage()
  const { bob } = await stage.two({ secret: undefined as never, sealing: 'open' })
  expect(seen(bob).map(([, isVerified]) => isVerified)).toEqual([undefined])
})

it('who asks whom to admit knows whether the profile is its own', async () => {
  const stage = new Stage()
  const asked: Newcomer[] = []
  stage.join('ada', { admit: (newcomer) => asked.push(newcomer) > 0 })
  await stage.run(300)
  stage.join('bob')
  await stage.run(500)
  stage.server.told = shows({ carol: { name: 'bob' } })
  stage.join('carol')
  await stage.run(500)
  expect(asked.map(({ profileVerified }) => profileVerified)).toEqual([true, false])
})

describe('a sealed profile', () => {
  const sealed = { sealProfile: true }

  it('is seen by the members, and not by the server', async () => {
    const stage = new Stage()
    const shown: string[] = []
    stage.server.told = (_client, message) => {
      shown.push(JSON.stringify(message))
      return message
    }
    const { ada, bob } = await stage.two(sealed)
    void ada.room.setProfile({ name: 'Ada Lovelace' })
    await stage.run(1_000)
    const carol = stage.join('carol')
    await stage.run(1_000)
    expect(seen(bob)[0]).toEqual([{ name: 'Ada Lovelace' }, true])
    expect(seen(carol)).toContainEqual([{ name: 'Ada Lovelace' }, true])
    expect(seen(carol)).toContainEqual([expect.objectContaining({ name: 'bob' }), true])
    // Carol does not ask for it, and is seen all the same.
    expect(seen(bob)).toContainEqual([expect.objectContaining({ name: 'carol' }), true])
    expect(shown.join()).not.toMatch(/Lovelace|"name":"(ada|bob)"/)
    await stage.run(20_000)
    expect(stage.told).toEqual([])
  })

  it('of somebody else, an older one, or one that does not open, is not taken for its own', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two(sealed)
    const profiles: Json[] = []
    stage.server.told = (client, message) => {
      const { profile } = message as { readonly profile?: Json }
      if (profile !== undefined && client === 'bob') profiles.push(profile)
      return message
    }
    void ada.room.setProfile({ name: 'first' })
    await stage.run(500)
    void ada.room.setProfile({ name: 'second' })
    await stage.run(500)
    expect(profiles).toHaveLength(2)
    const version = (message: number) => ({ t: 'changed', version: message, id: stage.server.who('ada').id })
    stage.server.tell('bob', { ...version(5), profile: profiles[0] })
    await stage.run(11_000)
    expect(seen(bob)).toEqual([[{ name: 'first' }, false]])
    stage.server.tell('bob', { ...version(6), profile: { sealed: 'BQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } })
    await stage.run(1_000)
    expect(seen(bob)).toEqual([[null, false]])
    expect(stage.told).toEqual(['bob: profile-altered'])
  })
})
