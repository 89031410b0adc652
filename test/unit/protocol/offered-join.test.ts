import { expect, it } from 'vitest'
import { chosenSubprotocol, offeredJoin, subprotocolsFor } from '../../../signaling/protocol/offered-join.ts'

it('carries a join of any characters as two subprotocols made of token characters', () => {
  const join = JSON.stringify({ t: 'join', room: 'ça 日本 👋🏽 ~~~???>>>', profile: '\u0000\uffff' })
  const [first, second, ...more] = subprotocolsFor(join)
  expect([first, more]).toEqual(['partyline', []])
  expect(second).toMatch(/^join\.[A-Za-z0-9_-]+$/)
  expect(offeredJoin(`${first}, ${second}`)).toBe(join)
  expect(offeredJoin(`other,${second} , partyline`)).toBe(join)
})

it('offers nothing that is larger than a header should be', () => {
  expect(subprotocolsFor('x'.repeat(2_048))).toHaveLength(2)
  expect(subprotocolsFor('x'.repeat(2_049))).toEqual([])
  expect(subprotocolsFor('é'.repeat(1_025))).toEqual([])
})

it.each(['join.=', 'join.e30=', 'join.a', 'join.gA', 'join.'])('"%s" is a message that is no JSON', (value) => {
  expect(offeredJoin(`partyline, ${value}`)).toBe('')
})

it('is chosen whenever it is offered, and is no offer of a join by itself', () => {
  expect(chosenSubprotocol('chat, partyline')).toBe('partyline')
  expect(chosenSubprotocol('chat, partyline2')).toBe('')
  expect(chosenSubprotocol('')).toBe('')
  expect(offeredJoin('partyline')).toBeUndefined()
  expect(offeredJoin('join.e30')).toBeUndefined()
  expect(offeredJoin(undefined)).toBeUndefined()
})
