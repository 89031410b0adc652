import { describe, expect, it } from 'vitest'
import type { PeerSignal } from '../../../signaling/protocol/index.ts'
import { BesideOnDemand } from '../../../web/client/paths/beside-on-demand.ts'
import type { DirectPath } from '../../../web/client/paths/path.ts'
import type { PathsBeside } from '../../../web/client/paths/paths-beside.ts'

const offer = (attempt: number): PeerSignal => ({ t: 'offer', attempt, turn: false, sdp: 'offer' })
const main = {} as DirectPath

/** Its code comes when the test says so. */
function scene() {
  const told: string[] = []
  const paths = {
    waiting: (_path: DirectPath, rttMs: number) => void told.push(`waiting ${rttMs}`),
    receive: ({ attempt }: PeerSignal) => void told.push(`signal ${attempt}`),
    close: () => void told.push('close'),
    stop: () => void told.push('stop'),
  } as Partial<PathsBeside> as PathsBeside
  let loads = 0
  let settle = { come: (): void => {}, fail: (): void => {} }
  const beside = new BesideOnDemand(() => {
    loads += 1
    return new Promise((resolve, reject) => {
      settle = { come: () => resolve(paths), fail: () => reject(new Error('offline')) }
    })
  })
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))
  return {
    told,
    beside,
    loads: () => loads,
    come: async () => {
      settle.come()
      await turn()
    },
    fail: async () => {
      settle.fail()
      await turn()
    },
  }
}

describe('paths beside the one in use', () => {
  it('are loaded once, when bulk waits, and told of what waits from then on', async () => {
    const { told, beside, loads, come } = scene()
    beside.close()
    expect(loads()).toBe(0)
    beside.waiting(main, 50)
    beside.waiting(main, 51)
    await come()
    beside.waiting(main, 52)
    beside.close()
    expect(loads()).toBe(1)
    expect(told).toEqual(['waiting 52', 'close'])
  })

  it('get all signals of the other side in their order, also those that came before they were there', async () => {
    const { told, beside, come } = scene()
    beside.receive(offer(1))
    beside.receive(offer(3))
    await come()
    beside.receive(offer(5))
    expect(told).toEqual(['signal 1', 'signal 3', 'signal 5'])
  })

  it('are none after the link has ended, or when they cannot be loaded', async () => {
    const ended = scene()
    ended.beside.receive(offer(1))
    ended.beside.stop()
    await ended.come()
    expect(ended.told).toEqual([])
    const offline = scene()
    offline.beside.receive(offer(1))
    await offline.fail()
    offline.beside.waiting(main, 50)
    offline.beside.stop()
    expect(offline.told).toEqual([])
  })
})
