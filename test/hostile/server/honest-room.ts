/**
 * A room of honest members in a process of its own, one by each of three carriers. All talk to all the time, by bare
 * frames that nobody sends again: what the server drops, repeats or delays shows.
 */
import { setTimeout as after } from 'node:timers/promises'
import { readEnvelope } from '../../../signaling/protocol/envelope.ts'
import { parseServerMessage } from '../../../signaling/protocol/server-message.ts'
import { type CarrierName, openWire, type Wire } from '../../conformance/wire.ts'
import { envelope } from '../../conformance/wire-client.ts'
import { joinText } from './joining.ts'

/** What the members have to say of the room since the last report. */
export interface HonestReport {
  readonly sent: number
  /** Deliveries that were due, and those that came. */
  readonly due: number
  readonly came: number
  /** Deliveries that were not the next one of their sender: lost, repeated or out of order. */
  readonly wrong: number
  /** From sending to arriving, ms. */
  readonly worstMs: number
  readonly medianMs: number
  /** By which this process itself came too late for a timer: the machine has other things to do. */
  readonly lateMs: number
  /** Members whose uplink was closed, ever. */
  readonly closed: readonly string[]
}

const EVERY_MS = 25
const CARRIERS: readonly CarrierName[] = ['websocket', 'sse', 'long-poll']
const PATIENCE_MS = 30_000
const PING_MS = 5_000

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))

const [url = '', access = ''] = process.argv.slice(2)
const closed: string[] = []
let talking = true
let sent = 0
let came = 0
let wrong = 0
let lateMs = 0
const delays: number[] = []

class Member {
  readonly #wire: Wire
  readonly #next = new Map<string, number>()
  #numbered = 0

  constructor(wire: Wire, welcomed: () => void) {
    this.#wire = wire
    wire.listen((message) => {
      if (typeof message !== 'string') this.#frames(message)
      else if (parseServerMessage(message).t === 'welcome') welcomed()
    })
    wire.send(joinText({ room: 'honest', ...(access === '' ? {} : { access }) }))
    setInterval(() => wire.send(JSON.stringify({ t: 'ping', n: 1 })), PING_MS)
  }

  static async enter(carrier: CarrierName): Promise<Member> {
    const wire = await openWire(url, { carrier })
    void wire.closed.then(({ code }) => closed.push(`${carrier}: ${code}`))
    return new Promise((resolve) => {
      const member: Member = new Member(wire, () => resolve(member))
    })
  }

  talk(): void {
    this.#wire.send(envelope({ kind: 'all' }, `${this.#numbered} ${performance.now()}`))
    this.#numbered += 1
    sent += 1
  }

  #frames(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const view = readEnvelope(bytes, at)
      const [n = 0, atMs = 0] = bytes.subarray(view.payloadStart, view.end).toString('latin1').split(' ').map(Number)
      const from = view.peer ?? ''
      came += 1
      if (n !== (this.#next.get(from) ?? 0)) wrong += 1
      this.#next.set(from, n + 1)
      delays.push(performance.now() - atMs)
      at = view.end
    }
  }
}

const members = await Promise.all(CARRIERS.map((carrier) => Member.enter(carrier)))

async function talk(): Promise<void> {
  while (talking) {
    for (const member of members) member.talk()
    const dueMs = performance.now() + EVERY_MS
    await after(EVERY_MS)
    lateMs = Math.max(lateMs, performance.now() - dueMs)
  }
}
let conversation = talk()

async function report(): Promise<HonestReport> {
  talking = false
  await conversation
  const due = sent * (members.length - 1)
  for (const untilMs = performance.now() + PATIENCE_MS; came < due && performance.now() < untilMs; ) await after(10)
  const sorted = delays.splice(0).sort((a, b) => a - b)
  const told = {
    ...{ sent, due, came, wrong, closed: [...closed] },
    worstMs: Math.round(sorted.at(-1) ?? 0),
    medianMs: Math.round(sorted[sorted.length >> 1] ?? 0),
    lateMs: Math.round(lateMs),
  }
  talking = true
  conversation = talk()
  return told
}

process.on('message', () => void report().then((answer) => process.send?.({ question: 'report', answer })))
process.send?.({ question: 'started', answer: {} })
