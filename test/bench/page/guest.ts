/** Runs in the page: one member of one room, and the loads that it puts on it. */
import { bare } from './bare.ts'
import type { Addresses, Bytes, ContestantName, Enter, GuestOptions, LaneName, Meeting, Trouble } from './contestant.ts'
import { partyline } from './partyline.ts'
import { peerJs } from './peerjs.ts'
import { trystero } from './trystero.ts'

declare global {
  var bench: typeof import('./guest.ts')
  var guest: Guest
}

const LOADERS: Readonly<Record<ContestantName, (addresses: Addresses) => Promise<Enter>>> = {
  ours: partyline,
  bare,
  peerjs: peerJs,
  trystero,
}

/** The first byte of every message. */
const KIND = { load: 1, end: 2, count: 3, ping: 4, pong: 5, first: 6, direct: 7, pingBeside: 8, pongBeside: 9 } as const

/** So many are sent before the clock is looked at, or others get a turn. */
const BURST = 32
/** A machine under load may take long to drain what is queued. */
const ANSWER_MS = 60_000

export interface LoadPlan {
  readonly sizeBytes: number
  readonly lane: LaneName
  /** Send for so long, … */
  readonly ms?: number
  /** … or so many. */
  readonly count?: number
  /** Between one message and the next. Default: none, as fast as it goes. */
  readonly pauseMs?: number
}

export interface LoadResult {
  readonly sent: number
  /** By each of the others. */
  readonly received: readonly number[]
  /** From the first `send` until the last receiver's answer. */
  readonly ms: number
}

/** ms since 1970, finer than `Date.now`, and the same clock in all pages of a machine to within a fraction of a ms. */
const now = (): number => performance.timeOrigin + performance.now()

export class Guest {
  readonly #options: GuestOptions
  #enter: Enter
  #meeting: Meeting | undefined
  #received = 0
  #receivedLatest = 0
  #counts: number[] = []
  #pong = (): void => {}
  #counted = (): void => {}
  /** When the first message of these kinds came from somebody. */
  #firstAtMs = 0
  #directAtMs = 0

  private constructor(options: GuestOptions, enter: Enter) {
    this.#options = options
    this.#enter = enter
  }

  /** The contestant's code is loaded; nothing has been connected. */
  static async prepare(name: ContestantName, addresses: Addresses, options: GuestOptions): Promise<void> {
    globalThis.guest = new Guest(options, await LOADERS[name](addresses))
  }

  async enter(): Promise<void> {
    this.#meeting = this.#enter(this.#options, {
      heard: (bytes) => this.#heard(bytes),
      heardLatest: () => {
        this.#receivedLatest += 1
      },
    })
    await within(ANSWER_MS, this.#meeting.present, 'the server did not know of us')
  }

  /** All others can be talked to directly. Rejects when that takes too long. */
  async connected(): Promise<void> {
    await within(ANSWER_MS, this.#there.connected, 'the others could not be reached directly')
  }

  get #there(): Meeting {
    if (this.#meeting === undefined) throw new Error('not in the room yet')
    return this.#meeting
  }

  #heard(bytes: Uint8Array): void {
    switch (bytes[0]) {
      case KIND.load:
        this.#received += 1
        return
      case KIND.end:
        void this.#there.send(message(KIND.count, [this.#received, this.#receivedLatest]))
        this.#received = 0
        this.#receivedLatest = 0
        return
      case KIND.count:
        this.#counts.push(...numbersOf(bytes))
        this.#counted()
        return
      case KIND.ping:
        void this.#there.send(padded(KIND.pong, bytes.length))
        return
      case KIND.pingBeside:
        void this.#there.sendBeside?.(padded(KIND.pongBeside, bytes.length))
        return
      case KIND.pong:
      case KIND.pongBeside:
        this.#pong()
        return
      case KIND.first:
        if (this.#firstAtMs === 0) this.#firstAtMs = now()
        return
      case KIND.direct:
        if (this.#directAtMs === 0) this.#directAtMs = now()
    }
  }

  async load({ sizeBytes, lane, ms, count, pauseMs }: LoadPlan): Promise<LoadResult> {
    const meeting = this.#there
    const bytes = padded(KIND.load, sizeBytes)
    const fromMs = performance.now()
    const untilMs = ms === undefined ? Number.POSITIVE_INFINITY : fromMs + ms
    let sent = 0
    while (performance.now() < untilMs && sent < (count ?? Number.POSITIVE_INFINITY)) {
      const burst = pauseMs === undefined ? Math.min(BURST, (count ?? Number.POSITIVE_INFINITY) - sent) : 1
      for (let n = 0; n < burst; n += 1) {
        if (lane === 'latest') {
          meeting.setLatest?.(bytes)
        } else {
          const room = meeting.send(bytes)
          if (room !== undefined) await room
        }
      }
      sent += burst
      if (pauseMs !== undefined) await sleep(pauseMs)
      else if (lane === 'latest') await turn()
    }
    const sentMs = performance.now() - fromMs
    const counts = await this.#countAll()
    const received = counts.filter((_, at) => at % 2 === (lane === 'latest' ? 1 : 0))
    if (lane === 'reliable' && received.some((one) => one !== sent)) {
      throw new Error(`of ${sent} messages came ${received.join(', ')}`)
    }
    return { sent, received, ms: lane === 'latest' ? sentMs : performance.now() - fromMs }
  }

  /** Two numbers from each of the others: what came since the last time, by lane. */
  async #countAll(): Promise<readonly number[]> {
    this.#counts = []
    const all = new Promise<void>((resolve) => {
      this.#counted = () => {
        if (this.#counts.length === this.#options.others * 2) resolve()
      }
    })
    await this.#there.send(message(KIND.end, []))
    await within(ANSWER_MS, all, 'not everybody answered')
    return this.#counts
  }

  async trouble(): Promise<Trouble> {
    return (await this.#there.trouble?.()) ?? { leftDirect: 0, resent: 0 }
  }

  /** ms, one after another. */
  async roundTrips(count: number, sizeBytes: number): Promise<number[]> {
    const times: number[] = []
    const ping = padded(KIND.ping, sizeBytes)
    for (let n = 0; n < count; n += 1) times.push(await this.#roundTrip(() => this.#there.send(ping)))
    return times
  }

  async #roundTrip(send: () => unknown): Promise<number> {
    const back = new Promise<void>((resolve) => {
      this.#pong = resolve
    })
    const fromMs = performance.now()
    void send()
    await within(ANSWER_MS, back, 'no answer')
    return performance.now() - fromMs
  }

  /** ms of small messages there and back on a channel of their own, with a pause between them, while `meanwhile` lasts. */
  async roundTripsBeside(meanwhile: Promise<unknown>, sizeBytes: number, pauseMs: number): Promise<number[]> {
    const times: number[] = []
    const ping = padded(KIND.pingBeside, sizeBytes)
    let over = false
    const end = (): void => {
      over = true
    }
    meanwhile.then(end, end)
    while (!over) {
      times.push(await this.#roundTrip(() => this.#there.sendBeside?.(ping)))
      await sleep(pauseMs)
    }
    return times
  }

  /** A load, and how it is for small messages meanwhile, ms there and back. */
  async loadAndRoundTrips(plan: LoadPlan): Promise<LoadResult & { readonly roundTripsMs: readonly number[] }> {
    const loading = this.load(plan)
    const roundTripsMs = await this.roundTripsBeside(loading, 100, 50)
    return { ...(await loading), roundTripsMs }
  }

  /** The same when there is nothing else. */
  quietRoundTrips(ms: number): Promise<number[]> {
    return this.roundTripsBeside(sleep(ms), 100, 50)
  }

  /** Enters and sends as soon as that can be done. Resolves with when it began, ms since 1970. */
  async enterAndSend(): Promise<number> {
    const fromMs = now()
    const entering = this.enter()
    const meeting = this.#there
    void meeting.connected.then(() => meeting.send(padded(KIND.direct, 100)))
    if (!meeting.sendsAtOnce) await meeting.connected
    void meeting.send(padded(KIND.first, 100))
    await entering
    return fromMs
  }

  /** When they came from somebody, ms since 1970. */
  async firstMessages(): Promise<{ readonly firstAtMs: number; readonly directAtMs: number }> {
    const both = until(() => this.#firstAtMs > 0 && this.#directAtMs > 0)
    await within(ANSWER_MS, both, 'no first message, or none directly')
    return { firstAtMs: this.#firstAtMs, directAtMs: this.#directAtMs }
  }
}

/** ms to connect a WebSocket, and to hear back the first thing said. */
export async function webSocketRoundTrip(address: string): Promise<number> {
  const fromMs = performance.now()
  const socket = new WebSocket(address)
  const back = new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }))
  socket.addEventListener('open', () => {
    socket.send(JSON.stringify(['echo']))
    socket.send(JSON.stringify(['echo', 'hello']))
  })
  await within(ANSWER_MS, back, 'no echo')
  const ms = performance.now() - fromMs
  socket.close()
  return ms
}

export interface WireCount {
  readonly messages: number
  readonly bytes: number
}

const wire = { messages: 0, bytes: 0 }

/** From here on, what is handed to data channels is counted. */
export function countWire(): void {
  const { send } = RTCDataChannel.prototype
  RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: string | Blob | ArrayBuffer | ArrayBufferView) {
    wire.messages += 1
    wire.bytes += typeof data === 'string' ? data.length : data instanceof Blob ? data.size : data.byteLength
    Reflect.apply(send, this, [data])
  }
}

export const wireCount = (): WireCount => ({ ...wire })

const channel = new MessageChannel()
channel.port1.start()

/** Lets everything else that waits have its turn; unlike a timer it takes no time. */
const turn = (): Promise<unknown> =>
  new Promise((resolve) => {
    channel.port1.addEventListener('message', resolve, { once: true })
    channel.port2.postMessage(undefined)
  })

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function padded(kind: number, sizeBytes: number): Bytes {
  const bytes = new Uint8Array(sizeBytes).fill(0x5a)
  bytes[0] = kind
  return bytes
}

function message(kind: number, numbers: readonly number[]): Bytes {
  const bytes = new Uint8Array(1 + numbers.length * 4)
  bytes[0] = kind
  for (const [at, number] of numbers.entries()) new DataView(bytes.buffer).setUint32(1 + at * 4, number)
  return bytes
}

function numbersOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: (bytes.length - 1) / 4 }, (_, at) => view.getUint32(1 + at * 4))
}

async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`within ${ms} ms ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1)
}
