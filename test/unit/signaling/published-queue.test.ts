import { describe, expect, it } from 'vitest'
import { PublishedQueue } from '../../../signaling/sessions/published.ts'

const rest = (data: unknown): string => JSON.stringify({ id: 'x', data }).slice(1)
const numbers = (queue: PublishedQueue): number[] =>
  queue.texts().map((text) => (JSON.parse(text) as { readonly n: number }).n)

describe('what was published to a member', () => {
  it('is numbered from 1', () => {
    const queue = new PublishedQueue()
    expect(JSON.parse(queue.add(rest(7)))).toEqual({ t: 'published', n: 1, id: 'x', data: 7 })
    expect(JSON.parse(queue.add(rest(8)))).toMatchObject({ n: 2 })
  })

  it('is kept until it was seen', () => {
    const queue = new PublishedQueue()
    for (let data = 1; data <= 5; data += 1) queue.add(rest(data))
    expect([queue.before, numbers(queue)]).toEqual([0, [1, 2, 3, 4, 5]])
    queue.seen(3)
    expect([queue.before, numbers(queue)]).toEqual([3, [4, 5]])
    queue.seen(1)
    expect(numbers(queue)).toEqual([4, 5])
    queue.seen(Number.MAX_SAFE_INTEGER)
    expect([queue.before, numbers(queue)]).toEqual([5, []])
    queue.add(rest(6))
    expect([queue.before, numbers(queue)]).toEqual([5, [6]])
  })

  it('is bounded in messages and in size: the oldest go', () => {
    const queue = new PublishedQueue()
    for (let data = 1; data <= 300; data += 1) queue.add(rest(data))
    expect([queue.before, queue.texts().length]).toEqual([44, 256])
    for (let index = 0; index < 5; index += 1) queue.add(rest('x'.repeat(60_000)))
    expect(queue.texts().length).toBe(4)
    expect(queue.before).toBe(301)
  })
})
