import { describe, expect, it } from 'vitest'
import { Heartbeat } from '../../../signaling/net/heartbeat.ts'

function beating() {
  let nowMs = 0
  const said: string[] = []
  const heartbeat = new Heartbeat(() => nowMs)
  const pulse = heartbeat.watch({ ping: () => said.push(`ping ${nowMs}`), silent: () => said.push(`silent ${nowMs}`) })
  const pass = (ms: number, stepMs = 1_000): void => {
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs += stepMs
      heartbeat.sweep()
    }
  }
  return { said, pulse, pass }
}

describe('heartbeat', () => {
  it('pings a quiet peer and gives a silent one up within 10 s', () => {
    const { said, pass } = beating()
    pass(12_000)
    expect(said).toEqual(['ping 3000', 'ping 6000', 'silent 9000'])
  })

  it('leaves a peer alone that is heard', () => {
    const { said, pulse, pass } = beating()
    for (let turn = 0; turn < 20; turn += 1) {
      pass(2_000)
      pulse.heard()
    }
    expect(said).toEqual([])
  })

  it('does not take our own standstill for their silence', () => {
    const { said, pulse, pass } = beating()
    pass(2_000)
    pass(30_000, 30_000)
    expect(said.filter((line) => line.startsWith('silent'))).toEqual([])
    pulse.heard()
    pass(2_000)
    expect(said.filter((line) => line.startsWith('silent'))).toEqual([])
  })

  it('waits while we do not read', () => {
    const { said, pulse, pass } = beating()
    pulse.hold(true)
    pass(30_000)
    expect(said).toEqual([])
    pulse.hold(false)
    pass(9_000)
    expect(said.at(-1)).toMatch(/^silent/)
  })

  it('is over when stopped', () => {
    const { said, pulse, pass } = beating()
    pulse.stop()
    pass(20_000)
    expect(said).toEqual([])
  })
})
