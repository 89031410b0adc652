/**
 * `npm run fuzz:record`: records sessions of the real client with the real server, by each carrier and in each mode;
 * `npm run fuzz:record -- kept` those of modes whose names begin so.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import type { ServerOptionsInput } from '../../../signaling/options/table.ts'
import { startServer } from '../../../signaling/server.ts'
import { type JoinOptions, joinRoom, newSecret } from '../../../web/client/index.ts'
import { CARRIERS, type CarrierName } from '../../conformance/wire.ts'
import { KEEPING, keptLife } from './record-kept.ts'
import { RECORDINGS, type Recording, written } from './recording.ts'
import { RecordingProxy } from './recording-proxy.ts'

interface Mode {
  /** Of its files, behind the carrier. */
  readonly name: string
  readonly sealing: Recording['sealing']
  readonly options: () => Partial<JoinOptions>
  readonly server: ServerOptionsInput
  readonly live: typeof live
}

const MODES: readonly Mode[] = [
  { name: 'open', sealing: 'open', options: () => ({ sealing: 'open' }), server: {}, live },
  { name: 'link', sealing: 'link', options: () => ({}), server: {}, live },
  { name: 'secret', sealing: 'secret', options: () => ({ secret: newSecret() }), server: {}, live },
  { name: 'kept-open', sealing: 'open', options: () => ({ sealing: 'open' }), server: KEEPING, live: keptLife },
  { name: 'kept-secret', sealing: 'secret', options: () => ({ secret: newSecret() }), server: KEEPING, live: keptLife },
]

/** A little of everything that a room can do. */
async function live(server: string, uplink: CarrierName, options: Partial<JoinOptions>): Promise<string[]> {
  const enter = (name: string) =>
    joinRoom('recorded', { server, uplink, paths: ['relay'], profile: { name }, ...options })
  const rooms = [enter('Ada'), enter('Bo')] as const
  const [ada, bo] = rooms
  const chats = rooms.map((room) => room.channel('chat'))
  const echo = bo.procedure<{ n: number }, { n: number }>('echo', ({ n }) => ({ n: n + 1 }))
  const ask = ada.procedure<{ n: number }, { n: number }>('echo')
  for (const chat of chats) chat.on('message', () => undefined)
  bo.channel<Uint8Array>('bytes').on('message', () => undefined)
  bo.latest('position').on('value', () => undefined)
  bo.channel('files').on('offer', async (offer) => {
    for await (const chunk of offer.accept()) void chunk
  })
  await Promise.all(rooms.map(({ ready }) => ready))
  while (rooms.some(({ peers }) => peers.size === 0)) await after(20)
  const [adaId, boId] = rooms.map(({ self }) => self?.id)
  if (adaId === undefined || boId === undefined) throw new Error('nobody without an id is ready')
  for (let n = 0; n < 6; n += 1) {
    await Promise.all(chats.map((chat) => chat.send({ line: `line ${n} – ümläut`, n }).delivered))
  }
  await chats[0]?.send('to you alone', { to: boId }).delivered
  await ask(boId, { n: 41 })
  for (let x = 0; x < 5; x += 1) ada.latest<{ x: number }>('position').set({ x }, { key: 'ball' })
  await ada.channel<Uint8Array>('bytes').send(new Uint8Array(17_000).map((_, index) => index % 251)).delivered
  ada.setProfile({ name: 'Ada', typing: true })
  ada.channel('files').offer(new Blob([new Uint8Array(2_000)]))
  const late = enter('Cy')
  late.channel('chat').on('message', () => undefined)
  await late.ready
  await after(500)
  await Promise.all(chats.map((chat) => chat.send('and the last').delivered))
  const ids = [adaId, boId, late.self?.id]
  void echo
  for (const room of [...rooms, late]) await room.leave()
  return ids.flatMap((id) => id ?? [])
}

const wanted = process.argv[2] ?? ''
for (const { name, sealing, options, server: more, live: lived } of MODES.filter((mode) =>
  mode.name.startsWith(wanted),
)) {
  for (const carrier of CARRIERS) {
    const dataFolder = await mkdtemp(join(tmpdir(), 'partyline-record-'))
    const usual: ServerOptionsInput = { port: 0, host: '127.0.0.1', turn: 'off', logLevel: 'silent', dataFolder }
    const server = await startServer({ ...usual, ...more })
    const proxy = await RecordingProxy.before(server.port)
    const peerIds = await lived(proxy.url, carrier, options())
    proxy.close()
    await server.close()
    await rm(dataFolder, { recursive: true, force: true })
    const sessions = proxy.sessions.filter(({ steps }) => steps.length > 3)
    const recording: Recording = { carrier, sealing, peerIds, sessions }
    await writeFile(new URL(`${carrier}-${name}.jsonl`, RECORDINGS), written(recording))
    console.log(`${carrier}, ${name}: ${sessions.map(({ steps }) => steps.length).join(', ')} steps`)
  }
}
process.exit(0)
