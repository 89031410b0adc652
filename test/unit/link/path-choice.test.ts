import { expect, it } from 'vitest'
import { choosePath, type PathCandidate } from '../../../web/client/link/path-choice.ts'

const NOW = 1_000

/** `kind rtt`, with `!` unusable and `~` held back; its tag is its place. */
function parse(text: string): PathCandidate[] {
  return text.split(', ').map((word, tag) => {
    const [kind, rtt] = word.replace(/[!~]/g, '').split(' ')
    return {
      kind: kind as PathCandidate['kind'],
      tag,
      usable: !word.includes('!'),
      rttMs: rtt === undefined ? undefined : Number(rtt),
      heldBackUntilMs: word.includes('~') ? NOW + 1 : NOW,
    }
  })
}

it.each<[candidates: string, current: number | undefined, chosen: number | undefined, why: string]>([
  ['relay 5', undefined, 0, 'the only one'],
  ['relay 5, turn 50, direct 90', undefined, 2, 'direct before turn before relay, whatever the round trip'],
  ['relay 5, turn 50', 0, 1, 'turn before relay'],
  ['direct! 5, relay 90', 0, 1, 'only what is usable'],
  ['direct! 5, relay! 90', 0, undefined, 'nothing is usable'],
  ['direct 50, direct 30', undefined, 1, 'the quicker of two'],
  ['direct 30, direct 50', undefined, 0, 'the quicker of two, in any order'],
  ['direct 50, direct 30', 0, 1, 'clearly quicker than the present one'],
  ['direct 50, direct 42', 0, 0, 'not by a fifth: stay'],
  ['direct 10, direct 6', 0, 0, 'by a fifth, but not by 5 ms: stay'],
  ['direct 42, direct 50', 1, 1, 'stay, in any order'],
  ['direct 30, direct 50', 1, 0, 'move, in any order'],
  ['direct, direct 30', undefined, 1, 'measured before unmeasured'],
  ['direct, direct', 1, 1, 'both unmeasured: stay'],
  ['direct~ 5, turn 90', undefined, 1, 'held back after a failure'],
  ['direct~ 5, turn 90', 0, 0, 'the present one is not held back'],
  ['direct~ 5', undefined, 0, 'held back, but nothing else is usable'],
  ['direct~ 5, turn! 90', undefined, 0, 'held back, and the other is not usable'],
])('of %s with %s in use, %s is chosen: %s', (candidates, current, chosen) => {
  expect(choosePath(parse(candidates), current, NOW)?.tag).toBe(chosen)
})
