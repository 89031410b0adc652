/**
 * This member's standing connection to the server: opens carriers one after the other, joins and resumes, and carries
 * frames and requests while it is online. It may lose frames, never invents or repeats them; streams repair the rest.
 */
import {
  type Address,
  CLOSE,
  type ClientMessage,
  ENVELOPE,
  type IceServer,
  type Json,
  type PeerId,
  ProtocolError,
  parseServerMessage,
  readEnvelope,
  type ServerMessage,
  type StoreAddress,
  VERSION,
} from '../../../signaling/protocol/index.ts'
import type { Carrier, CarrierEvents, OpenCarrier } from '../carriers/carrier.ts'
import type { TimerHandle } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import { Emitter, reportError } from '../events.ts'
import type { CarrierKind } from '../face.ts'
import { Access } from './access.ts'
import { BackOff, openingPatienceMs } from './back-off.ts'
import type { RoomMessage, UplinkEvents, UplinkOptions, Welcome } from './contract.ts'
import { Credentials, type Granted } from './credentials.ts'
import { Heartbeat } from './heartbeat.ts'
import type { NetworkEvent } from './network-events.ts'
import { Outbox, type Sealer } from './outbox.ts'
import { Requests } from './requests.ts'
import type { UplinkState, UplinkStateName } from './state.ts'
import { requestError, type Verdict, verdictOfClose, verdictOfError } from './verdict.ts'

export type { RoomMessage, UplinkEvents, UplinkOptions, Welcome }

/** For the welcome, as long as a carrier has for opening. */
const JOIN_MS = 10_000
/** Opening or joining for longer than this when the network calls: likely stuck on the old network. */
const STUCK_MS = 1_000
/** A closed tab lingers for this long; a page that is only put aside for a moment says that it is back. */
const HIDDEN_GRACE_MS = 3_000
/** `leave()` waits this long for the server to know. */
const LEAVE_MS = 2_000
/** So many malformed messages from the server, without a good spell between them, end the room. */
const MOST_MALFORMED = 5

/** Of carriers that do not open, every third takes no join along: a proxy may stumble over it. */
const PLAIN_EVERY = 3

/** A network that loses much makes every carrier doubtful: no more than one race in this time. */
const RACE_EVERY_MS = 3_000

/** For the application's function that gives an access token. */
const ACCESS_MS = 15_000

/** Messages that mean something before the welcome. */
const EARLY: readonly ServerMessage['t'][] = ['welcome', 'error', 'bye']

/** A carrier from its opening to the welcome. */
interface Opening {
  readonly id: number
  readonly carrier: Carrier
  readonly sinceMs: number
  opened: boolean
}

export class Uplink {
  readonly #options: UplinkOptions
  readonly #events = new Emitter<UplinkEvents>()
  readonly #requests: Requests
  readonly #outbox: Outbox
  readonly #heartbeat: Heartbeat
  readonly #credentials: Credentials
  readonly #access: Access
  #state: UplinkState = { name: 'idle' }
  #sealed: { readonly announcement: string; readonly sealer: Sealer } | undefined
  #unsubscribe: () => void = () => undefined
  #peerId: PeerId | undefined
  #epoch = ''
  /** The number of the last message from a backend. */
  #published = 0
  /** What the server has, or is told with the next join. */
  #profile: Json
  readonly #backOff: BackOff
  /** Opens beside a carrier that is online and in doubt, to take its place. */
  #rival: Opening | undefined
  /** Until a better carrier is tried, or given up. */
  #climbing: TimerHandle | undefined
  #racedAtMs = Number.NEGATIVE_INFINITY
  /** Carriers whose join was said, and never answered: the server may hear it late, and give one of them the session. */
  #unanswered = 0
  /** Carriers, one after the other, that did not open. */
  #unopened = 0
  #malformed = 0
  #hidden = false
  #leaving: TimerHandle | undefined
  #reconnections = 0
  #bytesSent = 0
  #bytesReceived = 0
  /** Reads what the server says. Who puts another one here hears all of it first. */
  parse: (text: string) => ServerMessage = parseServerMessage

  constructor(options: UplinkOptions) {
    const { clock, roomClock } = options
    this.#options = options
    this.#profile = options.profile
    this.#backOff = new BackOff(options.random)
    this.#requests = new Requests((message) => this.say(message))
    this.#outbox = new Outbox({
      clock,
      write: (packet) => this.#write(packet),
      bufferedBytes: () => this.#carrier?.bufferedBytes() ?? 0,
      writable: () => this.#events.emit('writable', undefined),
      sealer: () => this.#sealed?.sealer,
    })
    this.#access = new Access(options.accessToken, clock)
    this.#credentials = new Credentials(clock, () => this.#renew())
    this.#heartbeat = new Heartbeat({
      clock,
      ping: (n, rttMs) => this.#control({ t: 'ping', n, rttMs, paths: options.paths?.(), published: this.#seen }),
      bufferedBytes: () => this.#carrier?.bufferedBytes() ?? 0,
      sample: (serverMs, rttMs) => {
        roomClock.sample(serverMs, rttMs)
        const climb = this.carrier && options.choice?.measured(this.carrier, rttMs)
        if (climb) this.#climb(climb.open)
      },
      suspect: () => this.#race(),
      dead: () => this.#lost(CLOSE.timeout, 'the server does not answer'),
    })
  }

  get state(): UplinkStateName {
    return this.#state.name
  }

  /** Round trip to the server, ms, smoothed. */
  get rttMs(): number | undefined {
    return this.#heartbeat.rttMs
  }

  get carrier(): CarrierKind | undefined {
    return this.#online?.carrier.kind
  }

  /** How often it was lost after being online. */
  get reconnections(): number {
    return this.#reconnections
  }

  get bytesSent(): number {
    return this.#bytesSent
  }

  get bytesReceived(): number {
    return this.#bytesReceived
  }

  on<Name extends keyof UplinkEvents>(name: Name, handler: (value: UplinkEvents[Name]) => void): () => void {
    return this.#events.on(name, handler)
  }

  /** Once. `sealed`: how frames are sealed, the announcement of the keys for it, and the profile as it is to be shown. */
  start(sealed?: { readonly announcement: string; readonly sealer: Sealer; readonly profile: Json }): void {
    if (this.#state.name !== 'idle') return
    this.#sealed = sealed
    if (sealed !== undefined) this.#profile = sealed.profile
    // First of all: everything else can be done while the network is waited for.
    this.#connect()
    this.#unsubscribe = this.#options.network.on((event) => this.#networkEvent(event))
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
    if (this.#online !== undefined) this.#control(message)
  }

  /** Bytes taken by `send` that the network has not taken yet. */
  queuedBytes(): number {
    return this.#outbox.queuedBytes + (this.#carrier?.bufferedBytes() ?? 0)
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
    this.#lost(CLOSE.slowReader, 'too much waits')
  }

  /** There are signs that the network works: do not wait any longer. */
  hurry(): void {
    const state = this.#state
    if (state.name === 'waiting' && this.#options.clock.now() >= state.notBeforeMs) this.#connect()
  }

  /** Resolves when the server has it, or a newer one; waits while offline. Rejects with `too-large`, `denied`, `closed`. */
  setProfile(profile: Json): Promise<void> {
    return this.#ask({ t: 'profile', profile })
  }

  /** Ask for all members: `message` brings the answer. */
  snapshot(): void {
    void this.#ask({ t: 'snapshot' })
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
    if (this.#state.name === 'closed') return Promise.resolve()
    const over = new Promise<void>((resolve) => this.on('closed', () => resolve()))
    const close = (): void => this.close()
    if (this.#carrier === undefined || (this.#state.name === 'connecting' && this.#peerId === undefined)) close()
    else if (this.#leaving === undefined) {
      this.#leaving = this.#options.clock.setTimeout(close, LEAVE_MS)
      this.#outbox.flush()
      const ask = (): unknown => this.#ask({ t: 'leave' }).then(close, close)
      const { sealing } = this.#outbox
      if (sealing === undefined) ask()
      else sealing.then(ask)
    }
    return over
  }

  /** Over now. Says `leave` if it can, without waiting for an answer. Idempotent. */
  close(error?: PartylineError): void {
    const { name } = this.#state
    if ((name === 'online' || name === 'joining') && this.#leaving === undefined) {
      this.#outbox.flush()
      this.#control({ t: 'leave', id: this.#requests.nextId() })
    }
    this.#end(error)
  }

  get #carrier() {
    return 'carrier' in this.#state ? this.#state.carrier : undefined
  }

  get #online() {
    return this.#state.name === 'online' ? this.#state : undefined
  }

  /** The one place where the state changes, and where what belonged to the old one ends. */
  #become(next: UplinkState, entered?: () => void): void {
    const { clock } = this.#options
    const previous = this.#state
    if (previous.name === 'closed') return
    this.#state = next
    if ('timer' in previous && previous.timer !== undefined) clock.clearTimeout(previous.timer)
    if ('carrier' in previous && this.#carrier !== previous.carrier) previous.carrier.close(CLOSE.normal, '')
    if (this.#rival?.carrier !== this.#carrier) this.#rival?.carrier.close(CLOSE.normal, '')
    this.#rival = undefined
    if (previous.name === 'online') {
      this.#outbox.close()
      this.#heartbeat.stop()
      this.#credentials.stop()
      if (this.#climbing !== undefined) clock.clearTimeout(this.#climbing)
      if (next.name !== 'closed' && next.name !== 'online') this.#reconnections += 1
    }
    entered?.()
    if (this.#state === next) this.#events.emit('state', next.name)
  }

  #connect(begun?: Opening): void {
    if (begun === undefined && this.#access.due) {
      this.#fetchAccess()
      return
    }
    const opening = begun ?? this.#open()
    const { clock } = this.#options
    const { rttMs } = this.#heartbeat
    const patience = (): void => {
      this.#unopened += 1
      this.#connect()
    }
    const timer = rttMs === undefined ? undefined : clock.setTimeout(patience, openingPatienceMs(rttMs, this.#unopened))
    this.#become({ ...opening, name: 'connecting', timer })
  }

  #fetchAccess(): void {
    const timer = this.#options.clock.setTimeout(() => this.#retry(), ACCESS_MS)
    const waiting: UplinkState = { name: 'waiting', notBeforeMs: Number.POSITIVE_INFINITY, timer }
    this.#become(waiting)
    const asked = (): void => {
      if (this.#state !== waiting) return
      if (this.#access.due) this.#retry()
      else this.#connect()
    }
    this.#access.fetch().then(asked, asked)
  }

  async #renew(): Promise<void> {
    const access = this.#access.due ? await this.#access.fetch() : undefined
    return this.#ask({ t: 'renew', access })
  }

  #open(climb?: OpenCarrier): Opening {
    const { server, clock } = this.#options
    const open = climb ?? this.#options.open
    const id = this.#requests.nextId()
    const join = JSON.stringify(this.#join(id))
    this.#bytesSent += join.length
    this.#unanswered += 1
    const events: CarrierEvents = {
      opened: (again = false) => {
        if (again) this.#unanswered += 1
        this.#opened(opening)
      },
      text: (text) => {
        if (this.#rival === opening) this.#rivalSaid(opening, text)
        else this.#received(text.length, () => this.#handle(this.parse(text)))
      },
      binary: (bytes) => {
        if (this.#rival !== opening) this.#received(bytes.length, () => this.#unpack(bytes))
      },
      closed: (code, reason) => {
        if (climb !== undefined && !opening.opened) this.#unanswered -= 1
        else if (!opening.opened) this.#unopened += 1
        if (this.#rival === opening) {
          this.#rival = undefined
          this.#climbLater()
        } else this.#lost(code, reason)
      },
    }
    const plain = this.#unopened % PLAIN_EVERY === PLAIN_EVERY - 1
    const opening: Opening = {
      id,
      carrier: open(server, join, events, clock, plain),
      sinceMs: clock.now(),
      opened: false,
    }
    return opening
  }

  #opened(opening: Opening): void {
    this.#unopened = 0
    opening.opened = true
    if (this.#carrier === opening.carrier) this.#await(opening)
  }

  /** The carrier is open, and has said `join`. */
  #await({ id, carrier, sinceMs }: Opening): void {
    const timer = this.#options.clock.setTimeout(() => this.#lost(CLOSE.timeout, 'no welcome in time'), JOIN_MS)
    this.#become({ name: 'joining', id, carrier, sinceMs, timer })
  }

  /**
   * The carrier is in doubt: open another beside it. Once raced there is no way back: the server may have given it the
   * session already. Whichever ends first leaves the other.
   */
  #race(): void {
    const { clock } = this.#options
    if (this.#online === undefined || this.#rival !== undefined || clock.now() - this.#racedAtMs < RACE_EVERY_MS) return
    this.#racedAtMs = clock.now()
    this.#rival = this.#open()
  }

  /** There may be a better carrier than the one in use: one is tried beside it, now and then. */
  #climbLater(): void {
    const { clock, choice } = this.#options
    if (this.#climbing !== undefined) clock.clearTimeout(this.#climbing)
    const kind = this.carrier
    const climb = kind === undefined ? undefined : choice?.better(kind)
    if (climb !== undefined) this.#climbing = clock.setTimeout(() => this.#climb(climb.open), climb.inMs)
  }

  #climb(open: OpenCarrier): void {
    if (this.#online === undefined || this.#rival !== undefined || this.#leaving !== undefined) {
      this.#climbLater()
      return
    }
    if (this.#climbing !== undefined) this.#options.clock.clearTimeout(this.#climbing)
    const rival = this.#open(open)
    this.#rival = rival
    // It opens, and does not carry.
    this.#climbing = this.#options.clock.setTimeout(() => {
      if (this.#rival === rival) {
        if (!rival.opened) this.#unanswered -= 1
        this.#dropRival()
      }
      this.#climbLater()
    }, JOIN_MS)
  }

  #rivalSaid(rival: Opening, text: string): void {
    this.#bytesReceived += text.length
    try {
      const message = parseServerMessage(text)
      if (message.t === 'welcome' && message.re === rival.id) this.#welcome(message, rival)
      else throw new ProtocolError('t', 'expected welcome')
    } catch (error) {
      if (!(error instanceof ProtocolError)) reportError(error)
      // What is wrong will be told again when the carrier in use is lost.
      else if (this.#rival === rival) this.#dropRival()
    }
    this.#outbox.flush()
  }

  #dropRival(): void {
    this.#rival?.carrier.close(CLOSE.normal, '')
    this.#rival = undefined
  }

  /** What is undefined does not come into the JSON. */
  #join(id: number): ClientMessage {
    const { room, instance, joinKey } = this.#options
    const { token } = this.#credentials
    const access = this.#access.token
    return {
      t: 'join',
      id,
      vMin: VERSION.min,
      vMax: VERSION.max,
      room,
      profile: this.#profile,
      instance,
      joinKey,
      token,
      access,
      seal: this.#sealed?.announcement,
      published: this.#seen,
    }
  }

  get #seen(): number | undefined {
    return this.#published || undefined
  }

  #control(message: ClientMessage): void {
    const text = JSON.stringify(message)
    this.#outbox.spend(text.length)
    this.#write(text)
  }

  #write(message: string | Uint8Array): void {
    if (this.#carrier?.send(message)) this.#bytesSent += message.length
  }

  #ask(body: Parameters<Requests['ask']>[0]): Promise<void> {
    if (this.#state.name !== 'closed') return this.#requests.ask(body)
    const refused = Promise.reject(new PartylineError('closed', 'the room is closed'))
    refused.catch(() => undefined)
    return refused
  }

  /** Nothing that the server sends throws out of here. A malformed message costs the carrier: the next welcome heals. */
  #received(length: number, handle: () => void): void {
    this.#bytesReceived += length
    this.#heartbeat.heard()
    try {
      handle()
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        reportError(error)
        return
      }
      this.#malformed += 1
      if (this.#malformed < MOST_MALFORMED) this.#retry()
      else {
        const text = `the server sent what this client cannot read: ${error.message}`
        this.#end(new PartylineError('protocol', text, { fatal: true, cause: error }))
      }
    }
    // In hidden tabs, timers come late and messages do not.
    this.#outbox.flush()
  }

  #unpack(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const limits = this.#online?.limits
      // Closed by a handler, or too early: the streams get by without.
      if (limits === undefined) return
      const { kind, peer, payloadStart, end, slot } = readEnvelope(bytes, at, limits.frameBytes)
      if (kind !== ENVELOPE.from || peer === undefined) throw new ProtocolError('envelope.kind', 'expected from')
      this.#events.emit('frame', { from: peer, payload: bytes.subarray(payloadStart, end), slot })
      at = end
    }
  }

  #handle(message: ServerMessage): void {
    if (this.#online === undefined && !EARLY.includes(message.t)) return
    switch (message.t) {
      case 'welcome':
        if (this.#state.name === 'joining' && message.re === this.#state.id) this.#welcome(message, this.#state)
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
        if (message.n <= this.#published) break
        this.#published = message.n
        this.#events.emit('message', message)
        break
      case 'ok': {
        // The join of a rival says the profile before this one: not settled until it is said there, too.
        const request = this.#rival === undefined ? this.#requests.answer(message.re) : undefined
        if (request?.t === 'profile') this.#profile = request.profile
        break
      }
      case 'error':
        this.#error(message)
        break
      case 'bye':
        this.#lost(message.code, message.reason, message.retryAfterMs)
        break
      default:
        if (message.t === 'snapshot') this.#requests.answer(message.re)
        this.#events.emit('message', message)
    }
  }

  #welcome(message: Welcome, { carrier, sinceMs }: Pick<Opening, 'carrier' | 'sinceMs'>): void {
    const { clock, roomClock } = this.#options
    const { limits, graceMs, timeMs, peerId, epoch } = message
    const how = this.#peerId === undefined ? 'joined' : this.#peerId === peerId ? 'resumed' : 'rejoined'
    const now = clock.now()
    const { published = 0 } = message
    const continued = how === 'resumed' && epoch === this.#epoch
    const missed = continued ? Math.max(0, published - this.#published) : 0
    if (!continued || missed > 0) this.#published = published
    this.#peerId = peerId
    this.#epoch = epoch
    roomClock.restart()
    this.#unanswered -= 1
    this.#become({ name: 'online', carrier, sinceMs: now, limits, graceMs }, () => {
      this.#heartbeat.start(timeMs, now - sinceMs)
      this.#granted(message, timeMs)
      this.#outbox.open(limits)
      this.#requests.repeat()
      if (this.#hidden) this.#grace(HIDDEN_GRACE_MS)
      this.#climbLater()
      this.#events.emit('welcome', { message, how, missed })
    })
  }

  #granted(message: Granted, serverMs: number): void {
    this.#access.take(message.access, serverMs)
    this.#credentials.take(message, serverMs, this.#access.renewable)
  }

  #error(error: Extract<ServerMessage, { readonly t: 'error' }>): void {
    const refused = this.#state.name === 'joining' && error.re === this.#state.id
    if (refused || error.fatal) this.#follow(verdictOfError(error, this.#peerId !== undefined), error.retryAfterMs)
    else if (error.re !== undefined) this.#requests.answer(error.re, requestError(error))
  }

  /** The carrier ended, or is not worth waiting for. */
  #lost(code: number, reason: string, retryAfterMs?: number): void {
    const verdict = verdictOfClose(code, reason)
    const rival = this.#rival
    if (code === CLOSE.normal && this.#leaving !== undefined) this.#end(undefined)
    else if (code === CLOSE.replaced && rival === undefined && this.#unanswered > 0) {
      // By ourselves.
      this.#unanswered -= 1
      this.#retry()
    } else if (
      rival !== undefined &&
      retryAfterMs === undefined &&
      (verdict.kind === 'retry' || code === CLOSE.replaced)
    ) {
      this.#goodSpell(this.#options.clock.now())
      // Our own rival has it: that is no loss.
      if (code === CLOSE.replaced && this.#online !== undefined) this.#reconnections -= 1
      if (rival.opened) this.#await(rival)
      else this.#connect(rival)
    } else this.#follow(verdict, retryAfterMs)
  }

  #follow(verdict: Verdict, retryAfterMs?: number): void {
    const lapsed = verdict.kind === 'end' && verdict.error.code === 'access-expired' && this.#access.expire()
    if (verdict.kind === 'end' && !lapsed) this.#end(verdict.error)
    else if (verdict.kind === 'rejoin' && this.#leaving !== undefined) this.#end(undefined)
    else if (verdict.kind === 'rejoin' && this.#credentials.token !== undefined) {
      this.#credentials.token = undefined
      this.#connect()
    } else this.#retry(retryAfterMs)
  }

  #retry(afterMs = 0): void {
    const { clock } = this.#options
    const now = clock.now()
    this.#goodSpell(now)
    this.#become({
      name: 'waiting',
      notBeforeMs: now + afterMs,
      timer: clock.setTimeout(() => this.#connect(), afterMs + this.#backOff.nextMs(now)),
    })
  }

  /** Whether what ends now was one counts for how soon to come back. */
  #goodSpell(now: number): void {
    const online = this.#online
    if (online !== undefined && this.#backOff.lost(now, now - online.sinceMs, online.graceMs)) this.#malformed = 0
  }

  #networkEvent(event: NetworkEvent): void {
    const state = this.#state
    const now = this.#options.clock.now()
    if (event === 'hide') {
      this.#hidden = true
      this.#grace(HIDDEN_GRACE_MS)
      return
    }
    if (event !== 'show') this.#options.choice?.changed()
    if (this.#climbing !== undefined && this.#rival === undefined) this.#climbLater()
    if (this.#hidden && event === 'show') {
      this.#hidden = false
      if (state.name === 'online') this.#grace(state.graceMs)
    }
    if (state.name === 'online') this.probe()
    else if (
      (state.name === 'waiting' && now >= state.notBeforeMs) ||
      ('carrier' in state && now - state.sinceMs > STUCK_MS)
    )
      this.#connect()
  }

  #grace(graceMs: number): void {
    if (this.#online !== undefined) this.#control({ t: 'grace', graceMs })
  }

  #end(error: PartylineError | undefined): void {
    if (this.#state.name === 'closed') return
    if (this.#leaving !== undefined) this.#options.clock.clearTimeout(this.#leaving)
    this.#unsubscribe()
    this.#become({ name: 'closed', error })
    this.#requests.end(error ?? new PartylineError('closed', 'the room is closed'))
    this.#events.emit('closed', error)
  }
}
