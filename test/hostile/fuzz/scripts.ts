import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { mutated, mutatedOrder, mutatedText } from './mutate.ts'
import { type RecordedStep, type Recording, recordings } from './recording.ts'

export type Spoken = string | Buffer

/** What a client says over an uplink, as recorded or not quite. */
export type Script = readonly Spoken[]

/** In place of what only a run can know: ids, which are random in each. */
export interface Names {
  /** Two members of the room, as 16 hex digits each. */
  readonly peers: readonly [string, string]
}

const LONGEST = 14
const MOST_CHANGES = 4

function renamed(spoken: Spoken, from: readonly string[], { peers }: Names): Spoken {
  if (typeof spoken === 'string') return spoken
  const bytes = Buffer.from(spoken)
  for (const [index, id] of from.entries()) {
    const wanted = Buffer.from(id, 'hex')
    const given = Buffer.from(peers[index % peers.length] ?? '', 'hex')
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 8)) given.copy(bytes, at)
  }
  return bytes
}

const spokenIn = (step: RecordedStep): Spoken | undefined =>
  'up' in step ? step.up : 'upBytes' in step ? Buffer.from(step.upBytes, 'base64') : undefined

/** Recorded sessions over WebSockets, and what can be made of them. */
export class Scripts {
  readonly #scripts: readonly Script[]
  readonly #all: readonly Spoken[]

  constructor(names: Names, from: readonly Recording[] = recordings()) {
    this.#scripts = from
      .filter(({ carrier }) => carrier === 'websocket')
      .flatMap(({ sessions, peerIds }) =>
        sessions.map(({ steps }) =>
          steps.flatMap((step) => renamed(spokenIn(step) ?? '', peerIds, names)).filter(({ length }) => length > 0),
        ),
      )
    this.#all = this.#scripts.flat()
  }

  /** Part of a recorded session, mostly with its join, changed in one to four places. */
  next(random: SeededRandom): Script {
    const whole = random.pick(this.#scripts)
    const from = random.integer(1, Math.max(2, whole.length))
    const part = whole.slice(from, from + random.integer(0, LONGEST))
    let script: Spoken[] = random.chance(0.95) ? [...whole.slice(0, 1), ...part] : part
    for (let changes = random.integer(1, MOST_CHANGES + 1); changes > 0; changes -= 1) {
      const other = random.pick(this.#all)
      if (random.chance(0.25)) script = mutatedOrder(script, random, other)
      else script = changedAt(script, random, other)
    }
    return script
  }
}

function changedAt(script: readonly Spoken[], random: SeededRandom, other: Spoken): Spoken[] {
  const copy = [...script]
  // The join is changed less often: without it, little of the rest is looked at.
  const index = random.chance(0.2) ? 0 : random.integer(0, Math.max(1, copy.length))
  const spoken = copy[index] ?? other
  if (random.chance(0.03)) copy[index] = typeof spoken === 'string' ? Buffer.from(spoken) : spoken.toString('utf8')
  else if (typeof spoken === 'string') copy[index] = mutatedText(spoken, random, other.toString())
  else copy[index] = mutated(spoken, random, Buffer.from(other))
  return copy
}
