import { HUB_DEFAULTS } from '../../../signaling/limits/hub-options.ts'
import { Heartbeat } from '../../../signaling/net/heartbeat.ts'
import { HTTP_PATIENCE, HttpCarriers } from '../../../signaling/net/http-carriers.ts'
import { readBatch } from '../../../signaling/protocol/batch.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { type FuzzTarget, type FuzzWorld, must } from './fuzz-target.ts'
import { hubInMemory } from './hub-target.ts'
import { mutated, mutatedOrder } from './mutate.ts'
import { recordings } from './recording.ts'
import { AnswerInMemory, requestInMemory } from './requests-in-memory.ts'

interface Asked {
  readonly method: string
  readonly path: string
  readonly carrier?: string
  readonly number?: number
  readonly body: string
}

const LONGEST = 12
const MOST_CHANGES = 4
const LOOK_EVERY = 100
const PATIENCE_MS = HTTP_PATIENCE.closeAfterMs + HUB_DEFAULTS.graceMs + 3_000
const STATUSES = [200, 204, 400, 403, 404, 410, 413]
const ODD = ['', '/', '/send/', '/poll', '/stream', '/stream?ticket=x', '/../send', '/%2e', '/nothing', '//']
const ODD_CARRIERS = [
  '',
  'sse; ticket',
  'sse;ticket;ticket',
  'websocket',
  'SSE',
  '__proto__',
  'sse, sse',
  'x'.repeat(5_000),
]
const ODD_NUMBERS = ['0', '-1', '1e3', '999999999', '9999999999', '1.5', '', '1 2', 'NaN', '0x1', '٣']

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const sessions: readonly (readonly Asked[])[] = recordings()
  .flatMap((recording) =>
    recording.sessions.map(({ steps }) => steps.filter((step): step is Asked => 'method' in step)),
  )
  .filter(({ length }) => length > 0)
const everything = sessions.flat()

/** Hostile sessions over the carriers of plain HTTP, without a network. */
class HttpWorld implements FuzzWorld {
  readonly #clock = new SimClock()
  readonly #scene = hubInMemory(this.#clock, (run) => void setImmediate(run))
  readonly #random = new SeededRandom(2)
  readonly #heartbeat = new Heartbeat(() => this.#clock.now(), HTTP_PATIENCE)
  readonly #carriers = new HttpCarriers({
    base: '',
    acceptor: this.#scene.hub,
    heartbeat: this.#heartbeat,
    random: this.#random.fill,
    maxBodyBytes: 524_288,
    maxQueuedBytes: 2_097_152,
    admit: (request) =>
      request.header('origin') === 'https://evil.example' ? { refuse: 'not from there' } : { address: '198.51.100.1' },
  })
  #fed = 0

  async feed(seed: number): Promise<void> {
    const random = new SeededRandom(seed)
    const { honest, defects } = this.#scene
    honest.talk()
    await this.#session(random)
    honest.talk()
    await turn()
    await turn()
    honest.look()
    must(defects.length === 0, `a defect was met: ${String((defects[0] as { err?: unknown })?.err)}`)
    this.#fed += 1
    if (this.#fed % LOOK_EVERY === 0) await this.#look()
  }

  async end(): Promise<void> {
    await this.#look()
  }

  async #session(random: SeededRandom): Promise<void> {
    const whole = random.pick(sessions)
    const [opening, ...rest] = whole
    if (opening === undefined) return
    const from = random.integer(0, Math.max(1, rest.length))
    let script = [opening, ...rest.slice(from, from + random.integer(0, LONGEST))]
    if (random.chance(0.3)) script = mutatedOrder(script, random, random.pick(everything))
    const changed = new Set(
      Array.from({ length: random.integer(0, MOST_CHANGES) }, () => random.integer(0, script.length)),
    )
    const answers: AnswerInMemory[] = []
    const next = { polls: 0, sends: 0 }
    let secret = ''
    for (const [index, asked] of script.entries()) {
      const answer = new AnswerInMemory(random.chance(0.1))
      answers.push(answer)
      const handled = this.#ask(asked, secret, next, changed.has(index) ? random : undefined, answer)
      // Requests of one client may be under way together.
      if (random.chance(0.8)) await handled
      else void handled
      secret ||= secretIn(answer)
      if (random.chance(0.2)) answer.drain()
      if (random.chance(0.05)) answer.leave()
    }
    await turn()
    for (const answer of answers) {
      must(answer.status === 0 || STATUSES.includes(answer.status), `an answer with status ${answer.status}`)
      answer.leave()
    }
    // What is not waited for by anybody would last 25 s: a number that does not fit ends it.
    await this.#ask(
      { method: 'POST', path: '/send', number: 999_999_998, body: '' },
      secret,
      undefined,
      undefined,
      new AnswerInMemory(false),
    )
  }

  #ask(
    asked: Asked,
    secret: string,
    next: { polls: number; sends: number } | undefined,
    random: SeededRandom | undefined,
    answer: AnswerInMemory,
  ): Promise<void> {
    let { method, path, carrier } = asked
    let number = String(asked.number ?? '')
    if (next !== undefined && path === '/poll') {
      next.polls += 1
      number = String(next.polls)
    } else if (next !== undefined && path === '/send') {
      next.sends += 1
      number = String(next.sends)
    }
    let body: Uint8Array = Buffer.from(asked.body, 'base64')
    let cut = false
    const headers: Record<string, string> = {}
    if (random !== undefined) {
      const which = random.integer(0, 12)
      if (which < 7) body = mutated(body, random, Buffer.from(random.pick(everything).body, 'base64'))
      else if (which === 7) path = random.pick(ODD)
      else if (which === 8) method = random.pick(['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE', 'X'])
      else if (which === 9) carrier = random.pick(ODD_CARRIERS)
      else if (which === 10) number = random.pick(ODD_NUMBERS)
      else if (random.chance(0.5)) cut = true
      else headers.origin = random.pick(['https://evil.example', 'https://good.example', 'null'])
    }
    if (carrier !== undefined) headers['partyline-carrier'] = carrier
    if (secret !== '' && asked.carrier === undefined) headers['partyline-uplink'] = `${secret} ${number}`
    const [below = '', query = ''] = path.split('?')
    const request = requestInMemory({ method, path: `/uplink${below}`, query, headers, body, cut })
    return this.#carriers.handle(request, answer) ?? Promise.resolve()
  }

  async #look(): Promise<void> {
    // First the silent are let go of, then their members.
    for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += HTTP_PATIENCE.sweepEveryMs) {
      const untilMs = this.#clock.now() + HTTP_PATIENCE.sweepEveryMs
      this.#clock.setTimeout(() => undefined, HTTP_PATIENCE.sweepEveryMs)
      while (this.#clock.step(untilMs));
      this.#heartbeat.sweep()
      await turn()
    }
    await turn()
    const { connections, members, rooms, away } = this.#scene.hub.stats()
    const left = JSON.stringify({ connections, members, rooms, away })
    must(left === '{"connections":2,"members":2,"rooms":1,"away":0}', `left behind: ${left}`)
    this.#scene.honest.look()
  }
}

/** In an answer that opens an uplink. */
function secretIn(answer: AnswerInMemory): string {
  if (answer.status !== 200) return ''
  const stream = answer.headers['content-type']?.startsWith('text/event-stream') === true
  const text = answer.body.toString('latin1')
  const bytes = stream ? Buffer.from(/data: (\S+)/.exec(text)?.[1] ?? '', 'base64') : answer.body
  if (bytes.length === 0) return ''
  const [first] = readBatch(bytes)
  return first?.kind === 'opened' ? first.token : ''
}

export const HTTP_TARGET: FuzzTarget = {
  name: 'http',
  begin: async () => {
    const world = new HttpWorld()
    // What the access tokens of the honest allow is not known at once.
    await turn()
    return world
  },
}
