import { describe, expect, it } from 'vitest'
import { Inbound } from '../../../web/client/inbound.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function later<T>() {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

const nothing = (): void => undefined

describe('what comes in', () => {
  it('is taken at once while nothing waits, also from what is taken', () => {
    const inbound = new Inbound()
    const taken: string[] = []
    inbound.run(() => {
      inbound.run(() => taken.push('second'))
      taken.push('first')
    })
    inbound.beside(
      1,
      () => 'third',
      (what) => taken.push(what),
    )
    expect(taken).toEqual(['first', 'second', 'third'])
  })

  it('is taken in order, whichever is ready first, and frames are opened beside each other', async () => {
    const inbound = new Inbound()
    const taken: string[] = []
    const [one, two] = [later<string>(), later<string>()]
    inbound.beside(
      1,
      () => one.promise,
      (what) => taken.push(what),
    )
    inbound.beside(
      1,
      () => two.promise,
      (what) => taken.push(what),
    )
    inbound.run(() => taken.push('left'))
    two.resolve('two')
    await turn()
    expect(taken).toEqual([])
    one.resolve('one')
    await turn()
    expect(taken).toEqual(['one', 'two', 'left'])
  })

  it('waits for a member to be looked at before its frames are, which begins when all before is taken', async () => {
    const inbound = new Inbound()
    const events: string[] = []
    const [frame, look] = [later<void>(), later<void>()]
    inbound.beside(
      1,
      () => frame.promise,
      () => events.push('frame'),
    )
    inbound.alone(
      () => {
        events.push('look')
        return look.promise
      },
      () => events.push('joined'),
    )
    inbound.beside(
      1,
      () => void events.push('open'),
      () => events.push('opened'),
    )
    await turn()
    expect(events).toEqual([])
    frame.resolve()
    await turn()
    expect(events).toEqual(['frame', 'look'])
    look.resolve()
    await turn()
    expect(events).toEqual(['frame', 'look', 'joined', 'open', 'opened'])
  })

  it('is bounded in number: what a welcome makes up for is forgotten then, and the rest is taken', async () => {
    const inbound = new Inbound()
    const taken: string[] = []
    const admit = later<void>()
    const joined = (name: string): void => inbound.alone(nothing, () => taken.push(name), true)
    inbound.alone(
      () => admit.promise,
      () => taken.push('slow'),
      true,
    )
    inbound.run(() => taken.push('published'))
    let waiting = 2
    for (; !inbound.full; waiting += 1) joined('joined')
    expect(waiting).toBe(8_192)
    inbound.beside(0, nothing, () => taken.push('frame'))
    inbound.skip()
    expect(inbound.full).toBe(false)
    inbound.alone(nothing, () => taken.push('welcome'))
    joined('after')
    admit.resolve()
    await turn()
    expect(taken).toEqual(['slow', 'published', 'frame', 'welcome', 'after'])
    for (waiting = 0; waiting < 10_000; waiting += 1) joined('more')
    expect(inbound.full).toBe(false)
  })

  it('has a bound for frames of no bytes, too', () => {
    const inbound = new Inbound()
    inbound.alone(() => new Promise(nothing), nothing)
    let held = 0
    while (inbound.beside(0, nothing, nothing)) held += 1
    expect(held).toBe(65_536)
  })

  it('is bounded, and nothing of it is taken after the end', async () => {
    const inbound = new Inbound()
    const taken: string[] = []
    const wait = later<void>()
    inbound.alone(
      () => wait.promise,
      () => taken.push('joined'),
    )
    expect(
      inbound.beside(
        8_000_000,
        () => 'a',
        (what) => taken.push(what),
      ),
    ).toBe(true)
    expect(
      inbound.beside(
        1_000_000,
        () => 'b',
        (what) => taken.push(what),
      ),
    ).toBe(false)
    inbound.close()
    wait.resolve()
    await turn()
    expect(taken).toEqual([])
  })
})
