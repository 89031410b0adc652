import type { FuzzTarget } from './fuzz-target.ts'
import { HTTP_TARGET } from './http-target.ts'
import { HUB_TARGET } from './hub-target.ts'

/** How the inputs of a run are divided. */
const PARTS: readonly (readonly [FuzzTarget, number])[] = [
  [HUB_TARGET, 0.5],
  [HTTP_TARGET, 0.5],
]

export const shares = (inputs: number): { readonly target: FuzzTarget; readonly inputs: number }[] =>
  PARTS.map(([target, part]) => ({ target, inputs: Math.round(inputs * part) }))
