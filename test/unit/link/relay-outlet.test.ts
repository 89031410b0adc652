import { describe, expect, it } from 'vitest'
import { RelayOutlet } from '../../../web/client/link/relay-outlet.ts'

const KIB = 1_024

const outlet = (): RelayOutlet => new RelayOutlet(1, () => true)

describe('the relay’s window', () => {
  it('grows by what is acknowledged, up to a limit', () => {
    const relay = outlet()
    expect(relay.windowBytes).toBe(128 * KIB)
    relay.acknowledged(100 * KIB)
    expect(relay.windowBytes).toBe(228 * KIB)
    for (let count = 0; count < 100; count += 1) relay.acknowledged(100 * KIB)
    expect(relay.windowBytes).toBe(2_048 * KIB)
  })

  it('is halved when frames were lost, once a round trip, and grows slowly from there', () => {
    const relay = outlet()
    relay.roundTrip.sample(50)
    relay.lost(1_000)
    relay.lost(1_049)
    expect(relay.windowBytes).toBe(64 * KIB)
    // One window's worth of acknowledgements: one fragment more.
    for (let count = 0; count < 4; count += 1) relay.acknowledged(16 * KIB)
    expect(relay.windowBytes).toBeGreaterThan(78 * KIB)
    expect(relay.windowBytes).toBeLessThanOrEqual(80 * KIB)
    relay.lost(1_050)
    expect(relay.windowBytes).toBeLessThan(41 * KIB)
  })

  it('never shrinks below two fragments', () => {
    const relay = outlet()
    for (let count = 0; count < 20; count += 1) relay.lost(count * 1_000)
    expect(relay.windowBytes).toBe(32 * KIB)
  })
})
