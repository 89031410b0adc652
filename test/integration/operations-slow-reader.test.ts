import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { PeerId } from '../../signaling/protocol/ids.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { partyline } from './partyline-command.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

/** A server in a process of its own: what it feels is not what the clients here feel. */
async function started(engine: string, ...args: readonly string[]): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), 'partyline-slow-'))
  undo.push(() => rmSync(data, { recursive: true, force: true }))
  const run = partyline(
    ...['--port', '0', '--host', '127.0.0.1', '--turn', 'off', '--data-folder', data, '--engine', engine],
    // The one who fills the queue is to be as fast as it can.
    ...['--bytes-per-second', '200000000', '--slow-reader-bytes', '262144', ...args],
  )
  undo.push(() => run.child.kill('SIGKILL'))
  return run.printed(/Partyline is ready: (\S+)/)
}

interface Entered {
  readonly client: WireClient
  readonly id: PeerId
  readonly token: string
}

async function entered(url: string): Promise<Entered> {
  const client = await WireClient.connect(url)
  undo.push(() => client.drop())
  const { peerId, token } = await client.join({ room: 'lobby' })
  return { client, id: peerId, token }
}

/** Send to one who does not read until all queues on the way are full and the server says that it drops. */
async function fill(sender: WireClient, id: PeerId): Promise<void> {
  let told = false
  const dropped = sender.next('dropped').then((message) => {
    told = true
    return message
  })
  for (let sent = 0; !told && sent < 1_000; sent += 1) {
    sender.send({ kind: 'one', id }, 'x'.repeat(60_000))
    if (sent % 10 === 9) await sender.settle()
  }
  expect(await dropped).toMatchObject({ to: [id], reason: 'slow' })
}

type Message = WireClient['unread'][number]

/** What a member has heard of another's presence. */
const news = (member: WireClient): Message | undefined => member.unread.find(({ t }) => t === 'changed')

async function nextNews(member: WireClient): Promise<Message> {
  for (;;) {
    await member.settle()
    const found = news(member)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

const FRAMES = 75
const EVERY_MS = 20
/** What a stalled reader does to the others it does every time; what the machine does besides, it does now and then. */
const MOST_ROUNDS = 4

interface Delays {
  readonly p50Ms: number
  readonly p90Ms: number
}

/** How long broadcasts of `sender` take to each of `readers`. All must come. */
async function delays(sender: WireClient, readers: readonly WireClient[]): Promise<Delays> {
  const measured: number[] = []
  const reading = readers.map(async (reader) => {
    for (let count = 0; count < FRAMES; count += 1) {
      const { payload } = await reader.nextFrame()
      measured.push(performance.now() - Number(payload.slice(0, 20)))
    }
  })
  for (let count = 0; count < FRAMES; count += 1) {
    sender.send({ kind: 'all' }, `${performance.now()}`.padEnd(100))
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
  await Promise.all(reading)
  measured.sort((one, other) => one - other)
  const at = (share: number): number => measured[Math.floor(share * (measured.length - 1))] ?? Number.NaN
  return { p50Ms: at(0.5), p90Ms: at(0.9) }
}

interface Hundred {
  readonly ada: Entered
  readonly filler: Entered
  readonly stalled: Entered
  /** 97 more. */
  readonly readers: readonly WireClient[]
}

async function hundred(url: string): Promise<Hundred> {
  const [ada, filler, stalled, ...others] = await Promise.all(Array.from({ length: 100 }, () => entered(url)))
  if (ada === undefined || filler === undefined || stalled === undefined) throw new Error('nobody came')
  return { ada, filler, stalled, readers: others.map(({ client }) => client) }
}

/** As long as without. */
const alike = (beside: Delays, without: Delays): boolean =>
  beside.p50Ms < 2 * without.p50Ms + 5 && beside.p90Ms < 2 * without.p90Ms + 25

const shown = ({ p50Ms, p90Ms }: Delays): string => `p50 ${p50Ms.toFixed(1)}, p90 ${p90Ms.toFixed(1)} ms`

describe.each(['uws', 'ws'])('on %s', (engine) => {
  it('99 of 100 feel nothing of the one that does not read; it is closed with 4004 and may resume', async () => {
    // Two servers at the same time, so that what this machine does besides makes no difference between them.
    const [url, otherUrl] = await Promise.all([started(engine, '--slow-reader-ms', '15000'), started(engine)])
    const { ada, filler, stalled, readers } = await hundred(url)
    const control = await hundred(otherUrl)

    stalled.client.pauseReading()
    // It is alive and says so; it only does not read.
    const talking = setInterval(() => stalled.client.say({ t: 'ping', n: 1 }), 500)
    undo.push(() => clearInterval(talking))
    await fill(filler.client, stalled.id)
    // The kernel may tidy up and take some more, which counts as reading: there is always something that waits.
    const filling = setInterval(() => filler.client.send({ kind: 'one', id: stalled.id }, 'x'.repeat(60_000)), 50)
    undo.push(() => clearInterval(filling))
    const rounds: string[] = []
    for (let feltNothing = false; !feltNothing; ) {
      const [beside, without] = await Promise.all([
        delays(ada.client, readers),
        delays(control.ada.client, control.readers),
      ])
      rounds.push(`beside a stalled reader ${shown(beside)}; without ${shown(without)}`)
      // It was still there.
      expect(news(ada.client), rounds.join('\n')).toBeUndefined()
      feltNothing = alike(beside, without)
      expect(feltNothing || rounds.length < MOST_ROUNDS, rounds.join('\n')).toBe(true)
    }
    console.log(`${engine}: ${rounds.at(-1)}`)

    expect(await nextNews(ada.client)).toMatchObject({ id: stalled.id, presence: 'away' })
    clearInterval(talking)
    clearInterval(filling)
    const { instance } = stalled.client
    const back = await WireClient.connect(url)
    undo.push(() => back.drop())
    expect(await back.join({ room: 'lobby', token: stalled.token, instance })).toMatchObject({
      peerId: stalled.id,
      resumed: true,
    })
    stalled.client.resumeReading()
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^partyline_slow_readers_closed_total 1$/m)
    expect(metrics).toMatch(/^partyline_frames_dropped_total\{reason="slow"\} [1-9]/m)
  }, 300_000)

  it('one that neither reads nor says anything is taken for dead before that, whatever waits for it', async () => {
    const url = await started(engine, '--slow-reader-ms', '30000')
    const [ada, silent] = [await entered(url), await entered(url)]
    await ada.client.next('joined')
    silent.client.pauseReading()
    await fill(ada.client, silent.id)
    expect(await nextNews(ada.client)).toMatchObject({ id: silent.id, presence: 'away' })
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^partyline_slow_readers_closed_total 0$/m)
  }, 300_000)
})
