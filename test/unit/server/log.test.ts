import { describe, expect, it } from 'vitest'
import { readableLine } from '../../../signaling/log.ts'
import { LogThrottle } from '../../../signaling/log-throttle.ts'

describe('a readable line', () => {
  it('shows what others sent without its control characters', () => {
    const line = readableLine(
      JSON.stringify({ level: 40, time: 0, msg: 'refused', origin: 'x\u001b[2J\u009b1m\nfake', ids: ['\u007f'] }),
    )
    expect(line).toContain(String.raw`refused origin=x\u001b[2J\u009b1m\u000afake ids=["\u007f"]`)
    expect(line.trimEnd().split('\n')).toHaveLength(1)
  })
})

describe('a throttle for the log', () => {
  it('lets a burst pass, then says how many it left out', () => {
    let nowMs = 0
    const throttle = new LogThrottle(() => nowMs)
    const said: object[] = []
    for (let count = 0; count < 100; count += 1) throttle.tell((unsaid) => said.push(unsaid))
    expect(said).toEqual(Array.from({ length: 20 }, () => ({})))
    nowMs = 10_000
    throttle.tell((unsaid) => said.push(unsaid))
    throttle.tell((unsaid) => said.push(unsaid))
    expect(said.slice(20)).toEqual([{ unsaid: 80 }, {}])
  })
})
