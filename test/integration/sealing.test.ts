/** What passes the server between members who know nothing of it: recorded, and looked through for what they said. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildTargets } from '../../signaling/setup/build.mjs'
import { type JoinOptions, joinRoom, newSecret, type PeerId, type Room } from '../../web/client/index.ts'
import { ServerProcess } from '../support/server-process.ts'

const undo: (() => unknown)[] = []
beforeAll(() => buildTargets({ only: ['server'] }), 240_000)
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

/** TCP to the server, with a copy of every byte from clients to it, less WebSocket's masks. */
class Recorder {
  readonly bytes: Buffer[] = []
  #server: Server | undefined
  address = ''

  static async before(target: string): Promise<Recorder> {
    const recorder = new Recorder()
    const { hostname, port } = new URL(target)
    const sockets = new Set<Socket>()
    const server = createServer((client) => {
      const onward = connect(Number(port), hostname)
      sockets.add(client).add(onward)
      onward.on('data', (data) => recorder.bytes.push(data))
      client.pipe(onward).pipe(client)
      for (const socket of [client, onward]) socket.on('error', () => socket.destroy())
    })
    recorder.#server = server
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    recorder.address = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`
    undo.push(() => {
      for (const socket of sockets) socket.destroy()
      recorder.#server?.close()
    })
    return recorder
  }

  /** As the server sent it on: what it writes is not masked. */
  has(text: string): boolean {
    return Buffer.concat(this.bytes).includes(text)
  }
}

const until = (room: Room, test: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => void (test() && resolve())
    for (const event of ['join', 'leave', 'change', 'refused'] as const) room.on(event, look)
    look()
  })

async function server(): Promise<Recorder> {
  const process = await ServerProcess.start({ args: ['--turn', 'off'] })
  undo.push(() => process.dispose())
  return Recorder.before(process.address)
}

function enter(recorder: Recorder, options: JoinOptions = {}): Room {
  const room = joinRoom('sealed', { server: recorder.address, paths: ['relay'], ...options })
  undo.push(() => room.leave())
  return room
}

const heard = (room: Room, count: number): Promise<unknown[]> =>
  new Promise((resolve) => {
    const lines: unknown[] = []
    room.channel('chat').on('message', ({ data }) => {
      lines.push(data)
      if (lines.length === count) resolve(lines)
    })
  })

const SAID = 'what only members are to read'

/** Everything there is to say, by the relay. */
async function talk(ada: Room, bob: Room): Promise<void> {
  const lines = heard(bob, 3)
  await Promise.all([until(ada, () => ada.peers.size === 1), until(bob, () => bob.peers.size === 1)])
  const [peer] = ada.peers.keys() as Iterable<PeerId>
  const values = new Promise((resolve) => bob.latest('pos').on('value', ({ value }) => resolve(value)))
  bob.procedure<string, string>('ask', (question) => question)
  ada.channel('chat').send(SAID)
  ada.channel('chat').send(SAID, { to: peer as PeerId })
  ada.channel('chat').send(SAID.repeat(5_000))
  ada.latest('pos').set(SAID)
  expect(await ada.procedure<string, string>('ask')(peer as PeerId, SAID)).toBe(SAID)
  expect(await values).toBe(SAID)
  expect(await lines).toEqual([SAID, SAID, SAID.repeat(5_000)])
}

describe('a server', () => {
  it.each([
    ['link', {}],
    ['secret', { secret: newSecret() }],
    ['secret', { password: 'correct horse' }],
  ] as const)('reads nothing of what members of a room say: %s', async (mode, options) => {
    const recorder = await server()
    const ada = enter(recorder, options)
    const bob = enter(recorder, options)
    await talk(ada, bob)
    expect(recorder.has('"members"')).toBe(true)
    expect(recorder.has(SAID)).toBe(false)
    expect([ada.sealing, bob.sealing]).toEqual([mode, mode])
    const [one, other] = [[...ada.peers.values()][0], [...bob.peers.values()][0]]
    expect(await one?.safetyNumber).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(await one?.safetyNumber).toBe(await other?.safetyNumber)
    expect(ada.stats().sealing).toMatchObject({ sealed: expect.any(Number), refused: {} })
  })

  it('reads everything where the room is open', async () => {
    const recorder = await server()
    await talk(enter(recorder, { sealing: 'open' }), enter(recorder, { sealing: 'open' }))
    expect(recorder.has(SAID)).toBe(true)
  })
})

describe('a room with a secret', () => {
  it('is closed to who has another, at once, and its members are told', async () => {
    const recorder = await server()
    const ada = enter(recorder, { secret: newSecret() })
    await ada.ready
    const told = new Promise((resolve) => ada.on('refused', resolve))
    const eve = enter(recorder, { secret: newSecret() })
    await expect(eve.ready).rejects.toMatchObject({ code: 'wrong-secret', fatal: true })
    expect(eve.status).toBe('closed')
    expect(await told).toMatchObject({ error: { code: 'wrong-secret' } })
    expect(ada.peers.size).toBe(0)
  })
})

describe('members of another mode', () => {
  it('are strangers to each other', async () => {
    const recorder = await server()
    const ada = enter(recorder)
    await ada.ready
    const told = new Promise((resolve) => ada.on('refused', resolve))
    const open = enter(recorder, { sealing: 'open' })
    await open.ready
    expect(await told).toMatchObject({ error: { code: 'seal-mismatch' } })
    expect([ada.peers.size, open.peers.size]).toEqual([0, 0])
  })
})

describe('an identity', () => {
  it('is shown verified, and the application admits whom it knows', async () => {
    const recorder = await server()
    const pair = { name: 'ECDSA', namedCurve: 'P-256' }
    const identity = (await crypto.subtle.generateKey(pair, false, ['sign', 'verify'])) as CryptoKeyPair
    const asked: (string | undefined)[] = []
    const ada = enter(recorder, {
      admit: async (newcomer) => {
        asked.push(newcomer.identity)
        return newcomer.identity !== undefined
      },
    })
    await ada.ready
    const bob = enter(recorder, { identity })
    await until(ada, () => ada.peers.size === 1)
    const [peer] = ada.peers.values()
    expect(peer?.identity).toMatch(/^[0-9a-f]{64}$/)
    const refused = new Promise((resolve) => ada.on('refused', resolve))
    const eve = enter(recorder)
    await eve.ready
    expect(await refused).toMatchObject({ error: { code: 'not-admitted' } })
    expect(ada.peers.size).toBe(1)
    await bob.ready
    expect(asked).toEqual([peer?.identity, undefined])
  })
})
