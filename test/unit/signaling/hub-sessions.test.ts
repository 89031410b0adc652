import { describe, expect, it } from 'vitest'
import { OPEN_GRANT } from '../../../signaling/access/grant.ts'
import { MemoryDepartures } from '../../../signaling/sessions/departures.ts'
import type { Member } from '../../../signaling/sessions/member.ts'
import type { SessionWatcher } from '../../../signaling/sessions/watcher.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { type Client, KEY, World, type WorldParts } from './hub-world.ts'

/** The same client on a new uplink, with the newest token it has. */
function comeBack(world: World, client: Client, token = client.last('welcome').token): Client {
  const next = world.connect().sameAs(client)
  next.join({ token })
  return next
}

/** Two lives of one server, with the same clock and, by default, the same key. */
function restart(first: World, parts: WorldParts = {}): World {
  return new World({ clock: first.clock, departures: first.departures, seed: 99, ...parts })
}

describe('resume', () => {
  it('brings a member back after its uplink dropped, as the same member', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    bob.uplink.drop()
    expect(ada.last('changed')).toEqual({ t: 'changed', version: 3, id: bob.id, presence: 'away' })
    const back = comeBack(world, bob)
    expect(back.id).toBe(bob.id)
    expect(back.last('welcome')).toMatchObject({ resumed: true, version: 4 })
    expect(ada.last('changed')).toEqual({ t: 'changed', version: 4, id: bob.id, presence: 'here' })
    world.clock.advance(60_000)
    expect(ada.messages('left')).toEqual([])
    ada.to(bob, 'still you')
    expect(back.texts()).toEqual(['still you'])
  })

  it('takes over the profile it comes back with', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter('lobby', { name: 'Bob' })
    bob.uplink.drop()
    const back = world.connect().sameAs(bob)
    back.join({ token: bob.last('welcome').token, profile: { name: 'Robert' } })
    expect(ada.last('changed')).toMatchObject({ id: bob.id, presence: 'here', profile: { name: 'Robert' } })
  })

  it('replaces the older uplink by the newer one, and nobody sees a change', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    const newer = comeBack(world, bob)
    expect(bob.last('bye').code).toBe(4002)
    expect(bob.uplink.closedWith?.code).toBe(4002)
    bob.uplink.drop()
    expect(ada.messages('changed')).toEqual([])
    ada.to(bob, 'hello')
    expect(newer.texts()).toEqual(['hello'])
    expect(bob.texts()).toEqual([])
    bob.all('from the old uplink')
    expect(ada.texts()).toEqual([])
  })

  it('brings a member back after a restart with the same key, in a new epoch', () => {
    const world = new World()
    const ada = world.enter('lobby', { name: 'Ada' })
    const bob = world.enter()
    world.hub.close(1012)
    const next = restart(world)
    const adaBack = comeBack(next, ada)
    const bobBack = comeBack(next, bob)
    expect(adaBack.id).toBe(ada.id)
    expect(bobBack.id).toBe(bob.id)
    expect(adaBack.last('welcome').resumed).toBe(true)
    expect(adaBack.last('welcome').epoch).not.toBe(ada.last('welcome').epoch)
    expect(adaBack.last('welcome').version).toBe(1)
    expect(adaBack.last('joined').member.id).toBe(bob.id)
  })

  it('knows after a restart who showed an instance first, whoever is back first', () => {
    const borrowed = new Map<string, boolean>()
    const watcher: SessionWatcher = {
      joined: ({ id, borrowed: isIt }) => void borrowed.set(id, isIt),
      ...{ opened() {}, left() {}, emptied() {} },
    }
    const world = new World({ watcher })
    const ada = world.enter()
    const eve = world.connect()
    eve.instance = ada.instance
    eve.join()
    const both = (): unknown[] => [ada, eve].map(({ id }) => borrowed.get(id))
    expect(both()).toEqual([false, true])
    world.hub.close(1012)
    borrowed.clear()
    const next = restart(world, { watcher })
    const evesBack = comeBack(next, eve)
    const adasBack = comeBack(next, ada)
    expect(both()).toEqual([false, true])
    // Whoever borrowed it does not own it when the other leaves.
    adasBack.request({ t: 'leave' })
    const anew = next.connect().sameAs(ada)
    anew.join()
    expect(evesBack.uplink.closedWith).toBeUndefined()
    expect(borrowed.get(anew.id)).toBe(false)
  })

  it('refuses tokens after a restart with another key, takes them with the old key behind a new one', () => {
    const world = new World()
    const ada = world.enter()
    const fresh = new Uint8Array(32).fill(9)
    const other = comeBack(restart(world, { keys: [fresh] }), ada)
    expect(other.last('error')).toMatchObject({ code: 'token-invalid', fatal: true })
    expect(other.uplink.closedWith?.code).toBe(4007)
    expect(comeBack(restart(world, { keys: [fresh, KEY] }), ada).id).toBe(ada.id)
  })

  it.each([
    ['another room', (): object => ({ room: 'other' })],
    ['another instance', (): object => ({ instance: 'f'.repeat(32) })],
    ['another instance, after a restart', (): object => ({ instance: 'f'.repeat(32) })],
    [
      'an altered token',
      (token: string): object => ({ token: `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}` }),
    ],
    ['no token at all', (): object => ({ token: 'nonsense' })],
  ])('refuses the token with %s', (what, change) => {
    const world = new World()
    const ada = world.enter()
    const thief = (what.includes('restart') ? restart(world) : world).connect().sameAs(ada)
    const { token } = ada.last('welcome')
    thief.join({ token, ...change(token) })
    expect(thief.last('error')).toMatchObject({ code: 'token-invalid', fatal: true, re: 1 })
    expect(thief.uplink.closedWith?.code).toBe(4007)
    expect(ada.uplink.closedWith).toBeUndefined()
  })

  it('refuses a token that has run out, and renews it in time when asked', () => {
    const world = new World()
    const ada = world.enter()
    world.clock.advance(3_000_000)
    ada.request({ t: 'renew' })
    const renewed = ada.last('renewed')
    expect(renewed).toMatchObject({ re: 2, tokenExpiresAtMs: world.clock.nowMs() + 3_600_000 })
    expect(renewed.iceServers[0]?.username).toBe(`1:${ada.id}`)
    expect(renewed.iceExpiresAtMs).toBe(world.clock.nowMs() + 3_600_000)
    world.clock.advance(600_000)
    const late = comeBack(world, ada)
    expect(late.last('error')).toMatchObject({ code: 'session-ended', fatal: true })
    expect(late.uplink.closedWith?.code).toBe(4007)
    expect(comeBack(world, ada, renewed.token).id).toBe(ada.id)
  })
})

describe('departed ids', () => {
  const departures: Record<string, (world: World, ada: Client) => void> = {
    left: (_, ada) => ada.request({ t: 'leave' }),
    expired: (world, ada) => {
      ada.uplink.drop()
      world.clock.advance(20_000)
    },
    removed: (world, ada) => world.hub.remove('lobby', ada.id),
  }
  const cases = Object.keys(departures).flatMap((how) => [
    [how, 'by the same server'] as const,
    [how, 'after a restart'] as const,
  ])
  it.each(cases)('that %s are refused %s', (how, when) => {
    const world = new World()
    world.enter()
    const ada = world.enter()
    departures[how]?.(world, ada)
    const now = when === 'after a restart' ? restart(world) : world
    const back = comeBack(now, ada)
    expect(back.last('error')).toMatchObject({ code: 'session-ended', fatal: true })
    expect(back.uplink.closedWith?.code).toBe(4007)
    const anew = now.connect().sameAs(ada)
    anew.join()
    expect(anew.id).not.toBe(ada.id)
  })

  it('are remembered for a token from before a restart that lives longer than the new ones', () => {
    const world = new World()
    const ada = world.enter()
    const next = restart(world, { options: { tokenTtlMs: 1_000 } })
    comeBack(next, ada).request({ t: 'leave' })
    next.clock.advance(2_000)
    expect(comeBack(next, ada).last('error').code).toBe('session-ended')
  })

  it('are forgotten when their newest token has run out', () => {
    const departures = new MemoryDepartures()
    const clock = new FakeClock()
    const world = new World({ departures, clock })
    const ada = world.enter()
    clock.advance(1_000)
    ada.request({ t: 'renew' })
    ada.request({ t: 'leave' })
    clock.advance(3_599_999)
    expect(departures.has(ada.id, clock.nowMs())).toBe(true)
    clock.advance(1)
    expect(departures.has(ada.id, clock.nowMs())).toBe(false)
  })
})

describe('presence', () => {
  it('lets a member go when its grace period is over', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    bob.uplink.drop()
    world.clock.advance(19_999)
    expect(ada.messages('left')).toEqual([])
    world.clock.advance(1)
    expect(ada.last('left')).toEqual({ t: 'left', version: 4, id: bob.id, reason: 'expired' })
    expect(world.hub.stats()).toMatchObject({ members: 1, away: 0 })
  })

  it('tells how long the access of one who let its grace period pass would have been good', async () => {
    const clock = new FakeClock()
    const grants = new Map([
      ['ada', undefined],
      ['bob', clock.nowMs() + 30_000],
      ['eve', clock.nowMs() + 10_000],
    ])
    const access = {
      check: async (token = '') => ({ ...OPEN_GRANT, userId: token, expiresAtMs: grants.get(token) }),
    }
    const world = new World({ access, clock })
    const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((token) => {
      const client = world.connect()
      client.join({ access: token })
      return client
    }) as [Client, Client, Client]
    for (let index = 0; index < 10; index += 1) await Promise.resolve()
    bob.uplink.drop()
    eve.uplink.drop()
    clock.advance(20_000)
    expect(ada.messages('left')).toMatchObject([
      { id: bob.id, reason: 'expired', keepMs: 10_000 },
      { id: eve.id, reason: 'expired', keepMs: 0 },
    ])
  })

  it.each([
    [3_000, 3_000],
    [90_000, 20_000],
    [0, 0],
  ])('waits %i ms when asked to, at most the grace period', (asked, waited) => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    bob.say({ t: 'grace', graceMs: asked })
    world.clock.advance(50_000)
    bob.uplink.drop()
    world.clock.advance(waited - 1)
    expect(ada.messages('left')).toHaveLength(0)
    world.clock.advance(1)
    expect(ada.messages('left')).toHaveLength(1)
  })

  it('forgets the shortened grace period with the uplink it was asked on', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    bob.say({ t: 'grace', graceMs: 1_000 })
    bob.uplink.drop()
    comeBack(world, bob).uplink.drop()
    world.clock.advance(19_000)
    expect(ada.messages('left')).toEqual([])
  })

  describe('of a new member whose join came with what opened its uplink', () => {
    const join = { t: 'join', id: 1, vMin: 1, vMax: 1, room: 'lobby', profile: null }
    const keys = { instance: 'a'.repeat(32), joinKey: 'b'.repeat(32) }

    it('ends soon when nothing came after it: it cannot have said that it left', () => {
      const world = new World()
      const ada = world.enter()
      const bob = world.open({ ...join, ...keys })
      expect(bob.last('welcome').members).toMatchObject([{ id: ada.id }])
      bob.uplink.drop()
      world.clock.advance(1_999)
      expect(ada.messages('left')).toEqual([])
      world.clock.advance(1)
      expect(ada.last('left')).toMatchObject({ id: bob.id, reason: 'expired' })
    })

    it('is as long as any when it has said something, or came back with its token', () => {
      const world = new World()
      const ada = world.enter()
      const bob = world.open({ ...join, ...keys })
      bob.say({ t: 'ping', n: 1 })
      bob.uplink.drop()
      world.clock.advance(10_000)
      world.open({ ...join, ...keys, token: bob.last('welcome').token }).uplink.drop()
      world.clock.advance(19_999)
      expect(ada.messages('left')).toEqual([])
    })

    it('is as long as any when it has stayed for 10 s, though it only listens', () => {
      const world = new World()
      const ada = world.enter()
      const bob = world.open({ ...join, ...keys })
      world.clock.advance(10_000)
      bob.uplink.drop()
      world.clock.advance(19_999)
      expect(ada.messages('left')).toEqual([])
    })

    it('is no uplink at all when that is malformed', () => {
      const world = new World()
      const bob = world.open('')
      expect(bob.received()).toMatchObject([
        { t: 'error', code: 'bad-message', fatal: true },
        { t: 'bye', code: 4001 },
      ])
    })
  })

  it('lets a member leave at once', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    const request = bob.request({ t: 'leave' })
    expect(ada.last('left')).toEqual({ t: 'left', version: 3, id: bob.id, reason: 'left' })
    expect(bob.received().slice(-2)).toEqual([
      { t: 'ok', re: request },
      { t: 'bye', code: 1000, reason: 'left' },
    ])
    expect(bob.uplink.closedWith?.code).toBe(1000)
    bob.uplink.drop()
    world.clock.advance(60_000)
    expect(ada.messages('left')).toHaveLength(1)
    expect(ada.messages('changed')).toHaveLength(0)
  })

  it('removes a member', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    expect(world.hub.remove('lobby', bob.id)).toBe(true)
    expect(world.hub.remove('lobby', bob.id)).toBe(false)
    // Again, for those whom it still reaches directly.
    expect(ada.messages('left').map(({ id, reason }) => [id, reason])).toEqual([
      [bob.id, 'removed'],
      [bob.id, 'removed'],
    ])
    expect(ada.last('left').reason).toBe('removed')
    expect(bob.uplink.closedWith?.code).toBe(4005)
  })

  it('tells everyone of a new profile once, however often it is said', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    bob.say({ t: 'profile', id: 5, profile: { name: 'B' } })
    bob.say({ t: 'profile', id: 5, profile: { name: 'B' } })
    expect(ada.messages('changed')).toEqual([{ t: 'changed', version: 3, id: bob.id, profile: { name: 'B' } }])
    expect(bob.messages('ok')).toEqual([
      { t: 'ok', re: 5 },
      { t: 'ok', re: 5 },
    ])
    // The member itself is told too: its own version of the room must keep step.
    expect(bob.messages('changed')).toEqual(ada.messages('changed'))
  })

  it('refuses too large a profile without closing, save in join', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter()
    const profile = 'x'.repeat(4_095)
    const request = bob.request({ t: 'profile', profile })
    expect(bob.last('error')).toMatchObject({ re: request, code: 'too-large', fatal: false })
    expect(bob.last('error').message).toContain('profile')
    expect(bob.uplink.closedWith).toBeUndefined()
    expect(ada.messages('changed')).toEqual([])
    const cy = world.enter('lobby', profile)
    expect(cy.last('error')).toMatchObject({ re: 1, code: 'too-large', fatal: true })
    expect(cy.uplink.closedWith?.code).toBe(4003)
  })

  it('gives events consecutive versions, and snapshots at one', () => {
    const world = new World()
    const ada = world.enter()
    const bob = world.enter('lobby', 'b')
    const cy = world.enter()
    bob.uplink.drop()
    cy.request({ t: 'profile', profile: 1 })
    comeBack(world, bob)
    cy.request({ t: 'leave' })
    const versions = ada
      .received()
      .flatMap((message) => ('version' in message && message.t !== 'welcome' ? [message.version] : []))
    expect(versions).toEqual([2, 3, 4, 5, 6, 7])
    const request = ada.request({ t: 'snapshot' })
    expect(ada.last('snapshot')).toEqual({
      t: 'snapshot',
      re: request,
      epoch: ada.last('welcome').epoch,
      version: 7,
      members: [{ id: bob.id, instance: bob.instance, profile: null, presence: 'here' }],
    })
  })

  it('keeps nobody who has left for having been spoken to', () => {
    const members: Member[] = []
    const nothing = (): void => undefined
    const joined = (member: Member): void => void members.push(member)
    const world = new World({ watcher: { opened: nothing, emptied: nothing, left: nothing, joined } })
    const ada = world.enter()
    let last = ada
    for (let count = 0; count < 10; count += 1) {
      const next = world.enter()
      last.to(next, 'on you go')
      if (last !== ada) last.request({ t: 'leave' })
      last = next
    }
    const reached: Member[] = []
    for (let one = members[0]; one !== undefined; one = one.spokeTo as Member | undefined) reached.push(one)
    expect(reached).toEqual(members.slice(0, 2))
  })

  it('forgets a room with its last member', () => {
    const world = new World()
    const ada = world.enter()
    ada.request({ t: 'leave' })
    expect(world.hub.stats().rooms).toBe(0)
    const bob = world.enter()
    expect(bob.last('welcome').version).toBe(1)
    expect(bob.last('welcome').epoch).not.toBe(ada.last('welcome').epoch)
  })

  it('answers pings with its clock and the version of the room', () => {
    const world = new World()
    const ada = world.enter()
    ada.say({ t: 'ping', n: 3, rttMs: 12.5 })
    expect(ada.last('pong')).toEqual({ t: 'pong', n: 3, version: 1, timeMs: world.clock.nowMs() })
  })
})
