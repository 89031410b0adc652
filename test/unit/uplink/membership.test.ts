import { describe, expect, test } from 'vitest'
import {
  type InstanceId,
  LIMITS,
  type MemberInfo,
  type PeerId,
  type ServerMessage,
} from '../../../signaling/protocol/index.ts'
import { Membership } from '../../../web/client/membership.ts'
import type { Welcome } from '../../../web/client/uplink/uplink.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ADA, BOB, member } from './fake-server.ts'

const SELF = '5'.repeat(16) as PeerId

function setUp(admits?: (member: MemberInfo) => boolean | undefined) {
  const clock = new FakeClock()
  const told: string[] = []
  const reachable = new Set<PeerId>()
  const membership = new Membership({ clock, reachable: (id) => reachable.has(id), ...(admits && { admits }) })
  const short = ({ id, presence, profile }: MemberInfo): string =>
    `${id[0]} ${presence}${profile === null ? '' : ` ${JSON.stringify(profile)}`}`
  membership.on('join', (info) => told.push(`join ${short(info)}`))
  membership.on('change', (info) => told.push(`change ${short(info)}`))
  membership.on('leave', ({ member: info, reason }) => told.push(`leave ${info.id[0]} ${reason}`))
  membership.on('gap', () => told.push('gap'))
  const welcome = (version: number, members: readonly MemberInfo[], epoch = 'first', peerId = SELF): void =>
    membership.welcome({ version, members, epoch, peerId, graceMs: 20_000 } as Welcome)
  const snapshot = (version: number, members: readonly MemberInfo[], epoch = 'first'): void =>
    membership.apply({ t: 'snapshot', re: 1, version, members, epoch })
  const apply = (message: Extract<ServerMessage, { t: 'joined' | 'changed' | 'left' }>): void =>
    membership.apply(message)
  const take = (): string[] => told.splice(0)
  return { clock, membership, reachable, welcome, snapshot, apply, take }
}

describe('while it is not known whether somebody counts', () => {
  const undecided = () => {
    const answers = new Map<PeerId, boolean>()
    return { answers, ...setUp(({ id }) => answers.get(id)) }
  }

  test('it has not joined, and joins as it is when that is decided', () => {
    const { answers, welcome, apply, take, membership } = undecided()
    welcome(4, [member(ADA)])
    apply({ t: 'changed', version: 5, id: ADA, profile: 'Ada' })
    apply({ t: 'changed', version: 6, id: ADA, presence: 'away' })
    expect(take().filter((line) => line.startsWith('join'))).toEqual([])
    membership.decided(ADA)
    membership.decided(BOB)
    answers.set(ADA, true)
    membership.decided(ADA)
    welcome(7, [member(ADA, { profile: 'Ada' })])
    expect(take().filter((line) => line.startsWith('join'))).toEqual(['join a away "Ada"'])
  })

  test('it is passed over when it does not, and no clock runs for it', () => {
    const { answers, clock, welcome, take, membership } = undecided()
    welcome(4, [member(ADA), member(BOB)])
    welcome(1, [member(BOB)], 'second')
    answers.set(ADA, false)
    membership.decided(ADA)
    clock.advance(60_000)
    expect(take()).toEqual(['change a away'])
    expect([...membership.members()].map(({ id }) => id)).toEqual([BOB])
  })

  test('it may leave before that, and joins no more', () => {
    const { answers, welcome, apply, take, membership } = undecided()
    welcome(4, [member(ADA), member(BOB)])
    apply({ t: 'left', version: 5, id: ADA, reason: 'left' })
    welcome(6, [])
    for (const id of [ADA, BOB]) answers.set(id, true)
    for (const id of [ADA, BOB]) membership.decided(id)
    expect(take()).toEqual(['leave a left', 'leave b left'])
  })

  test.each([true, false])(
    'it does not end silently who joined under its id, whether it counts or not: %s',
    (counts) => {
      const another = '9'.repeat(32) as InstanceId
      let decided: InstanceId = member(ADA).instance
      const { welcome, apply, snapshot, take, membership } = setUp(({ instance }) => instance === decided)
      welcome(4, [member(ADA)])
      // After something was missed: a snapshot will tell.
      decided = counts ? another : ('8'.repeat(32) as InstanceId)
      apply({ t: 'joined', version: 6, member: member(ADA, { instance: another }) })
      membership.decided(ADA)
      snapshot(6, [member(ADA, { instance: another })])
      expect(take()).toEqual(['join a here', 'gap', 'leave a left', ...(counts ? ['join a here'] : [])])
    },
  )
})

describe('within an epoch', () => {
  test('members join, change and leave', () => {
    const { welcome, apply, take, membership } = setUp()
    welcome(4, [member(ADA)])
    apply({ t: 'joined', version: 5, member: member(BOB, { profile: 'Bob' }) })
    apply({ t: 'changed', version: 6, id: BOB, profile: 'Rob' })
    apply({ t: 'changed', version: 7, id: BOB, presence: 'away' })
    expect(membership.get(BOB)).toMatchObject({ profile: 'Rob', presence: 'away' })
    apply({ t: 'left', version: 8, id: BOB, reason: 'expired' })
    expect(take()).toEqual([
      'join a here',
      'join b here "Bob"',
      'change b here "Rob"',
      'change b away "Rob"',
      'leave b expired',
    ])
    expect([...membership.members()].map(({ id }) => id)).toEqual([ADA])
  })

  test('old versions are ignored; a missing one asks for a snapshot, once, and nothing counts before it', () => {
    const { welcome, apply, snapshot, take } = setUp()
    welcome(4, [])
    apply({ t: 'joined', version: 4, member: member(BOB) })
    apply({ t: 'joined', version: 6, member: member(BOB) })
    apply({ t: 'joined', version: 7, member: member(ADA) })
    expect(take()).toEqual(['gap'])
    snapshot(7, [member(BOB), member(ADA)])
    apply({ t: 'left', version: 7, id: ADA, reason: 'left' })
    apply({ t: 'left', version: 8, id: ADA, reason: 'removed' })
    expect(take()).toEqual(['join b here', 'join a here', 'leave a removed'])
  })

  test('a resumed session hears what changed meanwhile, and whom a snapshot lacks has left', () => {
    const { welcome, take, membership } = setUp()
    welcome(1, [member(ADA), member(BOB, { presence: 'away' })])
    take()
    membership.offline()
    welcome(9, [])
    expect(take()).toEqual(['leave a left', 'leave b expired'])
    welcome(10, [member(ADA, { profile: 2 })])
    welcome(11, [member(ADA, { profile: 2 })])
    expect(take()).toEqual(['join a here 2'])
  })

  test('the same id with another instance is another member', () => {
    const { welcome, take } = setUp()
    welcome(1, [member(ADA)])
    welcome(2, [member(ADA, { instance: 'f'.repeat(32) as InstanceId })])
    expect(take()).toEqual(['join a here', 'leave a left', 'join a here'])
  })

  test('a new member ourselves, we lose everyone, and those still here join', () => {
    const { welcome, take } = setUp()
    welcome(1, [member(ADA), member(BOB)])
    take()
    welcome(4, [member(BOB)], 'first', '6'.repeat(16) as PeerId)
    expect(take()).toEqual(['leave a lost', 'leave b lost', 'join b here'])
  })

  test('we are not a member of our own list', () => {
    const { welcome, apply, take } = setUp()
    welcome(1, [member(SELF)])
    apply({ t: 'joined', version: 2, member: member(SELF) })
    apply({ t: 'changed', version: 3, id: SELF, profile: 1 })
    apply({ t: 'left', version: 4, id: SELF, reason: 'left' })
    expect(take()).toEqual([])
  })
})

describe('in a new epoch', () => {
  test('who is missing is away for a grace period, and back when it shows up', () => {
    const { welcome, apply, take, clock, membership } = setUp()
    welcome(7, [member(ADA), member(BOB)])
    take()
    welcome(1, [], 'second')
    expect(take()).toEqual(['change a away', 'change b away'])
    expect(membership.listed(ADA)).toBe(false)
    apply({ t: 'joined', version: 2, member: member(ADA) })
    expect(membership.listed(ADA)).toBe(true)
    clock.advance(19_999)
    expect(take()).toEqual(['change a here'])
    clock.advance(1)
    expect(take()).toEqual(['leave b expired'])
    expect(clock.pending()).toBe(0)
  })

  test('the grace period is one online: it starts anew when the uplink was lost meanwhile', () => {
    const { welcome, take, clock, membership } = setUp()
    welcome(7, [member(ADA)])
    welcome(1, [], 'second')
    take()
    clock.advance(15_000)
    membership.offline()
    clock.advance(60_000)
    welcome(3, [], 'second')
    clock.advance(19_999)
    expect(take()).toEqual([])
    clock.advance(1)
    expect(take()).toEqual(['leave a expired'])
  })

  test('a gap in it is no new epoch: its snapshot lists, and grace goes on', () => {
    const { welcome, snapshot, take, clock } = setUp()
    welcome(7, [member(ADA), member(BOB)])
    welcome(1, [], 'second')
    take()
    clock.advance(10_000)
    snapshot(5, [member(BOB)], 'second')
    expect(take()).toEqual(['change b here'])
    clock.advance(20_000)
    expect(take()).toEqual(['leave a expired'])
  })
})

describe('a member that a direct path reaches', () => {
  test('stays, away, when its grace at the server ran out, until the path is gone for a grace period', () => {
    const { welcome, apply, take, clock, reachable } = setUp()
    welcome(1, [member(ADA)])
    reachable.add(ADA)
    apply({ t: 'left', version: 2, id: ADA, reason: 'expired' })
    expect(take()).toEqual(['join a here', 'change a away'])
    clock.advance(60_000)
    expect(take()).toEqual([])
    reachable.clear()
    clock.advance(20_000)
    expect(take()).toEqual(['leave a expired'])
  })

  test('stays no longer than its access token would have been good', () => {
    const { welcome, apply, take, clock, reachable } = setUp()
    welcome(1, [member(ADA), member(BOB)])
    reachable.add(ADA).add(BOB)
    apply({ t: 'left', version: 2, id: ADA, reason: 'expired', keepMs: 50_000 })
    apply({ t: 'left', version: 3, id: BOB, reason: 'expired', keepMs: 0 })
    expect(take()).toEqual(['join a here', 'join b here', 'change a away', 'leave b expired'])
    clock.advance(49_999)
    expect(take()).toEqual([])
    clock.advance(1)
    expect(take()).toEqual(['leave a expired'])
    expect(clock.pending()).toBe(0)
  })

  test('stays, where access runs out, no longer than session tokens are good when nobody says why it is missing', () => {
    const { membership, take, clock, reachable } = setUp()
    const welcome = (epoch: string, members: readonly MemberInfo[], expiresAtMs?: number): void => {
      const access = { rights: [], ...(expiresAtMs === undefined ? {} : { expiresAtMs }) }
      const times = { timeMs: 5_000, tokenExpiresAtMs: 605_000, graceMs: 20_000 }
      membership.welcome({ version: 1, members, epoch, peerId: SELF, access, ...times } as unknown as Welcome)
    }
    reachable.add(ADA).add(BOB)
    welcome('first', [member(ADA), member(BOB, { presence: 'away' })], 1)
    // Bob's grace period ran out while we did not hear; then the server was restarted, and Ada did not come back.
    welcome('first', [member(ADA)], 1)
    clock.advance(100_000)
    welcome('second', [], 1)
    take()
    clock.advance(400_000)
    welcome('third', [], 1)
    clock.advance(99_999)
    expect(take()).toEqual([])
    clock.advance(1)
    expect(take()).toEqual(['leave b expired'])
    clock.advance(100_000)
    expect(take()).toEqual(['leave a expired'])
    expect(clock.pending()).toBe(0)
    // Where nothing runs out, nor does this.
    welcome('third', [member(ADA)])
    welcome('fourth', [])
    clock.advance(10_000_000)
    expect(take()).toEqual(['join a here', 'change a away'])
  })

  test('is gone when it is removed, also when the server had lost it before', () => {
    const { welcome, apply, take, reachable, clock } = setUp()
    welcome(1, [member(ADA)])
    reachable.add(ADA)
    apply({ t: 'left', version: 2, id: ADA, reason: 'expired' })
    clock.advance(60_000)
    apply({ t: 'left', version: 3, id: ADA, reason: 'removed' })
    expect(take().at(-1)).toBe('leave a removed')
    expect(clock.pending()).toBe(0)
  })

  test('stays again without that bound when it came back meanwhile', () => {
    const { welcome, apply, take, clock, reachable } = setUp()
    welcome(1, [member(ADA)])
    reachable.add(ADA)
    apply({ t: 'left', version: 2, id: ADA, reason: 'expired', keepMs: 50_000 })
    apply({ t: 'joined', version: 3, member: member(ADA) })
    apply({ t: 'left', version: 4, id: ADA, reason: 'expired' })
    clock.advance(200_000)
    expect(take().at(-1)).toBe('change a away')
  })

  test('is gone at once when it left or was removed', () => {
    const { welcome, apply, take, reachable } = setUp()
    welcome(1, [member(ADA)])
    reachable.add(ADA)
    apply({ t: 'left', version: 2, id: ADA, reason: 'removed' })
    expect(take()).toEqual(['join a here', 'leave a removed'])
  })
})

test('closed, nothing runs and nothing is told', () => {
  const { welcome, take, clock, membership } = setUp()
  welcome(1, [member(ADA)])
  welcome(1, [], 'second')
  take()
  membership.close()
  expect(clock.pending()).toBe(0)
})

describe('members that a server makes up in epoch after epoch', () => {
  const others = (epoch: number, many: number): MemberInfo[] =>
    Array.from({ length: many }, (_, at) => member(`${epoch}${at.toString(16).padStart(15, '0')}` as PeerId))

  test('make place, the first that are not listed any more first; who is listed stays', () => {
    const { welcome, membership, reachable, take } = setUp()
    const half = LIMITS.listedMembers / 2
    const [first, second] = [others(1, half - 1), others(2, half)]
    for (const { id } of first) reachable.add(id)
    welcome(1, [member(ADA), ...first])
    welcome(1, [member(ADA), ...second], 'second')
    expect([...membership.members()]).toHaveLength(LIMITS.listedMembers)
    take()
    welcome(1, [member(ADA), ...others(3, 3)], 'third')
    expect([...membership.members()]).toHaveLength(LIMITS.listedMembers)
    expect(take().filter((line) => line.startsWith('leave'))).toEqual(Array(3).fill('leave 1 expired'))
    expect(membership.get(first[2]?.id ?? SELF)).toBeUndefined()
    expect(membership.listed(ADA)).toBe(true)
    for (let epoch = 4; epoch < 9; epoch += 1) welcome(1, [member(ADA), ...others(epoch, half)], `${epoch}`)
    expect([...membership.members()]).toHaveLength(LIMITS.listedMembers)
    expect(membership.listed(ADA)).toBe(true)
  })
})
