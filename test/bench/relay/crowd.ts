import type { MemberPlace, RelayName } from './contestants.ts'
import { type Dialect, dialectOf } from './dialects.ts'
import { type Mark, markOf, payloadText, senderOf, sentAt } from './payload.ts'
import { processorSeconds } from './processor-time.ts'
import { RawHttp } from './raw-http.ts'
import { type RawConnection, RawSocket, type ReadBuffer } from './raw-socket.ts'

export interface CrowdOptions {
  readonly relay: RelayName
  readonly port: number
  /** Whose processor time is measured. */
  readonly serverPid: number
  readonly members: number
  readonly roomMembers: number
}

export interface LoadOptions {
  /** `room`: to all others of the sender's room. `one`: to one of them. */
  readonly to: 'room' | 'one'
  /** Messages a second, evenly; or as many as go while so many are under way. */
  readonly perSecond?: number
  readonly inFlight?: number
  readonly ms: number
  /** Every 20 ms one member asks another, who answers at once. */
  readonly pings?: boolean
}

/** What happened in a stretch of time. */
export interface Stretch {
  readonly seconds: number
  /** Processor time of the server, and of this generator. */
  readonly serverSeconds: number
  readonly generatorSeconds: number
}

export interface Load extends Stretch {
  readonly deliveries: number
  /** Deliveries that never came. */
  readonly lost: number
  readonly roundTripsMs: readonly number[]
}

interface Member {
  readonly place: MemberPlace
  readonly dialect: Dialect
  socket: RawConnection | undefined
}

const WARM_UP_MS = 400
const PING_MS = 20
const TICK_MS = 5
const STUCK_MS = 500
const RETRY_MS = 100
const OPENING_MS = 60_000

/** Members of one server, in rooms of the same size, and what they do. */
export class Crowd {
  readonly #options: CrowdOptions
  readonly #members: readonly Member[]
  readonly #shared: ReadBuffer
  readonly #roundTrips: number[] = []
  #delivered = 0
  #expected = 0
  #lost = 0
  #sent = 0
  #retries = 0
  #onDelivery: () => void = () => undefined

  constructor(options: CrowdOptions, shared: ReadBuffer) {
    this.#options = options
    this.#shared = shared
    this.#members = Array.from({ length: options.members }, (_, index) => {
      const place = { index, room: Math.floor(index / options.roomMembers) }
      return { place, dialect: dialectOf(options.relay, place, false), socket: undefined }
    })
  }

  /** Connections that were refused or broken off, and tried again. */
  get retries(): number {
    return this.#retries
  }

  /** All connect, so many at a time, and are in. */
  async open(atATime: number): Promise<Stretch> {
    const before = this.#now()
    const left = this.#members[Symbol.iterator]()
    const deadline = performance.now() + OPENING_MS
    const open = async (): Promise<void> => {
      for (const member of left) await this.#join(member, deadline)
    }
    await Promise.all(Array.from({ length: Math.min(atATime, this.#members.length) }, open))
    return this.#since(before)
  }

  /** All are cut off, and come back at once. */
  async storm(): Promise<Stretch> {
    this.drop()
    return this.open(this.#members.length)
  }

  drop(): void {
    for (const member of this.#members) member.socket?.drop()
  }

  async load(options: LoadOptions): Promise<Load> {
    const { perSecond, inFlight = 0, ms } = options
    const fan = options.to === 'room' ? this.#options.roomMembers - 1 : 1
    const fromMs = performance.now()
    const firstSent = this.#sent
    let scheduled = false
    const fill = (): void => {
      scheduled = false
      while (this.#expected - this.#delivered < inFlight * fan) this.#send(options.to)
    }
    if (inFlight > 0) {
      this.#onDelivery = () => {
        if (scheduled) return
        scheduled = true
        setImmediate(fill)
      }
      fill()
    }
    let [lastDelivered, movedAtMs] = [this.#delivered, performance.now()]
    let pinger = 0
    const timers = [
      setInterval(() => {
        const nowMs = performance.now()
        if (perSecond !== undefined) {
          const due = firstSent + ((nowMs - fromMs) * perSecond) / 1_000
          while (this.#sent < due) this.#send(options.to)
        } else if (this.#delivered !== lastDelivered) {
          ;[lastDelivered, movedAtMs] = [this.#delivered, nowMs]
        } else if (nowMs - movedAtMs > STUCK_MS) {
          this.#forgive()
          movedAtMs = nowMs
          fill()
        }
      }, TICK_MS),
    ]
    if (options.pings) timers.push(setInterval(() => this.#ping(pinger++), PING_MS))
    await pause(WARM_UP_MS)
    this.#roundTrips.length = 0
    const before = this.#now()
    const [deliveredBefore, lostBefore] = [this.#delivered, this.#lost]
    await pause(ms)
    const stretch = this.#since(before)
    const [deliveries, roundTripsMs] = [this.#delivered - deliveredBefore, [...this.#roundTrips]]
    for (const timer of timers) clearInterval(timer)
    this.#onDelivery = () => undefined
    await this.#settled()
    return { ...stretch, deliveries, roundTripsMs, lost: this.#lost - lostBefore }
  }

  /** What is under way has arrived, or does not any more. */
  async #settled(): Promise<void> {
    let [before, sinceMs] = [-1, performance.now()]
    while (this.#delivered < this.#expected && performance.now() - sinceMs < STUCK_MS) {
      if (this.#delivered !== before) [before, sinceMs] = [this.#delivered, performance.now()]
      await pause(TICK_MS)
    }
    this.#forgive()
  }

  #forgive(): void {
    this.#lost += Math.max(0, this.#expected - this.#delivered)
    this.#expected = this.#delivered
  }

  /** The members take turns, and each time it is another room's. */
  #send(to: 'room' | 'one'): void {
    const { roomMembers } = this.#options
    const rooms = this.#members.length / roomMembers
    const number = this.#sent
    this.#sent += 1
    const first = (number % rooms) * roomMembers
    const turn = Math.floor(number / rooms)
    const from = this.#members[first + (turn % roomMembers)]
    const other = this.#members[first + ((turn + 1) % roomMembers)]
    if (from === undefined || other === undefined) throw new Error('rooms must be full')
    const payload = payloadText(from.place.index, performance.now(), number, 'm')
    from.socket?.write(to === 'room' ? from.dialect.toRoom(payload) : from.dialect.toMember(payload, other.dialect))
    this.#expected += to === 'room' ? roomMembers - 1 : 1
  }

  #ping(number: number): void {
    const from = this.#members[number % this.#members.length]
    const other = this.#members[this.#neighbour(number % this.#members.length)]
    if (from !== undefined && other !== undefined) this.#sendTo(from, other, performance.now(), 'p')
  }

  #neighbour(index: number): number {
    const { roomMembers } = this.#options
    return index - (index % roomMembers) + ((index + 1) % roomMembers)
  }

  #sendTo(from: Member, to: Member, atMs: number, mark: Mark): void {
    from.socket?.write(from.dialect.toMember(payloadText(from.place.index, atMs, 0, mark), to.dialect))
    this.#expected += 1
  }

  #arrived(member: Member, bytes: Buffer, start: number): void {
    this.#delivered += 1
    const mark = markOf(bytes, start)
    if (mark === 'p') {
      const asker = this.#members[senderOf(bytes, start)]
      if (asker !== undefined) this.#sendTo(member, asker, sentAt(bytes, start), 'q')
    } else if (mark === 'q') {
      this.#roundTrips.push(performance.now() - sentAt(bytes, start))
    }
    this.#onDelivery()
  }

  async #join(member: Member, deadline: number): Promise<void> {
    while (!(await this.#connect(member))) {
      if (performance.now() > deadline) throw new Error(`${this.#options.relay}: members do not get in`)
      this.#retries += 1
      await pause(RETRY_MS)
    }
  }

  /** Whether it is in. */
  #connect(member: Member): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const { dialect } = member
      const each = (bytes: Buffer) => (start: number) => this.#arrived(member, bytes, start)
      const eachShared = each(this.#shared.bytes)
      const { http, ...hello } = dialect.hello()
      const options = {
        port: this.#options.port,
        ...hello,
        opened: () => {
          for (const frame of dialect.opened()) socket.write(frame)
        },
        message: (text: boolean, bytes: Buffer, start: number, end: number) => {
          try {
            const become = dialect.take(
              text,
              bytes,
              start,
              end,
              bytes === this.#shared.bytes ? eachShared : each(bytes),
            )
            const answer = dialect.answer()
            if (answer !== undefined) socket.write(answer)
            if (become === 'in') resolve(true)
          } catch (error) {
            reject(error)
          }
        },
        closed: () => resolve(false),
      }
      const socket: RawConnection =
        http === undefined ? new RawSocket(options, this.#shared) : new RawHttp({ ...options, ...http }, this.#shared)
      member.socket = socket
    })
  }

  #now(): Stretch {
    const { user, system } = process.cpuUsage()
    return {
      seconds: performance.now() / 1_000,
      serverSeconds: processorSeconds(this.#options.serverPid),
      generatorSeconds: (user + system) / 1e6,
    }
  }

  #since(before: Stretch): Stretch {
    const after = this.#now()
    return {
      seconds: after.seconds - before.seconds,
      serverSeconds: after.serverSeconds - before.serverSeconds,
      generatorSeconds: after.generatorSeconds - before.generatorSeconds,
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
