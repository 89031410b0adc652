/**
 * This member's standing connection to the server: opens carriers one after the other, joins and resumes, and carries
 * frames and requests while it is online. It may lose frames, never invents or repeats them; streams repair the rest.
 */
import {
  type Address,
  CLOSE,
  type ClientMessage,
  type IceServer,
  type Json,
  parseServerMessage,
  type ServerMessage,
  type StoreAddress,
} from '../../../signaling/protocol/index.ts'
import type { TimerHandle } from '../clock.ts'
import type { PartylineError } from '../errors.ts'
import { Emitter } from '../events.ts'
import type { CarrierKind } from '../face.ts'
import { Access } from './access.ts'
import type { RoomMessage, UplinkEvents, UplinkOptions, Welcome } from './contract.ts'
import { Credentials, type Granted } from './credentials.ts'
import { Heartbeat } from './heartbeat.ts'
import { Incoming } from './incoming.ts'
import { Listed } from './listed.ts'
import { NetworkWatch } from './network-watch.ts'
import type { Opening } from './openings.ts'
import { Outbox, type Sealer } from './outbox.ts'
import { Requests } from './requests.ts'
import { type SealedJoin, Session } from './session.ts'
import { Standing } from './standing.ts'
import type { UplinkStateName } from './state.ts'
import { requestError, type ServerError, verdictOfError } from './verdict.ts'

export type { RoomMessage, UplinkEvents, UplinkOptions, Welcome }

/** `leave()` waits this long for the server to know. */
const LEAVE_MS = 2_000
/** Messages that mean something before the welcome. */
const EARLY: readonly ServerMessage['t'][] = ['welcome', 'error', 'bye']

export class Uplink {
  readonly #options: UplinkOptions
  readonly #events = new Emitter<UplinkEvents>()
  readonly #requests: Requests
  readonly #outbox: Outbox
  readonly #heartbeat: Heartbeat
  readonly #credentials: Credentials
  readonly #access: Access
  readonly #session: Session
  readonly #listed = new Listed()
  readonly #standing: Standing
  readonly #network: NetworkWatch
  #sealer: Sealer | undefined
  #leaving: TimerHandle | undefined
  /** Reads what the server says. Who puts another one here hears all of it first. */
  parse: (text: string) => ServerMessage = parseServerMessage

  constructor(options: UplinkOptions) {
    const { clock, roomClock } = options
    this.#options = options
    this.#requests = new Requests((message) => this.say(message))
    this.#outbox = new Outbox({
      clock,
      write: (packet) => this.#standing.write(packet),
      bufferedBytes: () => this.#standing.carrier?.bufferedBytes() ?? 0,
      writable: () => this.#events.emit('writable', undefined),
      sealer: () => this.#sealer,
    })
    this.#access = new Access(options.accessToken, clock)
    this.#credentials = new Credentials(clock, () => this.#renew())
    this.#session = new Session(options, this.#credentials, this.#access)
    this.#heartbeat = new Heartbeat({
      clock,
      ping: (n, rttMs) =>
        this.#control({ t: 'ping', n, rttMs, paths: options.paths?.(), published: this.#session.seen }),
      bufferedBytes: () => this.#standing.carrier?.bufferedBytes() ?? 0,
      sample: (serverMs, rttMs) => {
        roomClock.sample(serverMs, rttMs)
        this.#standing.measured(rttMs)
      },
      suspect: () => this.#standing.race(),
      dead: () => this.#standing.lost(CLOSE.timeout, 'the server does not answer'),
    })
    const incoming = new Incoming({
      heartbeat: this.#heartbeat,
      outbox: this.#outbox,
      events: this.#events,
      parse: (text) => this.parse(text),
      message: (message) => this.#handle(message),
      limits: () => this.#standing.online?.limits,
      malformed: () => this.#standing.retry(),
      hopeless: (error) => this.#standing.end(error),
    })
    this.#standing = new Standing({
      ...options,
      session: this.#session,
      access: this.#access,
      credentials: this.#credentials,
      heartbeat: this.#heartbeat,
      incoming,
      events: this.#events,
      nextId: () => this.#requests.nextId(),
      welcome: (message, opening) => this.#welcome(message, opening),
      offline: () => {
        this.#outbox.close()
        this.#heartbeat.stop()
        this.#credentials.stop()
      },
      closed: (error) => this.#closed(error),
    })
    this.#network = new NetworkWatch({
      ...options,
      graceMs: () => this.#standing.online?.graceMs,
      say: (message) => this.#control(message),
      changed: () => {
        this.#standing.networkChanged()
        this.probe()
      },
    })
  }

  get state(): UplinkStateName {
    return this.#standing.state.name
  }

  /** Round trip to the server, ms, smoothed. */
  get rttMs(): number | undefined {
    return this.#heartbeat.rttMs
  }

  get carrier(): CarrierKind | undefined {
    return this.#standing.online?.carrier.kind
  }

  /** How often it was lost after being online. */
  get reconnections(): number {
    return this.#standing.reconnections
  }

  get bytesSent(): number {
    return this.#standing.bytesSent
  }

  get bytesReceived(): number {
    return this.#standing.bytesReceived
  }

  on<Name extends keyof UplinkEvents>(name: Name, handler: (value: UplinkEvents[Name]) => void): () => void {
    return this.#events.on(name, handler)
  }

  /** Once. `sealed`: how frames are sealed, and what joins are to say for it. */
  start(sealed?: SealedJoin & { readonly sealer: Sealer }): void {
    if (this.state !== 'idle') return
    this.#sealer = sealed?.sealer
    if (sealed !== undefined) this.#session.seal(sealed)
    // First of all: everything else can be done while the network is waited for.
    this.#standing.begin()
    this.#network.start()
  }

  /**
   * Give a frame to the server; those of one turn leave together. `slot`: droppable, and takes the place of a waiting
   * one of the same slot and address. The frame is not copied before it is packed: do not change it. False when
   * offline or full: `writable` will tell. What waits when the carrier is lost is dropped.
   */
  send(address: Address, frame: Uint8Array, slot?: number): boolean {
    return this.#outbox.add(address, frame, slot)
  }

  /** As `send`, of what is sealed already, or is for the server itself. */
  sendSealed(address: Address | StoreAddress, payload: Uint8Array): boolean {
    return this.#outbox.add(address, payload, undefined, true)
  }

  /** Nothing while offline. */
  say(message: ClientMessage): void {
    if (this.#standing.online !== undefined) this.#control(message)
  }

  /** Bytes taken by `send` that the network has not taken yet. */
  queuedBytes(): number {
    return this.#outbox.queuedBytes + (this.#standing.carrier?.bufferedBytes() ?? 0)
  }

  /**
   * Somebody suspects this path: ask the server now. If it does not answer within 300 ms or 3 round trips, another
   * carrier opens beside the present one, which is left after 1 s or 4 round trips.
   */
  probe(): void {
    this.#heartbeat.probe()
  }

  /** More has come than can be taken: leave this carrier, and come back soon for a welcome that says it all. */
  restart(): void {
    this.#standing.lost(CLOSE.slowReader, 'too much waits')
  }

  /** There are signs that the network works: do not wait any longer. */
  hurry(): void {
    this.#standing.hurry()
  }

  /** Resolves when the server has it, or a newer one; waits while offline. Rejects with `too-large`, `denied`, `closed`. */
  setProfile(profile: Json): Promise<void> {
    return this.#requests.ask({ t: 'profile', profile })
  }

  /** Ask for all members: `message` brings the answer. */
  snapshot(): void {
    void this.#requests.ask({ t: 'snapshot' })
  }

  /** ICE servers whose credentials are some minutes old at most, or else, after 2 s, those at hand. */
  freshIceServers(): Promise<readonly IceServer[]> {
    return this.#credentials.fresh()
  }

  /**
   * Leave for good, after what was sent in this turn. Resolves when it is over: when the server knows, or after 2 s.
   * At once when the server has hardly heard of us (left as soon as entered, as React's StrictMode does), and when there
   * is no carrier; the server then waits out the grace period.
   */
  leave(): Promise<void> {
    const standing = this.#standing
    if (this.state === 'closed') return Promise.resolve()
    const over = new Promise<void>((resolve) => this.on('closed', () => resolve()))
    const close = (): void => this.close()
    if (standing.carrier === undefined || (this.state === 'connecting' && !this.#session.begun)) close()
    else if (!standing.leaving) {
      standing.leaving = true
      this.#leaving = this.#options.clock.setTimeout(close, LEAVE_MS)
      this.#outbox.flush()
      const ask = (): unknown => this.#requests.ask({ t: 'leave' }).then(close, close)
      const { sealing } = this.#outbox
      if (sealing === undefined) ask()
      else sealing.then(ask)
    }
    return over
  }

  /** Over now. Says `leave` if it can, without waiting for an answer. Idempotent. */
  close(error?: PartylineError): void {
    const { state } = this
    if ((state === 'online' || state === 'joining') && !this.#standing.leaving) {
      this.#outbox.flush()
      this.#control({ t: 'leave', id: this.#requests.nextId() })
    }
    this.#standing.end(error)
  }

  async #renew(): Promise<void> {
    const access = this.#access.due ? await this.#access.fetch() : undefined
    return this.#requests.ask({ t: 'renew', access })
  }

  #control(message: ClientMessage): void {
    const text = JSON.stringify(message)
    this.#outbox.spend(text.length)
    this.#standing.write(text)
  }

  #handle(message: ServerMessage): void {
    if (this.#standing.online === undefined && !EARLY.includes(message.t)) return
    const { state } = this.#standing
    switch (message.t) {
      case 'welcome':
        if (state.name === 'joining' && message.re === state.id) this.#welcome(message, state)
        break
      case 'pong':
        this.#heartbeat.pong(message.n, message.timeMs)
        this.#requests.ponged()
        this.#events.emit('message', message)
        break
      case 'renewed':
        this.#granted(message, this.#options.roomClock.now())
        this.#requests.answer(message.re)
        this.#events.emit('message', message)
        break
      case 'expiring':
        if (this.#access.expire()) this.#renew().catch(() => undefined)
        break
      case 'published':
        if (this.#session.takes(message.n)) this.#events.emit('message', message)
        break
      case 'ok': {
        // The join of a rival says the profile before this one: not settled until it is said there, too.
        const request = this.#standing.contested ? undefined : this.#requests.answer(message.re)
        if (request?.t === 'profile') this.#session.profile = request.profile
        break
      }
      case 'error':
        this.#error(message)
        break
      case 'bye':
        this.#standing.lost(message.code, message.reason, message.retryAfterMs)
        break
      default:
        // One that was not asked for says nothing that events do not.
        if (message.t === 'snapshot' && this.#requests.answer(message.re) === undefined) break
        this.#listed.take(message)
        this.#events.emit('message', message)
    }
  }

  #welcome(message: Welcome, { carrier, sinceMs }: Pick<Opening, 'carrier' | 'sinceMs'>): void {
    const { clock, roomClock } = this.#options
    const welcomed = this.#session.welcomed(message)
    this.#listed.take(message)
    roomClock.restart()
    this.#standing.enter(message, carrier, () => {
      this.#heartbeat.start(message.timeMs, clock.now() - sinceMs)
      this.#granted(message, message.timeMs)
      this.#outbox.open(message.limits)
      this.#requests.repeat()
      this.#network.welcomed()
      this.#events.emit('welcome', { message, ...welcomed })
    })
  }

  #granted(message: Granted, serverMs: number): void {
    this.#access.take(message.access, serverMs)
    this.#credentials.take(message, serverMs, this.#access.renewable)
  }

  #error(error: ServerError & { readonly re?: number; readonly fatal: boolean }): void {
    const { state } = this.#standing
    const refused = state.name === 'joining' && error.re === state.id
    if (refused || error.fatal) this.#standing.follow(verdictOfError(error, this.#session.begun), error.retryAfterMs)
    else if (error.re !== undefined) this.#requests.answer(error.re, requestError(error))
  }

  #closed(error: PartylineError | undefined): void {
    if (this.#leaving !== undefined) this.#options.clock.clearTimeout(this.#leaving)
    this.#network.stop()
    this.#requests.end(error)
    this.#events.emit('closed', error)
  }
}
