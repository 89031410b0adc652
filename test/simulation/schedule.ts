/**
 * One random schedule of a room: members come, talk, lose their networks and go; the network heals; and then every
 * promise of delivery is checked. Everything follows from the seed.
 */
import { Cast } from './schedule/cast.ts'
import { sayLast } from './schedule/last-words.ts'
import { Scene, type ScheduleOptions } from './schedule/scene.ts'
import { Talk } from './schedule/talk.ts'
import { Troubles } from './schedule/troubles.ts'
import { judge } from './schedule/verdict.ts'

export interface ScheduleResult {
  readonly seed: number
  readonly violations: readonly string[]
  readonly sent: number
  readonly delivered: number
  /** By reason. */
  readonly missed: Readonly<Record<string, number>>
  /** What those who stayed were told, by reason. */
  readonly leaves: Readonly<Record<string, number>>
  readonly simulatedMs: number
}

/** Long enough for every back-off and grace period to run out. */
const CALM_MS = 120_000

export async function runSchedule(options: ScheduleOptions): Promise<ScheduleResult> {
  const run = new ScheduleRun(options)
  await run.run()
  return run.result()
}

class ScheduleRun {
  readonly #scene: Scene
  readonly #talk: Talk
  readonly #cast: Cast
  readonly #troubles: Troubles

  constructor(options: ScheduleOptions) {
    this.#scene = new Scene(options)
    this.#talk = new Talk(this.#scene)
    this.#cast = new Cast(this.#scene, this.#talk)
    this.#troubles = new Troubles(this.#scene, this.#talk)
  }

  async run(): Promise<void> {
    const { clock } = this.#scene.world
    const first = this.#scene.random.integer(1, this.#scene.options.peers + 1)
    for (let index = 0; index < first; index += 1) this.#cast.join()
    const untilMs = clock.now() + this.#scene.options.troubleMs
    while (clock.now() < untilMs) {
      this.#act()
      await clock.run(this.#scene.random.pick([0, 1, 5, 20, 100, 500]))
    }
    this.#troubles.heal(this.#cast.actors)
    await clock.run(CALM_MS)
    await sayLast(this.#scene, this.#cast, this.#talk)
    judge(this.#scene, this.#cast, this.#talk)
    for (const { client } of this.#cast.actors) void client.room.leave()
    await clock.run(CALM_MS)
    if (clock.pending > 0) this.#scene.violations.push(`${clock.pending} timers are left`)
    const { repeated } = this.#scene.world.nonces
    if (repeated > 0) this.#scene.violations.push(`${repeated} nonces were used again`)
  }

  #act(): void {
    const actors = this.#cast.here
    if (actors.length === 0) {
      this.#cast.join()
      return
    }
    const actor = this.#scene.random.pick(actors)
    const what = this.#scene.random.next()
    if (what < 0.65) this.#talk.send(actor)
    else if (what < 0.72) this.#talk.move(actor.client)
    else if (what < 0.78) this.#cast.join()
    else if (what < 0.8) this.#cast.leave(actor)
    else this.#troubles.strike(actor, actors)
  }

  result(): ScheduleResult {
    const outcomes = this.#talk.sendings.map(({ outcome }) => outcome)
    return {
      seed: this.#scene.options.seed,
      violations: this.#scene.violations,
      sent: this.#talk.sendings.length,
      delivered: outcomes.reduce((sum, outcome) => sum + (outcome ? outcome.to.length - outcome.missed.size : 0), 0),
      leaves: countBy(this.#cast.here.flatMap(({ leaves }) => [...leaves.values()])),
      missed: countBy(outcomes.flatMap((outcome) => [...(outcome?.missed.values() ?? [])])),
      simulatedMs: this.#scene.world.clock.now() - this.#scene.startMs,
    }
  }
}

function countBy(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  return counts
}
