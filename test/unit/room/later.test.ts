import { beforeEach, expect, it } from 'vitest'
import { Later } from '../../../web/client/later.ts'
import { SimClock } from '../../simulation/sim-clock.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let clock: SimClock
let tries: number
let there: boolean
let done: string[]
let later: Later<string>

beforeEach(() => {
  clock = new SimClock()
  tries = 0
  there = true
  done = []
  later = new Later(async () => {
    tries += 1
    if (!there) throw new Error('away')
    return 'it'
  }, clock)
})

const say = (text: string) => (): void => {
  done.push(text)
}

it('does what was asked before it was there in order, and then at once', async () => {
  later.do(say('one'))
  later.do(say('two'), 'two')
  later.do(say('three'))
  later.do(say('two, newer'), 'two')
  expect(done).toEqual([])
  await turn()
  later.do(say('four'))
  expect(done).toEqual(['one', 'two, newer', 'three', 'four'])
  expect(tries).toBe(1)
  expect(clock.pending).toBe(0)
})

it('is tried again when it could not be loaded; who cannot wait is told', async () => {
  there = false
  later.do(say('waits'))
  later.do(say('never'), 'never', say('failed'))
  await turn()
  expect(done).toEqual(['failed'])
  // Not for each.
  for (let n = 0; n < 3; n += 1) later.do(say(`${n}`))
  later.do(say('never'), 'never', say('failed again'))
  await turn()
  expect(tries).toBe(1)
  clock.step()
  await turn()
  expect(tries).toBe(2)
  expect(done).toEqual(['failed', 'failed again'])
  there = true
  later.do(say('in time'), 'in time', say('failed'))
  clock.step()
  await turn()
  expect(done.slice(2)).toEqual(['waits', '0', '1', '2', 'in time'])
  expect(tries).toBe(3)
})

it('does nothing any more once it is closed', async () => {
  there = false
  later.do(say('one'))
  await turn()
  later.close()
  while (clock.step());
  await turn()
  expect(tries).toBe(1)
  expect(done).toEqual([])
})

it('is here for what asks it again while that is done', async () => {
  later.do(() => later.do(say('inner'), 'same'), 'same')
  later.do(say('next'))
  await turn()
  expect(done).toEqual(['inner', 'next'])
})

it('keeps no more than so much waiting, the oldest given up first, however long it does not come', async () => {
  there = false
  later.do(say('never'), 'never', say('failed'))
  for (let n = 0; n < 20_000; n += 1) later.do(() => done.push(`${n}`), n)
  await turn()
  expect(done).toEqual(['failed'])
  there = true
  clock.step()
  await turn()
  const asked = done.slice(1)
  expect([asked.length, asked.at(-1)]).toEqual([16_384, '19999'])
})
