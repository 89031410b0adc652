import { describe, expect, it } from 'vitest'
import { fitsPattern } from '../../../signaling/access/room-pattern.ts'
import { quickestMs } from '../../support/quickest.ts'

describe('a pattern of rooms', () => {
  it.each([
    ['lobby', 'lobby', true],
    ['lobby', 'lobb', false],
    ['lobby', 'lobbyy', false],
    ['lobby', 'Lobby', false],
    ['team-7', 'team-*', true],
    ['team-', 'team-*', true],
    ['my-team-7', 'team-*', false],
    ['team-7-chat', 'team-*-chat', true],
    ['team-7-chat-8-chat', 'team-*-chat', true],
    ['team-7-chatter', 'team-*-chat', false],
    ['anything', '*', true],
    ['a.b', 'a?b', false],
    ['aXb', 'a.b', false],
    ['café/1', 'café/*', true],
    ['abc', 'a**c', true],
    ['abc', '', false],
  ])('%j fits %j: %j', (room, pattern, fits) => {
    expect(fitsPattern(room, pattern)).toBe(fits)
  })

  it('cannot be made to take long', async () => {
    const ms = await quickestMs(() => expect(fitsPattern('a'.repeat(128), `${'*a'.repeat(63)}*b`)).toBe(false))
    expect(ms).toBeLessThan(50)
  })
})
