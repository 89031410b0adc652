import { describe, expect, it } from 'vitest'
import type { Json } from '../../../signaling/protocol/guards.ts'
import type { Member } from '../../../signaling/sessions/member.ts'
import { WEBHOOK_EVENTS, type WebhookEvent, type WebhookEventType } from '../../../signaling/webhooks/events.ts'
import { verifyWebhook } from '../../../signaling/webhooks/signature.ts'
import { Webhooks } from '../../../signaling/webhooks/webhooks.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { seededRandom, World } from '../signaling/hub-world.ts'

interface Posted {
  readonly events: readonly WebhookEvent[]
  readonly dropped: number
}

/** A backend whose answers are given by hand. */
class Backend {
  readonly clock = new FakeClock()
  readonly warnings: string[] = []
  readonly posted: Posted[] = []
  readonly headers: Record<string, string>[] = []
  readonly bodies: string[] = []
  #answer: ((status: number | Error) => void) | undefined
  readonly webhooks: Webhooks

  constructor(events: readonly WebhookEventType[] = WEBHOOK_EVENTS) {
    this.webhooks = new Webhooks({
      url: 'https://backend.example/hook',
      events: new Set(events),
      secrets: ['secret'],
      clock: this.clock,
      random: seededRandom(7),
      fetch: (_url, init) => {
        this.bodies.push(String(init?.body))
        this.posted.push(JSON.parse(String(init?.body)) as Posted)
        this.headers.push(init?.headers as Record<string, string>)
        return new Promise((resolve, reject) => {
          this.#answer = (status) => {
            this.#answer = undefined
            if (typeof status === 'number') resolve(new Response(null, { status }))
            else reject(status)
          }
        })
      },
      log: { warn: (_, message) => this.warnings.push(message) },
    })
  }

  get waits(): boolean {
    return this.#answer !== undefined
  }

  async answer(status: number | Error): Promise<void> {
    if (this.#answer === undefined) throw new Error('nothing was posted')
    this.#answer(status)
    // Promises of the post and of what follows it.
    for (let index = 0; index < 10; index += 1) await Promise.resolve()
  }

  rooms(index: number): string[] {
    return this.posted[index]?.events.map(({ room }) => room) ?? []
  }
}

/** One that is in a room. */
function aMember(profile: Json): Member {
  let member: Member | undefined
  const watcher = {
    joined: (one: Member) => {
      member = one
    },
    ...{ opened() {}, emptied() {}, left() {} },
  }
  new World({ options: { profileBytes: 16_000 }, watcher }).enter('lobby', profile)
  if (member === undefined) throw new Error('nobody joined')
  return member
}

const types = ({ events }: Posted): string[] => events.map(({ type, room }) => `${type} ${room}`)

describe('webhooks', () => {
  it('tell of what happened together in one signed post, in order', async () => {
    const backend = new Backend()
    backend.webhooks.opened('a')
    backend.webhooks.emptied('a')
    expect(backend.posted).toEqual([])
    backend.clock.advance(50)
    expect(backend.posted.map(types)).toEqual([['room.created a', 'room.emptied a']])
    const [one, other] = backend.posted[0]?.events ?? []
    expect(one?.id).toMatch(/^[0-9a-f]{16}$/)
    expect(one?.id).not.toBe(other?.id)
    expect(one?.atMs).toBe(1_700_000_000_000)
    const header = backend.headers[0]?.['partyline-signature']
    expect(verifyWebhook(backend.bodies[0] ?? '', header, 'secret', { nowMs: backend.clock.nowMs() })).toBe(true)
    await backend.answer(200)
    expect(backend.webhooks.stats).toEqual({ waiting: 0, delivered: 2, dropped: 0, failedAttempts: 0 })
    expect(backend.clock.pending()).toBe(0)
  })

  it('come one after the other', async () => {
    const backend = new Backend()
    backend.webhooks.opened('a')
    backend.clock.advance(50)
    backend.webhooks.opened('b')
    backend.clock.advance(1_000)
    expect(backend.posted).toHaveLength(1)
    await backend.answer(204)
    backend.clock.advance(0)
    expect(backend.rooms(1)).toEqual(['b'])
  })

  it('hold at most 100 events each', async () => {
    const backend = new Backend()
    for (let index = 0; index < 150; index += 1) backend.webhooks.opened(`${index}`)
    backend.clock.advance(50)
    await backend.answer(200)
    backend.clock.advance(0)
    expect(backend.posted.map(({ events }) => events.length)).toEqual([100, 50])
    expect(backend.rooms(1)[0]).toBe('100')
  })

  it('that are not taken come again, the same, later and later, and then the rest', async () => {
    const backend = new Backend()
    backend.webhooks.opened('a')
    backend.clock.advance(50)
    backend.webhooks.opened('b')
    const waits: number[] = []
    for (const failure of [500, 302, new Error('refused'), 404]) {
      await backend.answer(failure)
      const sinceMs = backend.clock.nowMs()
      while (!backend.waits) backend.clock.advance(10)
      waits.push(backend.clock.nowMs() - sinceMs)
    }
    for (const [index, waitedMs] of waits.entries()) {
      expect(waitedMs).toBeGreaterThanOrEqual(500 * 2 ** index)
      expect(waitedMs).toBeLessThanOrEqual(1_000 * 2 ** index + 10)
    }
    expect(new Set(backend.posted.map(({ events }) => JSON.stringify(events))).size).toBe(1)
    await backend.answer(200)
    backend.clock.advance(0)
    await backend.answer(200)
    expect(backend.rooms(5)).toEqual(['b'])
    expect(backend.webhooks.stats).toEqual({ waiting: 0, delivered: 2, dropped: 0, failedAttempts: 4 })
    expect(backend.warnings).toHaveLength(1)
  })

  it('that come again are signed with the secrets of that time', async () => {
    const backend = new Backend()
    backend.webhooks.opened('a')
    backend.clock.advance(50)
    await backend.answer(500)
    backend.webhooks.signWith(['next secret', 'secret'])
    while (!backend.waits) backend.clock.advance(10)
    const [body = ''] = backend.bodies
    const good = (post: number, secret: string): boolean =>
      verifyWebhook(body, backend.headers[post]?.['partyline-signature'], secret, { nowMs: backend.clock.nowMs() })
    expect([good(0, 'secret'), good(0, 'next secret')]).toEqual([true, false])
    expect([good(1, 'secret'), good(1, 'next secret')]).toEqual([true, true])
  })

  it('are given up after ten attempts, and the next says how many are missing', async () => {
    const backend = new Backend()
    backend.webhooks.opened('a')
    backend.clock.advance(50)
    backend.webhooks.opened('b')
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      await backend.answer(500)
      while (!backend.waits) backend.clock.advance(100)
    }
    expect(backend.posted.at(-1)).toMatchObject({ events: [{ room: 'b' }], dropped: 1 })
    await backend.answer(200)
    backend.webhooks.opened('c')
    backend.clock.advance(50)
    expect(backend.posted.at(-1)).toMatchObject({ events: [{ room: 'c' }], dropped: 0 })
    expect(backend.webhooks.stats).toMatchObject({ dropped: 1, delivered: 1 })
  })

  it('wait in a queue that is bounded', async () => {
    const backend = new Backend()
    for (let index = 0; index < 10_003; index += 1) backend.webhooks.opened(`${index}`)
    expect(backend.webhooks.stats).toMatchObject({ waiting: 10_000, dropped: 3 })
    backend.clock.advance(50)
    expect(backend.posted[0]).toMatchObject({ dropped: 3 })
  })

  it('wait in a queue that is bounded in bytes, too', async () => {
    const backend = new Backend()
    const ada = aMember(Array.from({ length: 500 }, () => 'abcde'))
    for (let index = 0; index < 10_000; index += 1) backend.webhooks.joined(ada, false)
    const { waiting, dropped } = backend.webhooks.stats
    expect(waiting + dropped).toBe(10_000)
    backend.clock.advance(50)
    const [body = ''] = backend.bodies
    const eventBytes = body.length / (backend.posted[0]?.events.length ?? 0)
    expect(eventBytes).toBeGreaterThan(4_000)
    expect(waiting * eventBytes).toBeLessThan(16_777_216 + 2 * eventBytes)
    expect(waiting * eventBytes).toBeGreaterThan(16_000_000)
    expect(backend.posted[0]).toMatchObject({ dropped })
    // What was taken makes room.
    await backend.answer(200)
    backend.webhooks.joined(ada, false)
    expect(backend.webhooks.stats).toMatchObject({ waiting: waiting - 99, dropped })
  })

  it('end at 1 MiB each, and the rest follows', async () => {
    const backend = new Backend()
    const ada = aMember('x'.repeat(15_900))
    for (let index = 0; index < 90; index += 1) backend.webhooks.joined(ada, false)
    backend.clock.advance(50)
    await backend.answer(200)
    backend.clock.advance(0)
    await backend.answer(200)
    expect(backend.posted.map(({ events }) => events.length)).toEqual([65, 25])
    expect(backend.bodies[0]?.length).toBeLessThan(1_048_576 + 100)
    expect(backend.webhooks.stats).toMatchObject({ waiting: 0, delivered: 90 })
  })

  it('are only those that are wanted', () => {
    const backend = new Backend(['room.emptied'])
    backend.webhooks.opened('a')
    backend.webhooks.emptied('b')
    backend.clock.advance(50)
    expect(backend.posted.map(types)).toEqual([['room.emptied b']])
  })

  it('are tried once more at the end', async () => {
    const backend = new Backend()
    backend.webhooks.opened('a')
    const closed = backend.webhooks.close(1_000)
    expect(backend.rooms(0)).toEqual(['a'])
    await backend.answer(200)
    await closed
    backend.webhooks.opened('b')
    expect(backend.webhooks.stats).toMatchObject({ waiting: 0, delivered: 1 })
    expect(backend.clock.pending()).toBe(0)
  })

  it('hold nobody up at the end', async () => {
    const refusing = new Backend()
    refusing.webhooks.opened('a')
    const first = refusing.webhooks.close(1_000)
    await refusing.answer(500)
    await first
    const silent = new Backend()
    silent.webhooks.opened('a')
    const second = silent.webhooks.close(1_000)
    silent.clock.advance(1_000)
    await second
    for (const { warnings, clock } of [refusing, silent]) {
      expect(warnings).toHaveLength(1)
      expect(clock.pending()).toBe(0)
    }
    await new Backend().webhooks.close(1_000)
  })
})

describe('the hub tells', () => {
  it('of rooms and members that come and go', () => {
    const told: string[] = []
    const world = new World({
      watcher: {
        opened: (room) => told.push(`opened ${room}`),
        emptied: (room) => told.push(`emptied ${room}`),
        joined: ({ id }, resumed) => told.push(`joined ${id}${resumed ? ' again' : ''}`),
        left: ({ id }, reason) => told.push(`left ${id} ${reason}`),
      },
    })
    const ada = world.enter('lobby')
    const bob = world.enter('lobby')
    bob.uplink.drop()
    ada.request({ t: 'leave' })
    world.clock.advance(20_000)
    expect(told).toEqual([
      'opened lobby',
      `joined ${ada.id}`,
      `joined ${bob.id}`,
      `left ${ada.id} left`,
      `left ${bob.id} expired`,
      'emptied lobby',
    ])
  })
})
