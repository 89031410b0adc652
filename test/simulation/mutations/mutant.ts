import { basename } from 'node:path'
import type { PromiseName } from './promises/index.ts'

/** A test by its file and its name (that of `it`, without those of `describe` around it). */
export interface NamedTest {
  readonly file: string
  readonly test: string
}

/** One fault, put on purpose into a copy of the code, which some test has to notice. */
export interface Mutant {
  /** What the faulty code does, as short as can be, behind the name of its file. */
  readonly name: string
  /** What that breaks. */
  readonly breaks: PromiseName
  /** From the top of the repository. */
  readonly file: string
  /** The text that is replaced; it occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** `simulation`: some of the first seeds, as `npm run sim` shapes them. Or this test, which then fails. */
  readonly killedBy: 'simulation' | NamedTest
  /** Looked for by `npm test` too, among some others: quick to find, and at the heart of the matter. */
  readonly quick?: true
}

/** Mutants of one file, which becomes part of their names. */
export const of = (file: string, mutants: readonly Omit<Mutant, 'file'>[]): readonly Mutant[] =>
  mutants.map((mutant) => ({ ...mutant, file, name: `${basename(file, '.ts')}: ${mutant.name}` }))

/** `find` is not what stands in the file any more: the mutant is to follow the code. */
export class OutdatedMutant extends Error {
  constructor({ name, file, find }: Mutant, count: number) {
    super(`mutant "${name}": ${count === 0 ? 'nowhere' : `${count} times`} in ${file}, expected once:\n${find}`)
  }
}

/** The file with the fault in it. @throws OutdatedMutant */
export function mutate(mutant: Mutant, source: string): string {
  const parts = source.split(mutant.find)
  if (parts.length !== 2) throw new OutdatedMutant(mutant, parts.length - 1)
  return parts.join(mutant.replace)
}
