import type { FuzzTarget } from './fuzz-target.ts'
import { HTTP_TARGET } from './http-target.ts'
import { HUB_TARGET } from './hub-target.ts'
import { MEMBER_TARGETS } from './member-target.ts'
import { SERVER_TARGETS } from './server-target.ts'
import { WIRE_TARGETS } from './wire-target.ts'

/** How the inputs of a run are divided. */
const PARTS: readonly (readonly [FuzzTarget, number])[] = [
  [HUB_TARGET, 0.42],
  [HTTP_TARGET, 0.27],
  ...MEMBER_TARGETS.map((target) => [target, 0.1] as const),
  ...SERVER_TARGETS.map((target) => [target, 0.03] as const),
  ...WIRE_TARGETS.map((target) => [target, 0.025] as const),
]

export const shares = (inputs: number): { readonly target: FuzzTarget; readonly inputs: number }[] =>
  PARTS.map(([target, part]) => ({ target, inputs: Math.round(inputs * part) }))
