/** The built bundle under Node, as a headless member has it: processes of their own, with what they have installed. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildTargets } from '../../signaling/setup/build.mjs'
import { ServerProcess } from '../support/server-process.ts'

const run = promisify(execFile)
const TOP = fileURLToPath(new URL('../..', import.meta.url))
/** A process that has left its room and is alive after this has forgotten something. */
const LIFE_MS = 60_000

/**
 * Talks with one other member, gives and takes a file, then leaves and says what it met. Nothing ends the process but
 * that nothing is left to do.
 */
const MEMBER = `
  import { joinRoom } from './partyline.js'
  const [server, name, path] = process.argv.slice(2)
  const room = joinRoom('node', { server, profile: { name } })
  const chat = room.channel('chat')
  const files = room.channel('files')
  const when = (test) => new Promise((resolve) => {
    const look = () => { if (test()) resolve() }
    for (const event of ['join', 'change']) room.on(event, look)
    chat.on('message', look)
    look()
  })
  const heard = []
  chat.on('message', ({ data }) => heard.push(data))
  const file = new Promise((resolve) => files.on('offer', async (offer) => {
    let bytes = 0
    for await (const chunk of offer.accept()) bytes += chunk.length
    resolve(bytes)
  }))
  chat.send('early ' + name)
  await room.ready
  await when(() => room.peers.size === 1 && [...room.peers.values()][0].path === path)
  const [peer] = room.peers.values()
  const { missed } = await chat.send('hello ' + name).delivered
  files.offer(new Blob([new Uint8Array(1_000_000)]))
  const fileBytes = await file
  // A ping that was held up may have taken it back to the relay for a moment.
  await when(() => peer.path === path)
  const { why } = peer
  chat.send('done')
  await when(() => heard.includes('done'))
  const found = { name, met: peer.profile.name, heard, missed: missed.size, fileBytes, path, why }
  await room.leave({ flushMs: 5_000 })
  console.log(JSON.stringify({ ...found, closed: await room.closed ?? 'left' }))
`

let server: ServerProcess
let folder: string

beforeAll(async () => {
  await buildTargets({ only: ['server', 'client'] })
  server = await ServerProcess.start({ args: ['--turn', 'off'] })
  folder = await mkdtemp(join(tmpdir(), 'partyline-node-'))
}, 240_000)
afterAll(async () => {
  await server?.dispose()
  await rm(folder, { recursive: true, force: true })
})

/** A project with the bundle and these packages, and nothing else. */
async function project(name: string, packages: readonly string[]): Promise<string> {
  const place = join(folder, name)
  await mkdir(join(place, 'node_modules'), { recursive: true })
  await writeFile(join(place, 'package.json'), '{ "type": "module" }')
  await writeFile(join(place, 'member.js'), MEMBER)
  await cp(join(TOP, 'dist/client'), place, { recursive: true })
  for (const installed of packages) {
    await symlink(join(TOP, 'node_modules', installed), join(place, 'node_modules', installed))
  }
  return place
}

it.each([
  ['without node-datachannel, through the server', ['ws'], 'relay', 'WebRTC is not supported here'],
  ['with node-datachannel, directly', ['ws', 'node-datachannel'], 'direct', 'connected directly'],
] as const)(
  '%s: they talk, pass files, and their processes end after leave()',
  async (_how, packages, path, why) => {
    const place = await project(path, packages)
    const member = async (name: string): Promise<unknown> => {
      const args = [join(place, 'member.js'), server.address, name, path]
      const { stdout, stderr } = await run(process.execPath, args, { timeout: LIFE_MS })
      expect(stderr).toBe('')
      return JSON.parse(stdout)
    }
    const [ada, bo] = await Promise.all([member('Ada'), member('Bo')])
    const met = { missed: 0, fileBytes: 1_000_000, path, why, closed: 'left' }
    expect(ada).toMatchObject({ ...met, name: 'Ada', met: 'Bo' })
    expect(bo).toMatchObject({ ...met, name: 'Bo', met: 'Ada' })
    for (const [found, other] of [
      [ada, 'Bo'],
      [bo, 'Ada'],
    ] as const) {
      const { heard } = found as { readonly heard: readonly string[] }
      // Whoever came second was there for nothing that was said before.
      expect(heard.filter((line) => !line.startsWith('early'))).toEqual([`hello ${other}`, 'done'])
    }
  },
  90_000,
)
