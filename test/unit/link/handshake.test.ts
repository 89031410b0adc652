import { describe, expect, it } from 'vitest'
import { decodeGreeting, type Greeting, type InstanceId } from '../../../signaling/protocol/index.ts'
import { type GreetingVerdict, Handshake } from '../../../web/client/link/handshake.ts'

const PEER = '11'.repeat(16) as InstanceId
const OTHER = '22'.repeat(16) as InstanceId

function greeting(fields: Partial<Greeting> = {}): Greeting {
  return {
    generation: 1,
    known: 0,
    afterCut: false,
    instance: PEER,
    delayMs: 20,
    uplinkRttMs: 0,
    starts: [0, 0, 0, 0],
    channels: [],
    ...fields,
  }
}

/** Our first generation is 5, as if there had been other links before. */
function begun(): Handshake {
  const handshake = new Handshake(PEER)
  handshake.begin(greeting({ generation: 5, instance: OTHER }), 0)
  return handshake
}

describe('our greeting', () => {
  it('is due at once, repeated with growing pauses, and no more once it is confirmed', () => {
    const handshake = begun()
    const at: number[] = []
    for (let nowMs = 0; nowMs < 30_000; nowMs += 10) if (handshake.due(nowMs, 0) !== undefined) at.push(nowMs)
    expect(at.slice(0, 5)).toEqual([0, 300, 900, 2_100, 4_500])
    expect((at.at(-1) as number) - (at.at(-2) as number)).toBe(5_000)
    handshake.greeted(4)
    expect(handshake.confirmed).toBe(false)
    handshake.greeted(5)
    expect(handshake.confirmed).toBe(true)
    handshake.hurry(31_000)
    expect(handshake.due(60_000, 0)).toBeUndefined()
    expect(handshake.nextMs).toBe(Number.POSITIVE_INFINITY)
  })

  it('is said again at once when a path opens', () => {
    const handshake = begun()
    handshake.due(0, 0)
    handshake.hurry(50)
    expect(handshake.due(50, 0)).toBeDefined()
  })

  it('tells what we know of the other side', () => {
    const handshake = begun()
    handshake.hear(greeting({ generation: 3 }))
    expect(decodeGreeting(handshake.due(0, 7) as Uint8Array)).toMatchObject({ generation: 5, known: 3, uplinkRttMs: 7 })
  })
})

describe('a greeting of the other side', () => {
  it.each<[string, Partial<Greeting>, { readonly heard?: number; readonly confirmed?: boolean }, GreetingVerdict]>([
    ['the first', {}, {}, 'start'],
    ['the same again', { generation: 3 }, { heard: 3 }, 'repeat'],
    ['an older one', { generation: 2 }, { heard: 3 }, 'stale'],
    ['of another instance', { instance: OTHER }, {}, 'stale'],
    ['a newer one after a cut', { generation: 4, known: 5, afterCut: true }, { heard: 3, confirmed: true }, 'start'],
    ['a cut before it heard us', { generation: 4, afterCut: true }, { heard: 3 }, 'start'],
    ['a new link, though it had confirmed us', { generation: 4 }, { heard: 3, confirmed: true }, 'forgotten'],
    ['a new link, and it never confirmed us', { generation: 4 }, { heard: 3 }, 'forgotten'],
    ['a new link, cut at once', { generation: 4, afterCut: true }, { heard: 3, confirmed: true }, 'forgotten'],
    ['meant for a link of ours that is over', { known: 4 }, {}, 'stale'],
    ['that knows this link', { known: 5 }, {}, 'start'],
  ])('%s: %#', (_name, fields, { heard, confirmed }, verdict) => {
    const handshake = begun()
    if (heard !== undefined) handshake.hear(greeting({ generation: heard }))
    if (confirmed) handshake.greeted(5)
    expect(handshake.hear(greeting(fields))).toBe(verdict)
  })
})
