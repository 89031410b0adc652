/** What runs in a thread, with a fault in the code or without. Says something now and then: so it is known to live. */
import { parentPort } from 'node:worker_threads'
import { runSchedule } from '../schedule.ts'
import { shapeOf } from '../shape.ts'
import { runNamed } from './stand-in.ts'

export type Said =
  /** It is alive. */
  | { readonly is: 'busy' }
  /** A test failed, or a promise was broken: this is how it was told. */
  | { readonly is: 'noticed'; readonly what: string }
  | { readonly is: 'fine' }

const say = (said: Said): void => parentPort?.postMessage(said)
const noticed = (what: string | undefined): void => say(what === undefined ? { is: 'fine' } : { is: 'noticed', what })

export async function runTest(name: string): Promise<void> {
  noticed(await runNamed(name))
}

/** Schedules, until one breaks a promise. */
export async function simulate(seeds: number): Promise<void> {
  let what: string | undefined
  for (let seed = 1; seed <= seeds && what === undefined; seed += 1) {
    try {
      const { violations } = await runSchedule({ seed, ...shapeOf(seed) })
      what = violations[0] && `seed ${seed}: ${violations[0]}`
    } catch (error) {
      what = `seed ${seed}: ${error}`
    }
    say({ is: 'busy' })
  }
  noticed(what)
}
