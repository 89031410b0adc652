import { describe, expect, it } from 'vitest'
import {
  type Carrier,
  type CarrierEvents,
  type OpenCarrier,
  UNREACHABLE,
} from '../../../web/client/carriers/carrier.ts'
import { CARRIER_KINDS, CarrierChoice } from '../../../web/client/carriers/choice.ts'
import type { CarrierKind } from '../../../web/client/face.ts'
import { FakeClock } from '../../support/fake-clock.ts'

class Opened implements Carrier {
  closedByUs = false
  readonly sent: (string | Uint8Array)[] = []
  constructor(
    readonly kind: CarrierKind,
    readonly plain: boolean,
    readonly events: CarrierEvents,
  ) {}
  send(message: string | Uint8Array): boolean {
    this.sent.push(message)
    return true
  }
  bufferedBytes(): number {
    return 7
  }
  close(): void {
    this.closedByUs = true
  }
}

const SERVER = new URL('https://example.org/party/')

class Bench {
  readonly clock = new FakeClock()
  readonly opened: Opened[] = []
  readonly told: string[] = []
  readonly kept = new Map<string, string>()
  choice: CarrierChoice

  constructor(readonly allowed: readonly CarrierKind[] = CARRIER_KINDS) {
    this.choice = this.fresh()
  }

  /** As after a reload. */
  fresh(): CarrierChoice {
    const opener =
      (kind: CarrierKind): OpenCarrier =>
      (_server, _first, events, _clock, plain) => {
        const carrier = new Opened(kind, plain, events)
        this.opened.push(carrier)
        return carrier
      }
    const carriers = {
      websocket: opener('websocket'),
      sse: opener('sse'),
      'long-poll': opener('long-poll'),
      'short-poll': opener('short-poll'),
    }
    const storage = {
      getItem: (key: string) => this.kept.get(key) ?? null,
      setItem: (key: string, text: string) => void this.kept.set(key, text),
    }
    this.choice = new CarrierChoice(this.allowed, {
      carriers,
      wallMs: () => this.clock.nowMs(),
      storage: () => storage,
    })
    return this.choice
  }

  open(open: OpenCarrier = this.choice.open): Carrier {
    const events: CarrierEvents = {
      opened: (again = false) => void this.told.push(again ? 'opened again' : 'opened'),
      text: (text) => void this.told.push(text),
      binary: () => void this.told.push('binary'),
      closed: (code, reason) => void this.told.push(`closed ${code} ${reason}`),
    }
    return open(SERVER, 'join', events, this.clock, false)
  }

  get kinds(): string[] {
    return this.opened.splice(0).map(({ kind }) => kind)
  }

  last(kind: CarrierKind): Opened {
    const found = this.opened.findLast((one) => one.kind === kind)
    if (found === undefined) throw new Error(`no ${kind} was opened`)
    return found
  }
}

it('a WebSocket that opens within its head start is all there is', () => {
  const bench = new Bench()
  const carrier = bench.open()
  expect(bench.last('websocket').plain).toBe(false)
  bench.clock.advance(1_400)
  bench.last('websocket').events.opened()
  bench.last('websocket').events.text('welcome')
  bench.clock.advance(60_000)
  expect(bench.told).toEqual(['opened', 'welcome'])
  expect(carrier.kind).toBe('websocket')
  expect(carrier.bufferedBytes()).toBe(7)
  expect(bench.kinds).toEqual(['websocket'])
  expect(bench.choice.better('websocket')).toBeUndefined()
})

it('after its head start the next is tried beside it, without a join, and the first that opens wins', () => {
  const bench = new Bench()
  const carrier = bench.open()
  bench.clock.advance(1_500)
  expect(bench.last('sse').plain).toBe(true)
  bench.clock.advance(1_500)
  bench.last('long-poll').events.opened()
  expect(carrier.kind).toBe('long-poll')
  expect(bench.opened.map(({ kind, closedByUs }) => [kind, closedByUs])).toEqual([
    ['websocket', true],
    ['sse', true],
    ['long-poll', false],
  ])
  bench.clock.advance(10_000)
  expect(bench.opened).toHaveLength(3)
})

it('says that the first took the join along when another is open, unless it was asked not to', () => {
  const bench = new Bench()
  bench.open()
  bench.clock.advance(1_500)
  bench.last('sse').events.opened()
  const plain = new Bench()
  plain.open((server, first, events, clock) => plain.choice.open(server, first, events, clock, true))
  plain.clock.advance(1_500)
  plain.last('sse').events.opened()
  expect([bench.told, plain.told]).toEqual([['opened again'], ['opened']])
})

it('a WebSocket that fails gives way at once, and is remembered by the next page for ten minutes', () => {
  const bench = new Bench()
  bench.open()
  bench.last('websocket').events.closed(1006, '')
  bench.last('sse').events.opened()
  expect(bench.kinds).toEqual(['websocket', 'sse'])
  bench.fresh()
  bench.open().close(1000, '')
  // What is remembered is looked at while the first is opening.
  expect(bench.opened.map(({ kind, plain, closedByUs }) => [kind, plain, closedByUs])).toEqual([
    ['websocket', false, true],
    ['sse', false, true],
  ])
  bench.opened.length = 0
  bench.fresh()
  bench.told.length = 0
  bench.open()
  bench.last('sse').events.opened()
  // The first took the join along.
  expect(bench.told).toEqual(['opened again'])
  bench.opened.length = 0
  bench.clock.advance(600_000)
  bench.fresh()
  bench.open()
  expect(bench.kinds).toEqual(['websocket'])
})

it('forgets what it remembered when the network is another one', () => {
  const bench = new Bench()
  bench.open()
  bench.last('websocket').events.closed(1006, '')
  bench.last('sse').events.opened()
  bench.choice.changed()
  bench.opened.length = 0
  bench.open()
  expect(bench.kinds).toEqual(['websocket'])
})

it('one that has worked is asked three times before others are: the server may be away', () => {
  const bench = new Bench()
  bench.open()
  bench.last('websocket').events.opened()
  bench.clock.advance(20_000)
  bench.last('websocket').events.closed(1006, '')
  bench.opened.length = 0
  for (let tries = 0; tries < 2; tries += 1) {
    bench.open()
    bench.last('websocket').events.closed(1006, '')
  }
  expect(bench.kinds).toEqual(['websocket', 'websocket'])
  expect(bench.told.filter((one) => one.startsWith('closed'))).toHaveLength(3)
  bench.open()
  bench.last('websocket').events.closed(1006, '')
  expect(bench.kinds).toEqual(['websocket', 'sse'])
})

it('head starts run over attempts that their user gave up', () => {
  const bench = new Bench()
  for (let tries = 0; tries < 4; tries += 1) {
    const carrier = bench.open()
    bench.clock.advance(400)
    carrier.close(1000, '')
  }
  expect(bench.kinds).toEqual(['websocket', 'websocket', 'websocket', 'websocket', 'sse'])
})

it('a server that cannot be reached is not asked in every way', () => {
  const bench = new Bench()
  bench.open()
  bench.last('websocket').events.closed(1006, '')
  bench.last('sse').events.closed(1006, UNREACHABLE)
  expect(bench.kinds).toEqual(['websocket', 'sse'])
  expect(bench.told).toEqual([`closed 1006 ${UNREACHABLE}`])
})

it('what the network ends early twice is given up', () => {
  const bench = new Bench()
  for (const kind of ['websocket', 'sse'] as const) {
    for (let times = 0; times < 2; times += 1) {
      bench.open()
      bench.last(kind).events.opened()
      bench.clock.advance(2_000)
      bench.last(kind).events.closed(1006, '')
    }
  }
  bench.open()
  expect(bench.kinds).toEqual(['websocket', 'websocket', 'sse', 'sse', 'long-poll'])
})

it('what its user leaves because nothing comes counts as dead, what the server closes does not', () => {
  const bench = new Bench(['sse', 'long-poll'])
  bench.open()
  bench.last('sse').events.opened()
  bench.clock.advance(2_000)
  bench.last('sse').events.closed(1012, '')
  for (let times = 0; times < 2; times += 1) {
    const carrier = bench.open()
    bench.last('sse').events.opened()
    bench.clock.advance(6_200)
    carrier.close(1000, '')
  }
  bench.open()
  expect(bench.kinds).toEqual(['sse', 'sse', 'sse', 'long-poll'])
})

it('climbs by what is better only, one after the other, later and later, and without the join in the opening', () => {
  const bench = new Bench()
  const waits: (number | undefined)[] = []
  for (let times = 0; times < 6; times += 1) {
    const climb = bench.choice.better('long-poll')
    waits.push(climb?.inMs)
    if (climb === undefined) continue
    bench.opened.length = 0
    bench.open(climb.open)
    expect(bench.last('websocket').plain).toBe(true)
    bench.clock.advance(4_000)
    expect(bench.opened).toHaveLength(1)
    bench.last('websocket').events.closed(4000, '')
    bench.last('sse').events.closed(4000, '')
    expect(bench.opened).toHaveLength(2)
    expect(bench.told.at(-1)).toBe('closed 4000 ')
  }
  expect(waits).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 300_000])
  bench.choice.changed()
  expect(bench.choice.better('sse')?.inMs).toBe(15_000)
})

it('keeps to the carriers that it may use, best first', () => {
  const bench = new Bench(['short-poll', 'long-poll'])
  bench.open()
  bench.last('long-poll').events.closed(1006, '')
  bench.last('short-poll').events.closed(1006, '')
  expect(bench.kinds).toEqual(['long-poll', 'short-poll'])
  expect(bench.told).toEqual(['closed 1006 '])
  expect(bench.choice.better('long-poll')).toBeUndefined()
})

describe('of two that work, measured on this network', () => {
  /** Down to the event stream, then up to the WebSocket, with these round trips by each. */
  function both(sseMs: readonly number[], webSocketMs: readonly number[]) {
    const bench = new Bench()
    bench.open()
    bench.last('websocket').events.closed(1006, '')
    bench.last('sse').events.opened()
    for (const ms of sseMs) expect(bench.choice.measured('sse', ms)).toBeUndefined()
    bench.open(bench.choice.better('sse')?.open)
    bench.last('websocket').events.opened()
    bench.opened.length = 0
    const climbs = webSocketMs.map((ms) => bench.choice.measured('websocket', ms))
    return { bench, climbs }
  }

  it('the lesser is gone back to when it is clearly quicker, and the better left alone for ten minutes', () => {
    const { bench, climbs } = both([300, 40, 50, 45], [500, 210, 140, 131])
    expect(climbs.slice(0, 3)).toEqual([undefined, undefined, undefined])
    expect(climbs[3]?.inMs).toBe(0)
    bench.open(climbs[3]?.open)
    bench.last('sse').events.opened()
    expect(bench.kinds).toEqual(['sse'])
    expect(bench.choice.better('sse')?.inMs).toBe(600_000)
    bench.fresh()
    bench.open().close(1000, '')
    // The first was given up as soon as that had been looked at.
    expect(bench.kinds).toEqual(['websocket', 'sse'])
  })

  it.each([
    ['a little slower', [40, 40, 40, 40], [130, 130, 130, 130, 130]],
    ['slow at times', [40, 40, 40, 40], [900, 900, 900, 60, 900]],
    ['compared with what was hardly measured', [40, 40, 40], [900, 900, 900, 900, 900]],
  ])('the better stays when it is %s', (_, sseMs, webSocketMs) => {
    expect(both(sseMs, webSocketMs).climbs).toEqual(webSocketMs.map(() => undefined))
  })

  it('none is gone back to twice for the same measurement, nor on another network', () => {
    const { bench, climbs } = both([40, 40, 40, 40], [900, 900, 900, 900])
    expect(climbs[3]).toBeDefined()
    expect(bench.choice.measured('websocket', 900)).toBeUndefined()
    bench.choice.changed()
    expect(bench.choice.better('sse')?.inMs).toBe(15_000)
    const other = both([40, 40, 40, 40], [900, 900, 900])
    other.bench.choice.changed()
    for (let index = 0; index < 5; index += 1) expect(other.bench.choice.measured('websocket', 900)).toBeUndefined()
  })
})
