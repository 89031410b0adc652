import type { NamedTest } from '../mutant.ts'

/** A promise of the design about delivery, and what holds it beside the simulation. */
export interface Promised {
  readonly says: string
  /** Where the simulation checks it too, it says so. */
  readonly simulated: boolean
  readonly tests: readonly NamedTest[]
}

/** Tests of one file, by name. */
export const at =
  (file: string) =>
  (...tests: readonly string[]): readonly NamedTest[] =>
    tests.map((test) => ({ file, test }))

/** Keeps the names as they are. */
export const promised = <Name extends string>(promises: Readonly<Record<Name, Promised>>) => promises
