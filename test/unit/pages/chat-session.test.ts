import type { PeerId, RefusedCode } from 'partyline'
import { describe, expect, it, vi } from 'vitest'
import type { Entry, FileEntry } from '../../../web/chat/model/entry.ts'
import { TYPING_IDLE_MS, TYPING_SHOWN_MS } from '../../../web/chat/model/typing.ts'
import { ChatSession } from '../../../web/chat/session/chat-session.ts'
import { IN_MEMORY_BYTES } from '../../../web/chat/session/incoming-files.ts'
import { VerifiedMembers, type VerifiedMembersDependencies } from '../../../web/chat/session/verified-members.ts'
import { PartylineError } from '../../../web/client/errors.ts'
import { FakeOffer } from '../../support/pages/fake-offer.ts'
import { type FakePeer, FakeRoom } from '../../support/pages/fake-room.ts'

const ADA = 'aaaaaaaaaaaaaaaa' as PeerId
const BO = 'bbbbbbbbbbbbbbbb' as PeerId
const person = (id: PeerId, name: string): FakePeer => ({
  id,
  profile: { name },
  presence: 'here',
  path: 'relay',
  why: '',
  rttMs: 12,
})

function setUp(chooseTarget?: (name: string) => Promise<FileSystemWritableFileStream | undefined>) {
  let nowMs = 0
  const ticks = new Set<() => void>()
  const fake = new FakeRoom('lobby', { name: 'Me' }, () => nowMs)
  const session = new ChatSession(fake.room, 'Me', {
    environment: {
      now: () => nowMs,
      every: (_, call) => {
        ticks.add(call)
        return () => ticks.delete(call)
      },
    },
    chooseTarget,
    measure: async () => ({ width: 4, height: 3 }),
  })
  const pass = (ms: number): void => {
    nowMs += ms
    for (const tick of ticks) tick()
  }
  const entries = (): readonly Entry[] => session.timeline.entries.value
  const texts = (): readonly string[] => entries().map((entry) => (entry.kind === 'file' ? entry.name : entry.text))
  const file = (): FileEntry => {
    const found = entries().findLast((entry) => entry.kind === 'file')
    if (found === undefined) throw new Error('no file in the timeline')
    return found
  }
  return { fake, session, pass, entries, texts, file, ticks }
}

async function setUpWith(...peers: readonly FakePeer[]) {
  const all = setUp()
  all.fake.welcome(peers)
  await all.session.room.ready
  return all
}

describe('what is refused', () => {
  const refuse = (code: RefusedCode) => new PartylineError(code, `It is ${code}`)

  it('is told once for each member and kind, and counted', async () => {
    const { fake, session, texts } = await setUpWith(person(ADA, 'Ada'))
    const before = texts().length
    for (let n = 0; n < 3; n += 1) fake.refuse(BO, refuse('wrong-secret'))
    fake.refuse(ADA, refuse('forged'))
    fake.refuse(BO, refuse('seal-mismatch'))
    expect(texts().slice(before)).toEqual([
      'Somebody was kept out: with another secret or password than this room’s.',
      'Something from Ada was refused: it was altered on its way, or is from somebody else.',
      expect.stringContaining('whose protection is another one'),
    ])
    expect(session.refusals.value.map(({ id, code, times }) => [id, code, times])).toEqual([
      [BO, 'seal-mismatch', 1],
      [ADA, 'forged', 1],
      [BO, 'wrong-secret', 3],
    ])
  })

  it('has words for names that are not theirs, for what is not signed, and for what was kept back', async () => {
    const { fake, session, texts } = await setUpWith(person(ADA, 'Ada'))
    const before = texts().length
    fake.change(ADA, { profileVerified: false })
    fake.refuse(ADA, refuse('profile-altered'))
    fake.refuse(ADA, refuse('unsigned'))
    fake.gap(ADA, 'withheld')
    expect(texts().slice(before)).toEqual([
      'The server shows a name or profile of Ada that is not theirs, or not theirs any more. Do not rely on it.',
      'Something from Ada was refused: it is not signed, so somebody else may have written it.',
      'Some messages from Ada are missing here: they were kept back on their way.',
    ])
    expect(session.members.members.value.map(({ isAltered }) => isAltered)).toEqual([true])
  })

  it('warns, save of what a carrier may have repeated', async () => {
    const { fake, entries } = await setUpWith(person(ADA, 'Ada'))
    const tone = () => entries().at(-1)
    fake.refuse(ADA, refuse('replayed'))
    expect(tone()).toMatchObject({ kind: 'notice', tone: 'plain' })
    fake.refuse(ADA, refuse('forged'))
    expect(tone()).toMatchObject({ kind: 'notice', tone: 'warning' })
  })
})

describe('whose safety number was compared', () => {
  const identity = 'ab'.repeat(32)
  const NUMBER = Array.from({ length: 12 }, () => '12345').join(' ')
  const OTHER_NUMBER = Array.from({ length: 12 }, () => '54321').join(' ')

  it('is kept by identity, and without one for this visit', () => {
    let kept: string | undefined = 'not an identity'
    const storage: VerifiedMembersDependencies = {
      recall: () => kept,
      remember: (value) => {
        kept = value
      },
    }
    const first = new VerifiedMembers(storage)
    const changed = vi.fn()
    first.changes.watch(changed)
    first.set({ identity }, NUMBER, true)
    first.set({ identity: undefined }, NUMBER, true)
    expect(changed).toHaveBeenCalledTimes(2)
    expect(kept).toBe(identity)
    const later = new VerifiedMembers(storage)
    expect(later.has({ identity }, undefined)).toBe(true)
    expect([first, later].map((visit) => visit.has({ identity: undefined }, NUMBER))).toEqual([true, false])
    expect(first.has({ identity: undefined }, OTHER_NUMBER)).toBe(false)
    expect(first.has({ identity: undefined }, undefined)).toBe(false)
    later.set({ identity }, NUMBER, false)
    expect(kept).toBeUndefined()
    expect(later.has({ identity }, NUMBER)).toBe(false)
  })

  const isMarked = (session: ChatSession) =>
    session.members.members.value.map((member) =>
      session.verified.has(member, session.safetyNumbers.known.value.get(member.id)),
    )

  it('does not pass to another one under the same id, and comes back with who has the number', async () => {
    const ada = { ...person(ADA, 'Ada'), safetyNumber: Promise.resolve(NUMBER) }
    const { fake, session, pass } = await setUpWith(ada)
    await session.safetyNumbers.want(ADA)
    session.verified.set({ identity: undefined }, NUMBER, true)
    expect(isMarked(session)).toEqual([true])
    fake.leave(ADA, 'left')
    fake.join({ ...ada, safetyNumber: Promise.resolve(OTHER_NUMBER) })
    expect(isMarked(session)).toEqual([false])
    pass(1_000)
    await expect.poll(() => session.safetyNumbers.known.value.get(ADA)).toBe(OTHER_NUMBER)
    expect(isMarked(session)).toEqual([false])
    // She is back, and the server calls her by another id.
    fake.leave(ADA, 'left')
    fake.join({ ...ada, id: BO })
    pass(1_000)
    await expect.poll(() => isMarked(session)).toEqual([true])
  })

  it('is not marked by a number that was asked for before its member left', async () => {
    let answer = (_number: string): void => undefined
    const number = new Promise<string>((resolve) => {
      answer = resolve
    })
    const { fake, session } = await setUpWith({ ...person(ADA, 'Ada'), safetyNumber: number })
    const asked = session.safetyNumbers.want(ADA)
    fake.leave(ADA, 'left')
    fake.join({ ...person(ADA, 'Ada'), safetyNumber: Promise.resolve(undefined) })
    answer(NUMBER)
    await asked
    expect(session.safetyNumbers.known.value.size).toBe(0)
    // Not there yet; then it is.
    await session.safetyNumbers.want(ADA)
    expect(session.safetyNumbers.known.value.size).toBe(0)
    fake.change(ADA, { safetyNumber: Promise.resolve(OTHER_NUMBER) })
    await session.safetyNumbers.want(ADA)
    expect(session.safetyNumbers.known.value.get(ADA)).toBe(OTHER_NUMBER)
  })
})

describe('a visit to a room', () => {
  it('names those who are here already in one line and those who come later in a line each', async () => {
    const { fake, texts } = await setUpWith(person(ADA, 'Ada'))
    fake.join(person(BO, 'Bo'))
    fake.change(BO, { profile: { name: 'Bob' } })
    fake.leave(BO, 'expired')
    expect(texts()).toEqual([
      'You are in. Here already: Ada.',
      'Bo came in',
      'Bo is now called Bob',
      'Bob did not come back',
    ])
  })

  it('tells an earlier visit from the one after a reload', async () => {
    const { fake, texts } = await setUpWith(person(ADA, 'Ada'))
    fake.join(person(BO, 'Ada'))
    fake.leave(ADA, 'expired')
    expect(texts().slice(1)).toEqual(['Ada came in', 'An earlier visit of Ada ended'])
  })

  it('says nothing of joins that are told before the welcome is handled', async () => {
    const { fake, session, texts } = setUp()
    fake.join(person(ADA, 'Ada'))
    fake.welcome([])
    await session.room.ready
    expect(texts()).toEqual(['You are in. Here already: Ada.'])
  })

  it('keeps the name of somebody who left beside what they said', async () => {
    const { fake, session } = await setUpWith(person(ADA, 'Ada'))
    fake.say(ADA, { text: 'bye' })
    fake.leave(ADA, 'left')
    expect(session.members.nameOf(ADA)).toBe('Ada')
  })

  it('passes over what is no line of chat', async () => {
    const { fake, entries } = await setUpWith(person(ADA, 'Ada'))
    fake.say(ADA, { html: '<b>' })
    expect(entries()).toHaveLength(1)
  })

  it('tells of a gap', async () => {
    const { fake, texts } = await setUpWith(person(ADA, 'Ada'))
    fake.gap(ADA, 'lagging')
    expect(texts().at(-1)).toMatch(/^Some messages from Ada are missing/u)
  })

  it('ends with the reason, and stops its clock', async () => {
    const { fake, session, ticks } = await setUpWith()
    fake.close(new PartylineError('replaced', 'newer connection', { fatal: true }))
    await session.room.closed
    expect(session.ending.value?.title).toBe('This room is open elsewhere')
    expect(session.status.value).toBe('closed')
    expect(ticks.size).toBe(0)
  })
})

describe('one’s own messages', () => {
  const deliveries = (entries: readonly Entry[]) =>
    entries.flatMap((entry) => (entry.kind === 'message' && entry.delivery !== undefined ? [entry.delivery.at] : []))

  it('go from sending to sent to delivered', async () => {
    const { fake, session, entries } = await setUpWith(person(ADA, 'Ada'))
    expect(session.send('hello\n')).toBe(true)
    expect(fake.sent[0]?.data).toEqual({ text: 'hello' })
    expect(deliveries(entries())).toEqual(['sending'])
    fake.sent[0]?.outcome.accepted?.()
    await expect.poll(() => deliveries(entries())).toEqual(['sent'])
    fake.sent[0]?.outcome.delivered?.()
    await expect.poll(() => deliveries(entries())).toEqual(['delivered'])
  })

  it('stay failed when they were not accepted', async () => {
    const { fake, session, entries } = await setUpWith(person(ADA, 'Ada'))
    session.send('hello')
    fake.sent[0]?.outcome.accepted?.(new PartylineError('closed', 'the room was closed'))
    await expect.poll(() => deliveries(entries())).toEqual(['failed'])
    fake.sent[0]?.outcome.delivered?.(new Map([[ADA, 'closed']]))
    await Promise.resolve()
    expect(deliveries(entries())).toEqual(['failed'])
  })

  it('are not sent when there is nothing in them', async () => {
    const { fake, session } = await setUpWith()
    expect(session.send(' \n')).toBe(false)
    expect(fake.sent).toEqual([])
  })
})

describe('typing', () => {
  it('is told once in a while, and ended by a pause or by sending', async () => {
    const { fake, session, pass } = await setUpWith()
    session.typing.written('h')
    session.typing.written('he')
    expect(fake.latest).toEqual([{ typing: true }])
    pass(TYPING_IDLE_MS)
    expect(fake.latest).toEqual([{ typing: true }, { typing: false }])
    session.typing.written('hel')
    session.send('hello')
    expect(fake.latest).toEqual([{ typing: true }, { typing: false }, { typing: true }, { typing: false }])
  })

  it('of others ends with their message, or when nothing comes any more', async () => {
    const { fake, session, pass } = await setUpWith(person(ADA, 'Ada'), person(BO, 'Bo'))
    fake.type(ADA, true)
    fake.type(BO, true)
    fake.say(ADA, { text: 'hello' })
    expect([...session.typing.board.value.keys()]).toEqual([BO])
    pass(TYPING_SHOWN_MS)
    expect(session.typing.board.value.size).toBe(0)
  })
})

describe('unread messages', () => {
  it('are counted while nobody watches', async () => {
    const { fake, session } = await setUpWith(person(ADA, 'Ada'))
    session.timeline.watching = false
    fake.say(ADA, { text: 'one' })
    fake.say(ADA, { text: 'two' })
    fake.gap(ADA, 'expired')
    expect(session.timeline.unread.value.count).toBe(2)
    session.timeline.watching = true
    expect(session.timeline.unread.value.count).toBe(0)
  })
})

describe('files of others', () => {
  const offer = (type: string, sizeBytes: number): FakeOffer => new FakeOffer('o', ADA, 'a.bin', type, sizeBytes, 0)

  it('wait for a yes, and are gathered with a type that cannot run', async () => {
    const { fake, session, file } = await setUpWith(person(ADA, 'Ada'))
    const offered = offer('text/html', 3)
    fake.offer(offered)
    expect(file().state).toEqual({ at: 'offered' })
    expect(offered.isAccepted).toBe(false)
    const done = session.incoming.accept(file().key)
    offered.bring(new Uint8Array([1, 2, 3]))
    offered.end()
    await done
    const { state } = file()
    expect(state.at === 'received' && [state.content.size, state.content.type]).toEqual([3, 'application/octet-stream'])
  })

  it('that are small pictures come by themselves', async () => {
    const { fake, file } = await setUpWith(person(ADA, 'Ada'))
    const offered = offer('image/png', 3)
    fake.offer(offered)
    expect(offered.isAccepted).toBe(true)
    offered.bring(new Uint8Array(3))
    offered.end()
    await expect.poll(() => file().state.at).toBe('received')
  })

  it('can be declined, and be withdrawn before and during the transfer', async () => {
    const { fake, session, file } = await setUpWith(person(ADA, 'Ada'))
    const declined = offer('', 3)
    fake.offer(declined)
    session.incoming.decline(file().key)
    expect([declined.isDeclined, file().state.at]).toEqual([true, 'declined'])
    const early = offer('', 3)
    fake.offer(early)
    early.withdrawal.abort()
    expect(file().state.at).toBe('withdrawn')
    const late = offer('', 3)
    fake.offer(late)
    const done = session.incoming.accept(file().key)
    late.fail('withdrawn')
    await done
    expect(file().state.at).toBe('withdrawn')
  })

  it('stop when the person says so', async () => {
    const { fake, session, file } = await setUpWith(person(ADA, 'Ada'))
    fake.offer(offer('', 3))
    const done = session.incoming.accept(file().key)
    session.incoming.cancel(file().key)
    await done
    expect(file().state).toEqual({ at: 'failed', why: 'You stopped it.' })
  })

  it('that are large go to the file which the person chose, or wait on when none was chosen', async () => {
    const written: number[] = []
    const target = new WritableStream<Uint8Array>({ write: (chunk) => void written.push(chunk.byteLength) })
    const answers = [undefined, target as FileSystemWritableFileStream]
    const { fake, session, file } = setUp(async () => answers.shift())
    fake.welcome([person(ADA, 'Ada')])
    const large = offer('', IN_MEMORY_BYTES + 1)
    fake.offer(large)
    await session.incoming.accept(file().key)
    expect(file().state.at).toBe('offered')
    const done = session.incoming.accept(file().key)
    await expect.poll(() => file().state.at).toBe('receiving')
    large.bring(new Uint8Array(5))
    large.end()
    await done
    expect([file().state.at, written]).toEqual(['saved', [5]])
  })
})

describe('files that we offer', () => {
  it('show how far each receiver is', async () => {
    const { fake, session, file, pass } = await setUpWith(person(ADA, 'Ada'), person(BO, 'Bo'))
    await session.outgoing.offer(new File([new Uint8Array(10)], 'a.bin'))
    expect(file().state).toEqual({ at: 'offering', receivers: [] })
    const own = fake.ownOffers[0]
    own?.transfers.set(ADA, 'running')
    own?.options?.onProgress?.({ peer: ADA, bytes: 4, totalBytes: 10 })
    own?.transfers.set(BO, 'declined')
    pass(1_000)
    expect(file().state).toEqual({
      at: 'offering',
      receivers: [
        { peer: ADA, name: 'Ada', state: 'running', bytes: 4 },
        { peer: BO, name: 'Bo', state: 'declined', bytes: 0 },
      ],
    })
    session.outgoing.withdraw(file().key)
    expect(file().state).toEqual({ at: 'withdrawn' })
  })

  it('tell the size of a picture', async () => {
    const { fake, session } = await setUpWith(person(ADA, 'Ada'))
    await session.outgoing.offer(new File(['x'], 'a.png', { type: 'image/png' }))
    expect(fake.ownOffers[0]?.options?.meta).toEqual({ width: 4, height: 3 })
  })
})
