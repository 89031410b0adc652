/**
 * Stands in for vitest where a named test runs with a fault in the code under it, in a thread that has no more than
 * that: a hundred such runs cost as much as some runs of vitest. Its assertions are vitest's own.
 */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

type Run = (...values: readonly unknown[]) => unknown

interface Case {
  readonly name: string
  readonly run: () => unknown
}

/** What the test file has said while it was loaded. */
const cases: Case[] = []
const before: Run[] = []
const after: Run[] = []

export const expect = chai.expect
export const describe = (_name: string, body: () => void): void => body()
export const beforeEach = (run: Run): void => void before.push(run)
export const afterEach = (run: Run): void => void after.push(run)

/** As in vitest, options may stand between name and body; they do not matter here. */
const add = (name: string, ...rest: readonly unknown[]): void => {
  const run = rest.find((part): part is Run => typeof part === 'function')
  if (run !== undefined) cases.push({ name, run })
}

const each =
  (rows: readonly unknown[]) =>
  (name: string, run: Run): void => {
    for (const row of rows) cases.push({ name, run: () => run(...(Array.isArray(row) ? row : [row])) })
  }

export const it = Object.assign(add, { each })
export const test = it

/** Only tests that use none of it run here. */
export const vi = {
  restoreAllMocks: (): void => {},
}

/** Runs all tests of this name (there are several where it is a template). What the first that failed said. */
export async function runNamed(name: string): Promise<string | undefined> {
  const named = cases.filter((known) => known.name === name)
  if (named.length === 0) throw new Error(`there is no test "${name}"`)
  for (const { run } of named) {
    try {
      for (const prepare of before) await prepare()
      await run()
    } catch (error) {
      return String((error as Error).message ?? error).split('\n', 1)[0]
    } finally {
      for (const tidy of after) await tidy()
    }
  }
  return undefined
}
