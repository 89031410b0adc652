import { expect, it } from 'vitest'
import type { ServerOptionsInput } from '../../signaling/options/table.ts'
import { encodeText } from '../../signaling/protocol/bytes.ts'
import { decodePlainBody, encodePlainBody, type StoreRecord } from '../../signaling/protocol/record.ts'
import { describeWire, freshRoom, isExternal, type RunningTarget } from './target.ts'
import type { JoinOptions, WireClient } from './wire-client.ts'

const KEPT: ServerOptionsInput = { history: ['*;messages=5;age=1h;channels=chat|note-*'] }

const record = (n: number, text: string, more: Partial<StoreRecord> = {}): StoreRecord => ({
  ...{ n, channel: 1, ordinal: n - 1, name: 'chat', user: undefined },
  body: encodePlainBody({ content: 1, sentAtMs: 1_750_000_000_000, data: encodeText(text) }),
  ...more,
})

async function ask(client: WireClient, more: object = {}) {
  const id = client.request()
  client.say({ t: 'history', id, limit: 256, ...more })
  const answer = await client.next('history')
  expect(answer.re).toBe(id)
  return answer
}

const textOf = ({ base64 }: { base64: string }): string =>
  Buffer.from(decodePlainBody(Buffer.from(base64, 'base64')).data).toString()

describeWire('history', (target) => {
  const entered = async (server: RunningTarget, join: JoinOptions) => {
    const client = await target.connect(server)
    return { client, welcome: await client.join(join) }
  }

  it.skipIf(isExternal)('is not there unless it was asked for, and says so', async () => {
    const server = await target.start()
    const { client, welcome } = await entered(server, { room: freshRoom() })
    expect(welcome.history).toBeUndefined()
    client.store(record(1, 'a'))
    expect(await client.next('stored')).toEqual({ t: 'stored', of: [{ n: 1, code: 'not-kept' }] })
    client.say({ t: 'history', id: 7, limit: 1 })
    expect(await client.next('error')).toMatchObject({ re: 7, code: 'not-kept', fatal: false })
    await client.settle()
  })

  it.skipIf(isExternal)('keeps a record once, however often it comes, and answers as before', async () => {
    const server = await target.start(KEPT)
    const room = freshRoom()
    const { client: ada, welcome } = await entered(server, { room, profile: { name: 'Ada' } })
    expect(welcome.history).toEqual({ channels: ['chat', 'note-*'], messages: 5, ageMs: 3_600_000, bodyBytes: 61_440 })
    ada.store(record(1, 'one'))
    const first = await ada.next('stored')
    expect(first).toMatchObject({ of: [{ n: 1, offset: 1 }] })
    ada.store(record(1, 'one'))
    expect(await ada.next('stored')).toEqual(first)
    ada.drop()
    const again = await target.connect(server)
    await again.join({ room, token: welcome.token, instance: ada.instance, joinKey: ada.joinKey })
    again.store(record(1, 'one'))
    expect(await again.next('stored')).toEqual(first)
    again.store(record(2, 'two'))
    expect(await again.next('stored')).toMatchObject({ epoch: first.epoch, of: [{ n: 2, offset: 2 }] })
    const { client: bob } = await entered(server, { room })
    const page = await ask(bob)
    expect(page).toMatchObject({ epoch: first.epoch, first: 1, next: 3, more: false })
    expect(page.entries.map(textOf)).toEqual(['one', 'two'])
    expect(page.entries[0]).toMatchObject({
      ...{ offset: 1, id: `${ada.instance}-1-0`, channel: 'chat', from: welcome.peerId, profile: { name: 'Ada' } },
    })
  })

  it.skipIf(isExternal)('tells who follows of what is stored, and those who were away what they missed', async () => {
    const server = await target.start(KEPT)
    const room = freshRoom()
    const { client: ada } = await entered(server, { room })
    const { client: bob, welcome } = await entered(server, { room })
    expect(await ask(bob, { limit: 0, follow: true })).toMatchObject({ first: 1, next: 1, entries: [] })
    ada.store(record(1, 'one'))
    const { epoch } = await ada.next('stored')
    expect(await bob.next('logged')).toEqual({ t: 'logged', epoch, of: [{ offset: 1, id: `${ada.instance}-1-0` }] })
    bob.drop()
    for (const n of [2, 3, 4]) ada.store(record(n, `${n}`))
    for (let stored = 0; stored < 3; ) stored += (await ada.next('stored')).of.length
    const again = await target.connect(server)
    await again.join({ room, token: welcome.token, instance: bob.instance, joinKey: bob.joinKey })
    const missed = await ask(again, { epoch, after: 1, follow: true, limit: 2 })
    expect([missed.entries.map(textOf), missed.more]).toEqual([['2', '3'], true])
    expect((await ask(again, { epoch, after: 3 })).entries.map(textOf)).toEqual(['4'])
    ada.store(record(5, '5'))
    expect((await again.next('logged')).of).toMatchObject([{ offset: 5 }])
    await ada.settle()
    // Its own are told by the answer alone.
    expect(ada.unread.filter(({ t }) => t === 'logged')).toEqual([])
  })

  it.skipIf(isExternal)('forgets the oldest, and pages back', async () => {
    const server = await target.start(KEPT)
    const room = freshRoom()
    const { client: ada } = await entered(server, { room })
    for (let n = 1; n <= 8; n += 1) ada.store(record(n, `${n}`))
    for (let stored = 0; stored < 8; ) stored += (await ada.next('stored')).of.length
    const last = await ask(ada, { limit: 2 })
    expect([last.first, last.next, last.more, last.entries.map(textOf)]).toEqual([4, 9, true, ['7', '8']])
    const before = await ask(ada, { limit: 9, before: 7, epoch: last.epoch })
    expect([before.more, before.entries.map(textOf)]).toEqual([false, ['4', '5', '6']])
  })

  it.skipIf(isExternal)('refuses records one by one, and the uplink stays', async () => {
    const server = await target.start(KEPT)
    const { client: ada } = await entered(server, { room: freshRoom() })
    const large = encodePlainBody({ content: 2, sentAtMs: 0, data: new Uint8Array(61_440) })
    ada.store(record(1, 'a', { name: 'other' }))
    ada.store(record(2, '', { body: large }))
    ada.store(record(3, 'a', { user: 'bob' }))
    ada.store(record(4, 'kept', { name: 'note-7' }))
    const of = []
    while (of.length < 4) of.push(...(await ada.next('stored')).of)
    expect(of.sort((one, other) => one.n - other.n)).toEqual([
      { n: 1, code: 'not-kept' },
      { n: 2, code: 'too-large' },
      { n: 3, code: 'not-kept' },
      { n: 4, offset: 1 },
    ])
    ada.store(record(2, 'late'))
    expect(await ada.next('stored')).toMatchObject({ of: [{ n: 2, code: 'forgotten' }] })
  })

  it.skipIf(isExternal).each([
    ['no record', Uint8Array.of(9)],
    ['n of 0', Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 97, 0, 1)],
    ['a body that is neither plain nor sealed', Uint8Array.of(0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 97, 9)],
    ['a sealed body of a member without keys', Uint8Array.of(0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 97, 5)],
  ])('closes who sends %s', async (_, payload) => {
    const server = await target.start(KEPT)
    const { client } = await entered(server, { room: freshRoom() })
    const envelope = new Uint8Array(16 + payload.length)
    envelope[0] = 6
    envelope[7] = payload.length
    envelope.set(payload, 16)
    client.sendRaw(envelope)
    expect(await client.next('error')).toMatchObject({ code: 'bad-message', fatal: true })
    expect(await client.closed).toMatchObject({ code: 4001 })
  })

  it.skipIf(isExternal)('refuses plain bodies of members that announced keys', async () => {
    const server = await target.start(KEPT)
    const { client } = await entered(server, { room: freshRoom(), seal: 'AQEAAQE' })
    client.store(record(1, 'a', { body: Uint8Array.of(5, 1, 2, 3) }))
    expect(await client.next('stored')).toMatchObject({ of: [{ n: 1, offset: 1 }] })
    client.store(record(2, 'plain'))
    expect(await client.closed).toMatchObject({ code: 4001 })
  })

  it.skipIf(isExternal)('refuses records under the instance of a member who was there before', async () => {
    const server = await target.start(KEPT)
    const room = freshRoom()
    const { client: ada } = await entered(server, { room })
    const { client: eve } = await entered(server, { room, instance: ada.instance })
    // It would have the id of the message that ada stores next.
    eve.store(record(1, 'forged'))
    expect(await eve.next('stored')).toMatchObject({ of: [{ n: 1, code: 'denied' }] })
    ada.store(record(1, 'mine'))
    expect(await ada.next('stored')).toMatchObject({ of: [{ n: 1, offset: 1 }] })
    // Who comes back by its join key is who it was.
    const again = await target.connect(server)
    await again.join({ room, instance: ada.instance, joinKey: ada.joinKey })
    again.store(record(2, 'mine, too'))
    expect(await again.next('stored')).toMatchObject({ of: [{ n: 2, offset: 2 }] })
  })

  it.skipIf(isExternal)('survives a restart in a file: log, epoch, and what is known of writers', async () => {
    const dataFolder = await target.folder()
    const options: ServerOptionsInput = { ...KEPT, dataFolder, historyStore: 'file' }
    const room = freshRoom()
    const before = await target.start(options)
    const { client: ada, welcome } = await entered(before, { room })
    ada.store(record(1, 'one'))
    const { epoch } = await ada.next('stored')
    await before.close({ restart: true })
    const after = await target.start(options)
    const again = await target.connect(after)
    const back = await again.join({ room, token: welcome.token, instance: ada.instance, joinKey: ada.joinKey })
    expect(back.resumed).toBe(true)
    again.store(record(1, 'one'))
    again.store(record(2, 'two'))
    const of = []
    while (of.length < 2) of.push(...(await again.next('stored')).of)
    expect(of).toEqual([
      { n: 1, offset: 1 },
      { n: 2, offset: 2 },
    ])
    const page = await ask(again, { epoch, after: 0 })
    expect([page.epoch, page.entries.map(textOf)]).toEqual([epoch, ['one', 'two']])
  })

  it.skipIf(isExternal)('refuses read positions of members who are nobody in particular', async () => {
    const server = await target.start(KEPT)
    const { client } = await entered(server, { room: freshRoom() })
    client.say({ t: 'read', id: 5, epoch: 'x', offset: 1 })
    expect(await client.next('error')).toMatchObject({ re: 5, code: 'denied', fatal: false })
    client.say({ t: 'history', id: 6, limit: 1, mail: true })
    expect(await client.next('error')).toMatchObject({ re: 6, code: 'denied', fatal: false })
    client.say({ t: 'positions', id: 7 })
    expect(await client.next('positions')).toEqual({ t: 'positions', re: 7, of: [] })
  })
})
