import { expect, it } from 'vitest'
import { fuzz } from './fuzz/fuzz-target.ts'
import { shares } from './fuzz/targets.ts'

/** `npm run fuzz` feeds ten times as many. */
const INPUTS = 20_000

it.each(shares(INPUTS).map(({ target, inputs }) => [target.name, inputs, target] as const))(
  'recorded sessions that were changed break nothing (%s: %i inputs)',
  async (_, inputs, target) => {
    expect((await fuzz(target, 0, inputs)).inputs).toBe(inputs)
  },
  120_000,
)
