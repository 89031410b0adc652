/**
 * `npm run fuzz`: the 200,000 inputs of the mutation fuzzer. `--inputs N` feeds so many instead, `--first S` begins with
 * another seed, `--target NAME` feeds one target alone, and `--seed S` with it shows that input again, after those of its
 * chapter before it. Exits with 1 at the first that goes wrong.
 */
import { parseArgs } from 'node:util'
import { CHAPTER, fuzz } from './fuzz-target.ts'
import { shares } from './targets.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '200000' },
    first: { type: 'string', default: '0' },
    target: { type: 'string' },
    seed: { type: 'string' },
  },
})

function whole(text: string, name: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value
  console.error(`--${name}: expected a whole number, got ${text}`)
  process.exit(2)
}

const seed = values.seed === undefined ? undefined : whole(values.seed, 'seed')
const first = whole(values.first, 'first')
const wanted = shares(whole(values.inputs, 'inputs')).filter(
  ({ target }) => values.target === undefined || target.name === values.target,
)
if (wanted.length === 0) {
  console.error(
    `--target: expected one of ${shares(0)
      .map(({ target }) => target.name)
      .join(', ')}`,
  )
  process.exit(2)
}
let fed = 0
try {
  for (const { target, inputs } of wanted) {
    const from = seed === undefined ? first : seed - (seed % CHAPTER)
    const outcome = await fuzz(target, from, seed === undefined ? inputs : (seed % CHAPTER) + 1)
    fed += outcome.inputs
    console.log(`${outcome.target}: ${outcome.inputs} inputs in ${outcome.seconds.toFixed(1)} s`)
  }
  console.log(`${fed} inputs: nothing broke`)
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
}
