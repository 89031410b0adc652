/** Runs in the page: a member that sends numbered messages from the moment it joins, and notes what comes. */
import type { Channel, PathKind, Room } from 'partyline'

export { holdTimersBack } from './held-timers.ts'

declare global {
  /** The talker of this page, once `Talker.join` has been called. */
  var talker: Talker
  var talkers: typeof import('./talker.ts')
}

interface Numbered {
  readonly n: number
  /** When it was sent, ms since 1970: all browsers of the lab are on one machine. */
  readonly sentMs: number
}

export interface TalkerOptions {
  readonly room: string
  readonly name: string
  readonly perSecond: number
  readonly relayOnly: boolean
}

/** One message that came. */
export interface Heard {
  readonly n: number
  readonly atMs: number
  readonly delayMs: number
}

export interface Missed {
  readonly n: number
  readonly why: string
}

export interface PathNote {
  readonly atMs: number
  readonly path: PathKind
  readonly why: string
}

/** What one talker has to say of another, by its name. Times are ms since 1970. */
export interface Account {
  readonly joinedAtMs: number
  /** Numbers of messages that were addressed to the other, in order. */
  readonly addressed: readonly number[]
  /** Those that the library says the other missed, and why. */
  readonly missed: readonly Missed[]
  /** Those whose outcome is not known. */
  readonly unsettled: number
  readonly heard: readonly Heard[]
  readonly paths: readonly PathNote[]
  readonly rttMs: number | undefined
  /** Leaves and gaps. */
  readonly events: readonly string[]
  readonly attempts: number
}

const TICK_MS = 10
const POLL_MS = 20

const wallClockMs = (): number => performance.timeOrigin + performance.now()

export class Talker {
  readonly joinedAtMs = wallClockMs()
  readonly #room: Room<{ name: string }>
  readonly #numbers: Channel<Numbered>
  readonly #perSecond: number
  readonly #addressed = new Map<string, number[]>()
  readonly #missed = new Map<string, Missed[]>()
  readonly #heard = new Map<string, Heard[]>()
  readonly #paths = new Map<string, PathNote[]>()
  readonly #events: string[] = []
  readonly #names = new Map<string, string>()
  #tickAtMs = wallClockMs()
  #longestRestMs = 0
  #sent = 0
  #unsettled = 0
  #timer: ReturnType<typeof setInterval> | undefined

  private constructor(room: Room<{ name: string }>, perSecond: number) {
    this.#room = room
    this.#perSecond = perSecond
    this.#numbers = room.channel<Numbered>('numbers')
    this.#numbers.on('message', ({ from, data }) => {
      const atMs = wallClockMs()
      note(this.#heard, this.#nameOf(from), { n: data.n, atMs, delayMs: atMs - data.sentMs })
    })
    room.on('join', (peer) => this.#notePath(peer))
    room.on('change', (peer) => this.#notePath(peer))
    room.on('leave', ({ peer, reason }) => this.#event(`leave ${peer.profile.name} ${reason}`))
    room.on('gap', ({ peer, reason }) => this.#event(`gap ${peer.profile.name} ${reason}`))
    room.on('status', (status) => this.#event(`status ${status}`))
    void room.ready.then(() => {
      for (const peer of room.peers.values()) this.#notePath(peer)
    })
  }

  /** Joins, and sends the first message at once. */
  static async join({ room, name, perSecond, relayOnly }: TalkerOptions): Promise<void> {
    const bundle = new URL('/client/partyline.js', location.href).href
    const { joinRoom } = (await import(/* @vite-ignore */ bundle)) as typeof import('partyline')
    const made = new Talker(
      joinRoom(room, { profile: { name }, ...(relayOnly ? { paths: ['relay'] } : {}) }),
      perSecond,
    )
    globalThis.talker = made
    addEventListener('pagehide', () => made.#keep())
    made.#send()
    made.#timer = setInterval(() => made.#send(), TICK_MS)
  }

  /** The longest time that our timer, due every 10 ms, was held back. */
  longestRestMs(): number {
    return Math.max(this.#longestRestMs, wallClockMs() - this.#tickAtMs)
  }

  stop(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer)
    this.#timer = undefined
  }

  async leave(): Promise<void> {
    this.stop()
    await this.#room.leave()
  }

  path(name: string): PathKind | 'absent' {
    return this.#peer(name)?.path ?? 'absent'
  }

  status(): string {
    return this.#room.status
  }

  hears(name: string): number {
    return this.#heard.get(name)?.length ?? 0
  }

  /** Nothing that was sent is without an outcome. */
  settled(): boolean {
    return this.#unsettled === 0
  }

  /** Whether the condition came true in time. */
  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const untilMs = performance.now() + withinMs
    while (!condition()) {
      if (performance.now() > untilMs) return false
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    return true
  }

  /** Of the talker in this tab before the page was loaded anew. */
  static before(name: string): Account {
    return JSON.parse(sessionStorage.getItem(`before ${name}`) ?? 'null')
  }

  async account(name: string): Promise<Account> {
    return { ...this.#account(name), attempts: (await this.#peer(name)?.stats())?.attempts ?? 0 }
  }

  /** The page goes: what is known now is all that there will be. */
  #keep(): void {
    for (const name of new Set(this.#names.values())) {
      sessionStorage.setItem(`before ${name}`, JSON.stringify(this.#account(name)))
    }
  }

  #account(name: string): Account {
    const peer = this.#peer(name)
    return {
      joinedAtMs: this.joinedAtMs,
      addressed: (this.#addressed.get(name) ?? []).sort((a, b) => a - b),
      missed: this.#missed.get(name) ?? [],
      unsettled: this.#unsettled,
      heard: this.#heard.get(name) ?? [],
      paths: this.#paths.get(name) ?? [],
      rttMs: peer?.rttMs,
      events: this.#events,
      attempts: 0,
    }
  }

  /** A timer that was late makes up for it. */
  #send(): void {
    this.#longestRestMs = this.longestRestMs()
    this.#tickAtMs = wallClockMs()
    const due = 1 + Math.floor(((wallClockMs() - this.joinedAtMs) / 1_000) * this.#perSecond)
    while (this.#sent < due) {
      const n = this.#sent
      try {
        const sent = this.#numbers.send({ n, sentMs: wallClockMs() })
        this.#unsettled += 1
        void sent.delivered.then(({ to, missed }) => {
          this.#unsettled -= 1
          for (const id of to) note(this.#addressed, this.#nameOf(id), n)
          for (const [id, why] of missed) note(this.#missed, this.#nameOf(id), { n, why })
        })
      } catch (error) {
        // The queue is full: said at once, so nothing is lost. The number is sent later.
        this.#event(`refused ${String(error)}`)
        return
      }
      this.#sent += 1
    }
  }

  #event(what: string): void {
    this.#events.push(`${Math.round(wallClockMs() - this.joinedAtMs)} ms: ${what}`)
  }

  #peer(name: string) {
    return [...this.#room.peers.values()].find((peer) => peer.profile.name === name)
  }

  /** Also of those who have left. */
  #nameOf(id: string): string {
    const peer = [...this.#room.peers.values()].find((one) => one.id === id)
    if (peer !== undefined) this.#names.set(id, peer.profile.name)
    return this.#names.get(id) ?? id
  }

  #notePath({ id, profile, path, why }: { id: string; profile: { name: string }; path: PathKind; why: string }): void {
    this.#names.set(id, profile.name)
    const last = this.#paths.get(profile.name)?.at(-1)
    if (last?.path !== path || last.why !== why) note(this.#paths, profile.name, { atMs: wallClockMs(), path, why })
  }
}

function note<Value>(all: Map<string, Value[]>, name: string, value: Value): void {
  const values = all.get(name)
  if (values === undefined) all.set(name, [value])
  else values.push(value)
}
