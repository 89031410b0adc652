/** The built bundle, whose inner names are shortened, beside the source that it was built from: one wire, one face. */
import { readFileSync } from 'node:fs'
import { parseSync } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildTargets } from '../../signaling/setup/build.mjs'
import type { FileOffer, LatestValue, Message, OutgoingOffer, Peer, Room } from '../../web/client/index.ts'
import * as source from '../../web/client/index.ts'
import { ServerProcess } from '../support/server-process.ts'

const at = (path: string): string => new URL(`../../${path}`, import.meta.url).pathname

/** What every object of each interface of the face has, by the declarations that are packed. */
function requiredMembers(): ReadonlyMap<string, readonly string[]> {
  const path = at('dist/types/web/client/face.d.ts')
  const found = new Map<string, readonly string[]>()
  for (const statement of parseSync(path, readFileSync(path, 'utf8')).program.body) {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : undefined
    if (declared?.type !== 'TSInterfaceDeclaration') continue
    const names = declared.body.body.flatMap((member) =>
      (member.type === 'TSPropertySignature' || member.type === 'TSMethodSignature') &&
      member.optional !== true &&
      member.key.type === 'Identifier'
        ? member.key.name
        : [],
    )
    found.set(declared.id.name, names)
  }
  return found
}

/** Everything of the face that one member meets while the two talk. */
interface Met {
  readonly [name: string]: object
}

const first = <T>(listen: (take: (value: T) => void) => unknown): Promise<T> => new Promise((take) => void listen(take))
const until = (room: Room, test: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (test()) resolve()
    }
    for (const event of ['join', 'change'] as const) room.on(event, look)
    look()
  })

/** Does everything there is to do with the one other member; the other does the same at the same time. */
async function talk(room: Room, path: 'relay' | 'direct'): Promise<Met> {
  const chat = room.channel('chat')
  const latest = room.latest('position')
  const twice = room.procedure<number, number>('twice', (question) => question * 2)
  const message = first<Message<source.Json>>((take) => chat.on('message', take))
  const value = first<LatestValue<source.Json>>((take) => latest.on('value', take))
  const incoming = first<FileOffer>((take) => room.channel('files').on('offer', take))
  await room.ready
  await until(room, () => [...room.peers.values()][0]?.path === path)
  const [peer] = room.peers.values() as Iterable<Peer>
  if (peer === undefined) throw new Error('nobody there')
  expect(peer.profile).toEqual({ name: 'first' })

  const sent = chat.send({ text: 'hello', kind: 'greeting' })
  expect((await sent.delivered).missed.size).toBe(0)
  latest.set([1, 2], { key: 'hand' })
  const steps: source.TransferProgress[] = []
  const outgoing: OutgoingOffer = room
    .channel('files')
    .offer(new Blob([new Uint8Array(200_000)]), { meta: { pages: 3 }, onProgress: (step) => void steps.push(step) })
  expect((await message).data).toEqual({ text: 'hello', kind: 'greeting' })
  expect(await value).toMatchObject({ key: 'hand', value: [1, 2] })
  expect(await twice(peer.id, 21)).toBe(42)
  const offer = await incoming
  expect(offer).toMatchObject({ sizeBytes: 200_000, meta: { pages: 3 } })
  let bytes = 0
  for await (const chunk of offer.accept()) bytes += chunk.length
  expect(bytes).toBe(200_000)

  await room.setProfile({ name: 'second' })
  await until(room, () => (peer.profile as { name: string }).name === 'second')
  let stats = await peer.stats()
  // Where a ping is held up for long the relay steps in, and has no candidates.
  for (; stats.path !== path; stats = await peer.stats()) await until(room, () => peer.path === path)
  expect(stats).toMatchObject({ path, localCandidate: path === 'direct' ? 'host' : undefined })
  expect(stats.bytesReceived).toBeGreaterThan(200_000)
  await chat.send('done').delivered
  await first<void>((take) => {
    const look = (): void => (steps.at(-1)?.bytes === 200_000 ? take() : void setTimeout(look, 10))
    look()
  })
  return {
    Room: room,
    Peer: peer,
    PeerStats: stats,
    Self: room.self ?? {},
    RoomStats: room.stats(),
    SealingStats: room.stats().sealing,
    Message: await message,
    Sent: sent,
    Channel: chat,
    TransferProgress: steps[0] ?? {},
    OutgoingOffer: outgoing,
    FileOffer: offer,
    Latest: latest,
    LatestValue: await value,
  }
}

describe('the built bundle', () => {
  let server: ServerProcess
  let bundle: typeof source
  beforeAll(async () => {
    await buildTargets({ only: ['server', 'client'] })
    bundle = (await import(/* @vite-ignore */ `file://${at('dist/client/partyline.js')}`)) as typeof source
    server = await ServerProcess.start({ args: ['--turn', 'off'] })
  }, 240_000)
  afterAll(() => server?.dispose())

  it('exports what the source exports, and its errors are the same', () => {
    // Names of one or two letters are what its other files take from it.
    const named = Object.keys(bundle).filter((name) => name.length > 2)
    expect(named.sort()).toEqual(Object.keys(source).sort())
    const errors = [source, bundle].map(({ PartylineError }) => {
      const error = new PartylineError('denied', 'no', { fatal: true, retryAfterMs: 5 })
      return { ...error, text: String(error) }
    })
    expect(errors[1]).toEqual(errors[0])
  })

  it.each(['relay', 'direct'] as const)('talks with the source (%s), and has every public name', async (path) => {
    const paths = path === 'relay' ? (['relay'] as const) : (['relay', 'direct'] as const)
    const options = { server: server.address, profile: { name: 'first' }, paths }
    const rooms = [source, bundle].map(({ joinRoom }) => joinRoom(`built-${path}`, options) as Room)
    const met = await Promise.all(rooms.map((room) => talk(room, path)))
    const declared = requiredMembers()
    // What only goes in, and what stands for names of events.
    const toCheck = [...declared].filter(
      ([name]) => !/^(JoinOptions|SendOptions|OfferOptions|RoomEvents|Newcomer)$/.test(name),
    )
    for (const seen of met) {
      const missing = toCheck.flatMap(([type, members]) => members.filter((name) => !(name in (seen[type] ?? {}))))
      expect(missing).toEqual([])
    }
    for (const room of rooms) await room.leave({ flushMs: 5_000 })
    expect(await Promise.all(rooms.map(({ closed }) => closed))).toEqual([undefined, undefined])
  })
})
