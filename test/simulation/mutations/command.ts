/**
 * `npm run test:mutations [-- words]`: puts every fault into the code, one at a time, and looks whether it is noticed.
 * `words`: only mutants in whose names they occur. Exits with 1 when one survives, or does not fit the code any more.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Mutant } from './mutant.ts'
import { MUTANTS } from './mutants/index.ts'
import { tryMutant, tryTest } from './trial.ts'

/** Characters shown of what a test said. */
const MOST_SAID = 120

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Only those that `npm test` looks for, too. */
    quick: { type: 'boolean', default: false },
    /** The simulation looks at so many seeds, at most. */
    seeds: { type: 'string' },
    /** What the simulation has to say of all of them, whatever kills them. */
    simulate: { type: 'boolean', default: false },
    /** Without what the simulation kills, or that alone. */
    tests: { type: 'boolean', default: false },
    simulated: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
})

const chosen = MUTANTS.filter(
  ({ name, quick, killedBy }) =>
    (!values.quick || quick) &&
    (!values.tests || killedBy !== 'simulation') &&
    (!values.simulated || killedBy === 'simulation') &&
    positionals.every((word) => name.includes(word)),
).map((mutant): Mutant => (values.simulate ? { ...mutant, killedBy: 'simulation' } : mutant))

const seeds = values.seeds === undefined ? undefined : Number(values.seeds)
const startedMs = Date.now()
const sound = new Map<string, Promise<string | undefined>>()
let killed = 0

/** What kills a mutant has to be content with the code as it is. */
function withoutMutant({ killedBy }: Mutant): Promise<string | undefined> {
  if (killedBy === 'simulation') return Promise.resolve(undefined)
  const key = `${killedBy.file} ${killedBy.test}`
  const known = sound.get(key) ?? tryTest(killedBy)
  sound.set(key, known)
  return known
}

async function look(mutant: Mutant): Promise<string> {
  const broken = await withoutMutant(mutant)
  if (broken !== undefined) return `BROKEN    ${mutant.name}: its test fails without it: ${broken}`
  const noticed = await tryMutant(mutant, seeds)
  if (noticed === undefined) return `SURVIVED  ${mutant.name}`
  killed += 1
  return `killed    ${mutant.name}  (${noticed.length > MOST_SAID ? `${noticed.slice(0, MOST_SAID)}…` : noticed})`
}

const waiting = [...chosen]
await Promise.all(
  Array.from({ length: Math.max(1, Number(values.jobs)) }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const told = await look(next).catch((error) => `ERROR     ${error instanceof Error ? error.message : error}`)
      console.log(told)
    }
  }),
)
console.log(`${killed} of ${chosen.length} mutants killed in ${((Date.now() - startedMs) / 1_000).toFixed(1)} s`)
process.exit(killed === chosen.length && killed > 0 ? 0 : 1)
