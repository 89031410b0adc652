/** Runs in the page, or under Node: two ends of a peer connection, wired to each other, and what tests do with them. */
import type { IceServer, LinkMessage } from '../../../signaling/protocol/index.ts'
import { systemClock } from '../../../web/client/clock.ts'
import { Attempts } from '../../../web/client/paths/attempts.ts'
import type { DirectPath, NegotiatedPath, PathLane, PathSignal } from '../../../web/client/paths/path.ts'
import { connectPeer } from '../../../web/client/paths/peer-connection.ts'
import { SlotPool } from '../../../web/client/paths/slots.ts'

interface Frame {
  readonly lane: PathLane
  readonly bytes: Uint8Array
}

export class End {
  readonly path: NegotiatedPath
  readonly frames: Frame[] = []
  readonly closings: string[] = []
  readonly order: string[] = []
  received: (frame: Frame) => void = (frame) => this.frames.push(frame)
  drained: (lane: PathLane) => void = () => {}
  #open: (path: DirectPath) => void = () => {}
  #closed: (reason: string) => void = () => {}
  readonly opened = new Promise<DirectPath>((resolve) => {
    this.#open = resolve
  })
  readonly closed = new Promise<string>((resolve) => {
    this.#closed = resolve
  })

  constructor(initiator: boolean, say: (signal: PathSignal) => void, iceServers: readonly IceServer[] = []) {
    this.path = connectPeer({
      attempt: 1,
      initiator,
      turn: false,
      iceServers,
      iceTransportPolicy: iceServers.length > 0 ? 'relay' : 'all',
      clock: systemClock,
      say,
      events: {
        opened: (path) => {
          this.order.push('opened')
          this.#open(path)
        },
        frame: (_path, lane, bytes) => this.received({ lane, bytes }),
        writable: (_path, lane) => this.drained(lane),
        kindChanged: () => this.order.push('kind'),
        closed: (_path, reason) => {
          this.closings.push(reason)
          this.#closed(reason)
        },
      },
    })
  }
}

/** With ICE servers: through TURN only. */
export function pair(iceServers: readonly IceServer[] = []): [End, End] {
  const ends: End[] = []
  const to = (index: number) => (signal: PathSignal) => queueMicrotask(() => ends[index]?.path.accept(signal))
  const a = new End(true, to(1), iceServers)
  const b = new End(false, to(0), iceServers)
  ends.push(a, b)
  return [a, b]
}

const LANES: readonly PathLane[] = ['small', 'bulk', 'latest', 'control']

export async function talk(iceServers: readonly IceServer[] = []): Promise<unknown> {
  const [a, b] = pair(iceServers)
  const early = a.path.send('small', new Uint8Array(1))
  await Promise.all([a.opened, b.opened])
  const all = new Promise<void>((resolve) => {
    let count = 0
    for (const end of [a, b]) {
      end.received = (frame) => {
        end.frames.push(frame)
        count += 1
        if (count === 16) resolve()
      }
    }
  })
  const sent: boolean[] = []
  for (const [index, end] of [a, b].entries()) {
    for (const lane of LANES) {
      const frame = new Uint8Array(3).fill(index + 1)
      sent.push(end.path.send(lane, frame))
      frame.fill(9)
      sent.push(end.path.send(lane, new Uint8Array(lane === 'latest' ? 16_000 : 60_000).fill(index + 1)))
    }
  }
  await all
  const written = LANES.map((lane) => a.path.writtenBytes(lane))
  const told = (end: End) =>
    end.frames.map(({ lane, bytes }) => `${lane} ${bytes.length} ${bytes[0]} ${bytes.at(-1)}`).sort()
  const result = {
    early,
    sent: sent.every(Boolean),
    a: told(a),
    b: told(b),
    written,
    kinds: [a.path.kind, b.path.kind],
    statistics: await a.path.statistics(),
    order: [...a.order, ...b.order],
  }
  a.path.close()
  b.path.close()
  return { ...result, closings: [a.closings, b.closings], afterClose: a.path.send('small', new Uint8Array(1)) }
}

export async function closing(): Promise<unknown> {
  const [a, b] = pair()
  await Promise.all([a.opened, b.opened])
  const from = performance.now()
  a.path.close()
  a.path.close()
  const reason = await b.closed
  const tookMs = performance.now() - from
  // Whatever would be told twice has had its time.
  await new Promise((resolve) => setTimeout(resolve, 500))
  return { tookMs, reason, closings: [a.closings, b.closings] }
}

/** Fill the bulk lane until it refuses, and on with each `writable`, until so many bytes have gone over. */
export async function flood(totalBytes: number): Promise<unknown> {
  const [a, b] = pair()
  await Promise.all([a.opened, b.opened])
  const frame = new Uint8Array(16_384)
  let got = 0
  let sent = 0
  let refusals = 0
  let mostBuffered = 0
  const done = new Promise<void>((resolve) => {
    b.received = ({ bytes }) => {
      got += bytes.length
      if (got >= totalBytes) resolve()
    }
  })
  const fill = (): void => {
    while (sent < totalBytes) {
      if (!a.path.send('bulk', frame)) {
        refusals += 1
        break
      }
      sent += frame.length
      mostBuffered = Math.max(mostBuffered, a.path.bufferedBytes('bulk'))
    }
  }
  a.drained = fill
  const from = performance.now()
  fill()
  await done
  const seconds = (performance.now() - from) / 1_000
  const left = a.path.bufferedBytes('bulk')
  a.path.close()
  await b.closed
  return { got, sent, refusals, mostBuffered, left, megabytesPerSecond: got / seconds / 1e6 }
}

/** Small frames a second, by us and by the bare channel's `send`, and the cost of our `send` alone. */
export async function smallFrames(count: number): Promise<unknown> {
  const [a, b] = pair()
  await Promise.all([a.opened, b.opened])
  const frame = new Uint8Array(100)
  let got = 0
  const done = new Promise<void>((resolve) => {
    b.received = () => {
      got += 1
      if (got === count) resolve()
    }
  })
  let sent = 0
  let spentMs = 0
  const fill = (): void => {
    const from = performance.now()
    while (sent < count && a.path.send('small', frame)) sent += 1
    spentMs += performance.now() - from
  }
  a.drained = fill
  const from = performance.now()
  fill()
  await done
  const perSecond = count / ((performance.now() - from) / 1_000)
  a.path.close()
  await b.closed
  return { perSecond, microsecondsPerSend: (spentMs / count) * 1_000 }
}

export async function openAndClose(times: number): Promise<unknown> {
  const reasons: string[] = []
  for (let time = 0; time < times; time += 1) {
    const [a, b] = pair()
    await Promise.all([a.opened, b.opened])
    const closer = time % 2 === 0 ? a : b
    const other = time % 2 === 0 ? b : a
    closer.path.close()
    reasons.push(await other.closed)
  }
  return { count: reasons.length, reasons: [...new Set(reasons)] }
}

/** What the other side says is nonsense, or comes in a wrong state: the path closes, and nothing surfaces. */
export async function nonsense(): Promise<unknown> {
  const [a, b] = pair()
  a.path.accept({ t: 'answer', attempt: 1, sdp: 'nonsense' })
  b.path.accept({ t: 'candidate', attempt: 1, candidate: { candidate: 'x', sdpMid: null, sdpMLineIndex: null } })
  b.path.accept({ t: 'offer', attempt: 1, sdp: 'nonsense', turn: false })
  await Promise.all([a.closed, b.closed])
  a.path.accept({ t: 'answer', attempt: 1, sdp: 'late' })
  return { closings: [a.closings.length, b.closings.length] }
}

/**
 * Two links' attempts over real peer connections: they come up, one network changes, one path is closed. `late`: one of
 * them took so long that another replaced it.
 */
export async function attempts(iceServers: readonly IceServer[] = []): Promise<unknown> {
  const log: string[] = []
  const sides: Attempts[] = []
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const side = (index: number): Attempts =>
    new Attempts({
      initiator: index === 0,
      connect: connectPeer,
      slots: new SlotPool(16),
      clock: systemClock,
      random: Math.random,
      policy: { direct: true, turn: true, iceTransportPolicy: 'all' },
      say: (message: LinkMessage) => {
        setTimeout(() => sides[1 - index]?.receive(message), 5)
      },
      iceServers: async () => iceServers,
      events: {
        opened: (path) => void path.send('small', new Uint8Array([3])),
        frame: (path, lane, bytes) => {
          if (bytes[0] === 3) path.send(lane, new Uint8Array([4]))
          if (bytes[0] === 4) sides[index]?.usable(path)
        },
        closed: (path, reason) => log.push(`${index} closed ${path.attempt} ${reason}`),
        path: (path) => log.push(`${index} path ${path?.attempt ?? 'none'}`),
        writable: () => {},
        kindChanged: () => {},
        changed: () => {},
      },
    })
  sides.push(side(0), side(1))
  let late = false
  const on = async (attempt: number): Promise<void> => {
    await until(() => sides.every(({ current }) => (current?.attempt ?? 0) >= attempt))
    if (sides.some(({ current }) => current?.attempt !== attempt)) late = true
  }
  const from = performance.now()
  for (const attempts of sides) attempts.start()
  await on(1)
  const upMs = performance.now() - from
  await new Promise((resolve) => setTimeout(resolve, 600))
  sides[1]?.networkChanged()
  await on(2)
  const replaced = [...log]
  await until(() => late || log.filter((line) => line.includes('closed 1')).length === 2)
  sides[0]?.current?.close()
  await on(3)
  const whys = sides.map(({ why }) => why)
  for (const attempts of sides) attempts.stop()
  return { late: late || upMs >= 2_000, upMs, replaced, whys }
}
