import { describe, expect, it } from 'vitest'
import { MemoryCells } from '../../../signaling/history/cells.ts'
import { HistoryDesk, type HistoryMember } from '../../../signaling/history/desk.ts'
import { LogStore } from '../../../signaling/history/log-store.ts'
import { parseHistoryRule } from '../../../signaling/history/rules.ts'
import type { HistoryStore } from '../../../signaling/history/store.ts'
import { RIGHTS } from '../../../signaling/protocol/access.ts'
import { encodeText } from '../../../signaling/protocol/bytes.ts'
import type { InstanceId, PeerId } from '../../../signaling/protocol/ids.ts'
import { encodePlainBody, encodeStoreRecord } from '../../../signaling/protocol/record.ts'
import { FakeClock } from '../../support/fake-clock.ts'

interface FakeMember extends HistoryMember {
  readonly told: Record<string, unknown>[]
  uplink: object | undefined
}

function fakeMember(index: number, more: Partial<FakeMember> = {}): FakeMember {
  const told: Record<string, unknown>[] = []
  return {
    id: `${index}`.repeat(16) as PeerId,
    instance: `${index}`.repeat(32) as InstanceId,
    joinKey: `key ${index}`,
    addressGroup: '192.0.2.1',
    room: { name: 'lobby' },
    grant: { rights: new Set(RIGHTS) },
    userId: undefined,
    sealed: false,
    hidden: false,
    info: { profile: null },
    rate: { charge: () => undefined },
    uplink: {},
    told,
    control: (text) => void told.push(JSON.parse(text)),
    ...more,
  }
}

const record = (n: number, user?: string): Uint8Array =>
  encodeStoreRecord({
    ...{ n, channel: 1, ordinal: n, name: 'chat', user },
    body: encodePlainBody({ content: 1, sentAtMs: 0, data: encodeText('hi') }),
  })

function scene(append?: HistoryStore['append']) {
  const clock = new FakeClock()
  const memory = new LogStore({
    cells: new MemoryCells(),
    nowMs: () => clock.nowMs(),
    random: (bytes) => void bytes.fill(7),
    bounds: () => ({ messages: 10_000, ageMs: 1_000_000 }),
    mostBytes: 10_000_000,
    limits: () => ({ mailboxesPerRoom: 100, newLogsPerHour: 2 }),
    failed: () => undefined,
  })
  const failures: unknown[] = []
  const desk = new HistoryDesk<FakeMember>({
    store: append === undefined ? memory : Object.assign(Object.create(memory), { append }),
    rules: [parseHistoryRule('*;mail=5')].filter((rule) => rule !== undefined),
    ...{ clock, frameBytes: 65_536 },
    stored: () => undefined,
    failed: (error) => void failures.push(error),
  })
  return { clock, desk, failures }
}

const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const outcomes = ({ told }: FakeMember): Record<string, unknown>[] =>
  told.flatMap(({ t, of }) => (t === 'stored' ? (of as Record<string, unknown>[]) : []))

describe('the history desk', () => {
  it('charges a read position that changes, with what it takes to tell of it, and nothing that stays', async () => {
    const { desk } = scene()
    const charged: number[] = []
    const ada = fakeMember(1, { userId: 'ada', rate: { charge: (bytes) => void charged.push(bytes) } })
    const others = [2, 3, 4].map((index) => fakeMember(index, { userId: `user ${index}` }))
    for (const n of [1, 2, 3]) desk.take(ada, record(n))
    await turns()
    for (const one of others) await desk.request(one, { t: 'history', id: 1, limit: 0, follow: true })
    const answer = await desk.request(ada, { t: 'positions', id: 1 })
    const epoch = 'epoch' in answer ? (answer.epoch ?? '') : ''
    charged.length = 0
    const read = (offset: number, share: boolean) => desk.request(ada, { t: 'read', id: 2, epoch, offset, share })
    await read(1, false)
    await read(2, true)
    const heard = others.map(({ told }) => JSON.stringify(told.filter(({ t }) => t === 'position')).length - 2)
    expect(heard[0]).toBeGreaterThan(50)
    expect(charged).toEqual([8_192, 8_192 + 3 * (heard[0] ?? 0)])
    await read(2, true)
    await read(1, true)
    await read(9, true)
    expect(charged).toHaveLength(2)
  })

  it('refuses what is far beyond what a client has under way, and takes more when there are answers', async () => {
    let finish: () => void = () => undefined
    const waiting = new Promise<void>((resolve) => {
      finish = resolve
    })
    let offset = 0
    const { desk } = scene(async () => {
      await waiting
      offset += 1
      return { epoch: 'e', offset, repeated: false }
    })
    const ada = fakeMember(1)
    const bob = fakeMember(2)
    for (let n = 1; n <= 1_100; n += 1) desk.take(ada, record(n))
    desk.take(bob, record(1))
    await turns()
    expect(outcomes(ada)).toHaveLength(76)
    expect(outcomes(ada)[0]).toEqual({ n: 1_025, code: 'rate-limited' })
    expect(outcomes(bob)).toEqual([])
    finish()
    await turns()
    expect(outcomes(ada)).toHaveLength(1_100)
    // In messages that have a bound of their own.
    for (const { of } of ada.told) expect((of as unknown[]).length).toBeLessThanOrEqual(1_024)
    desk.take(ada, record(2_000))
    await turns()
    expect(outcomes(ada).at(-1)).toEqual({ n: 2_000, offset: 1_026 })
    expect(desk.counts).toMatchObject({ stored: 1_026, refused: { 'rate-limited': 76 } })
  })

  it('holds a user to its share of new logs, on all devices, and those without a user id by their address', async () => {
    const { desk } = scene()
    const told = async (member: FakeMember, user: string): Promise<unknown> => {
      desk.take(member, record(outcomes(member).length + 1, user))
      await turns()
      return outcomes(member).at(-1)?.code
    }
    const [phone, laptop] = [fakeMember(1, { userId: 'ada' }), fakeMember(2, { userId: 'ada' })]
    expect([await told(phone, 'a'), await told(laptop, 'b')]).toEqual([undefined, undefined])
    expect([await told(phone, 'c'), await told(laptop, 'd')]).toEqual(['rate-limited', 'rate-limited'])
    const [one, other, elsewhere] = [fakeMember(3), fakeMember(4), fakeMember(5, { addressGroup: '192.0.2.2' })]
    expect([await told(one, 'e'), await told(other, 'f')]).toEqual([undefined, undefined])
    expect([await told(one, 'g'), await told(elsewhere, 'h')]).toEqual(['rate-limited', undefined])
    // Into what there is, as ever.
    expect([await told(phone, 'h'), await told(one, 'a')]).toEqual([undefined, undefined])
    expect(desk.counts.refused).toEqual({ 'rate-limited': 3 })
  })

  it('tells nothing more of the log to one whose new access token does not give the history', async () => {
    const { clock, desk } = scene()
    const ada = fakeMember(1)
    const rights = new Set(RIGHTS)
    const bob = fakeMember(2, { grant: { rights } })
    await desk.request(bob, { t: 'history', id: 1, limit: 1, follow: true })
    desk.take(ada, record(1))
    await turns()
    clock.advance(50)
    expect(bob.told).toMatchObject([{ t: 'logged', of: [{ offset: 1 }] }])
    rights.delete('history')
    desk.take(ada, record(2))
    await turns()
    clock.advance(50)
    expect(bob.told).toHaveLength(1)
  })

  it('has who asks pay for what is read to count what is unread', async () => {
    const { desk } = scene()
    let charged = 0
    const ada = fakeMember(1, { userId: 'ada', rate: { charge: (size) => (charged += size) } })
    for (let n = 1; n <= 500; n += 1) desk.take(ada, record(n))
    await turns()
    const page = await desk.request(ada, { t: 'history', id: 1, limit: 1 })
    // All of it is her own.
    expect(page).toMatchObject({ unread: 0 })
    expect(charged).toBeGreaterThan(500 * 500)
  })

  it('says of a defect that it was not stored', async () => {
    const { desk, failures } = scene(() => Promise.reject(new Error('a defect')))
    const ada = fakeMember(1)
    desk.take(ada, record(1))
    await turns()
    expect(outcomes(ada)).toEqual([{ n: 1, code: 'store-failed' }])
    expect(failures).toHaveLength(1)
  })

  it('gathers what it tells those who follow, and tells nobody who is away or gone', async () => {
    const { clock, desk } = scene()
    const [ada, bob, eve, zoe] = [fakeMember(1), fakeMember(2), fakeMember(3), fakeMember(4)]
    for (const member of [ada, bob, eve, zoe]) {
      await desk.request(member, { t: 'history', id: 1, limit: 0, follow: true })
    }
    eve.uplink = {}
    desk.left(zoe)
    for (const n of [1, 2]) desk.take(ada, record(n))
    desk.take(bob, record(1))
    await turns()
    expect(bob.told.filter(({ t }) => t === 'logged')).toEqual([])
    clock.advance(50)
    const logged = ({ told }: FakeMember) => told.filter(({ t }) => t === 'logged')
    expect(logged(ada)).toMatchObject([{ of: [{ offset: 3 }] }])
    expect(logged(bob)).toMatchObject([{ of: [{ offset: 1 }, { offset: 2 }] }])
    expect([...logged(eve), ...logged(zoe)]).toEqual([])
    // Eve follows again, by her new uplink.
    await desk.request(eve, { t: 'history', id: 2, limit: 0, follow: true })
    desk.take(ada, record(3))
    await turns()
    clock.advance(50)
    expect(logged(eve)).toMatchObject([{ of: [{ offset: 4 }] }])
  })
})
