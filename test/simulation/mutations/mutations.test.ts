import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mutate, type NamedTest } from './mutant.ts'
import { MUTANTS } from './mutants/index.ts'
import { promiseNames, README, withTable } from './promise-table.ts'
import { PROMISES } from './promises/index.ts'
import { readSource } from './top.ts'
import { tryMutant } from './trial.ts'

/** A mutant is found within some seconds, on a machine that does nothing else. */
const A_MUTANT_MS = 120_000

const QUICK = MUTANTS.filter(({ quick }) => quick)

/** As it stands in its file, whichever quotes it has there. */
function isThere({ file, test }: NamedTest): boolean {
  return readSource(file).includes(test)
}

describe('the list of faults put in on purpose', () => {
  it('has one for every promise, and a test or the simulation that holds it', () => {
    const broken = new Set(MUTANTS.map(({ breaks }) => breaks))
    expect(promiseNames.filter((name) => !broken.has(name))).toEqual([])
    expect(promiseNames.filter((name) => !PROMISES[name].simulated && PROMISES[name].tests.length === 0)).toEqual([])
  })

  it('fits the code: what is replaced occurs exactly once, and names tell them apart', () => {
    const outdated = MUTANTS.flatMap((mutant) => {
      try {
        return mutate(mutant, readSource(mutant.file)) === readSource(mutant.file) ? [`${mutant.name}: no change`] : []
      } catch (error) {
        return [(error as Error).message]
      }
    })
    expect(outdated).toEqual([])
    const names = MUTANTS.map(({ name }) => name)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  it('names tests that are there', () => {
    const named = [...Object.values(PROMISES).flatMap(({ tests }) => tests), ...MUTANTS.map(({ killedBy }) => killedBy)]
    const tests = named.filter((killer): killer is NamedTest => killer !== 'simulation')
    expect(tests.filter((test) => !isThere(test))).toEqual([])
  })

  it('is what the README says (npx tsx test/simulation/mutations/promise-table.ts writes it)', () => {
    const readme = readFileSync(README, 'utf8')
    expect(readme).toBe(withTable(readme))
  })
})

describe('a fault put in on purpose is found', () => {
  it.each(QUICK)(`$name`, { timeout: A_MUTANT_MS }, async (mutant) => {
    expect(await tryMutant(mutant)).toBeDefined()
  })
})
