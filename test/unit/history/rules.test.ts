import { describe, expect, it } from 'vitest'
import { keepsChannel, parseHistoryRule, ruleFor } from '../../../signaling/history/rules.ts'

describe('a rule of what is kept', () => {
  it('has defaults for all but the rooms', () => {
    const defaults = { messages: 100, ageMs: 86_400_000, channels: ['*'], mail: 0 }
    expect(parseHistoryRule('team-*')).toEqual({ rooms: 'team-*', ...defaults })
    expect(parseHistoryRule('*;age=90m;mail=50')).toEqual({ rooms: '*', ...defaults, ageMs: 5_400_000, mail: 50 })
    expect(parseHistoryRule('a b;channels=chat|note-*;messages=7;age=30s')).toMatchObject({
      ...{ rooms: 'a b', channels: ['chat', 'note-*'], messages: 7, ageMs: 30_000 },
    })
  })

  it.each([
    ...['', ';messages=1', '*;', '*;messages', '*;messages=0', '*;messages=1000001', '*;messages=1.5', '*;messages=-1'],
    ...['*;age=1', '*;age=0s', '*;age=9999d', '*;age=d', '*;channels=', '*;channels=a||b', '*;mail=x', '*;colour=red'],
    ...['*;mail=1;mail=2', `${'x'.repeat(300)}`, '*;toString=1'],
  ])('refuses %s', (text) => {
    expect(parseHistoryRule(text)).toBeUndefined()
  })

  it('counts when it is the first that the room fits', () => {
    const rules = ['team-*;messages=1', '*;messages=2'].flatMap((text) => parseHistoryRule(text) ?? [])
    expect(ruleFor(rules, 'team-a')?.messages).toBe(1)
    expect(ruleFor(rules, 'lobby')?.messages).toBe(2)
    expect(ruleFor(rules.slice(0, 1), 'lobby')).toBeUndefined()
  })

  it('is of the channels that fit one of its patterns', () => {
    const rule = parseHistoryRule('*;channels=chat|note-*')
    expect(
      ['chat', 'note-1', 'chats', 'note'].filter((name) => rule !== undefined && keepsChannel(rule, name)),
    ).toEqual(['chat', 'note-1'])
  })
})
