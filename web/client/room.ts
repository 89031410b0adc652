/**
 * A room: the face that the application sees, the parts behind it put together, and its life: from joining, through
 * welcomes, to whatever ends it. It starts the moment it is made; everything that is sent before the welcome waits for it.
 */
import {
  type AccessInfo,
  type Address,
  type Audience,
  type Json,
  type MemberInfo,
  type PeerId,
  RIGHTS,
  randomHex,
} from '../../signaling/protocol/index.ts'
import { serverAddress } from './carriers/server-address.ts'
import { LatestChannels } from './channel/latest.ts'
import { ProcedureCalls } from './channel/procedure.ts'
import { PartylineError } from './errors.ts'
import { Emitter } from './events.ts'
import type {
  Channel,
  ChannelOptions,
  HistoryCursor,
  HistoryPage,
  HistoryQuery,
  KeptRoom,
  Latest,
  Payload,
  Peer,
  Procedure,
  ProcedureHandler,
  Room,
  RoomEvents,
  RoomStats,
  RoomStatus,
  SealingMode,
  Self,
  Unsubscribe,
} from './face.ts'
import { Gate } from './gate.ts'
import { HistoryOnDemand } from './history/on-demand.ts'
import { Later } from './later.ts'
import { Membership } from './membership.ts'
import { MessageChannels } from './message-channels.ts'
import { checkProfile, checkRoomName, type RoomOptions } from './options.ts'
import { OwnInstance } from './own-instance.ts'
import { RoomChannels } from './room-channels.ts'
import type { RoomClaims } from './room-claims.ts'
import { fromWire, RoomClock, toWire } from './room-clock.ts'
import { RoomIntake } from './room-intake.ts'
import { RoomLinks } from './room-links.ts'
import { RoomMembers } from './room-members.ts'
import type { RoomPeer } from './room-peer.ts'
import type { RoomWorld } from './room-world.ts'
import { type RoomMessage, Uplink, type Welcome } from './uplink/uplink.ts'

/** Until the first welcome says otherwise. */
const GRACE_MS = 20_000
const FLUSH_POLL_MS = 20
const WRONG_SECRET = 'The others have another secret or password'

export class ClientRoom<P extends Json> implements Room<P> {
  readonly name: string
  readonly ready: Promise<void>
  readonly closed: Promise<PartylineError | undefined>
  readonly #world: RoomWorld
  readonly #own: OwnInstance
  readonly #events = new Emitter<RoomEvents<P>>()
  readonly #clock: RoomClock
  readonly #uplink: Uplink
  readonly #intake: RoomIntake
  readonly #gate: Gate
  readonly #membership: Membership
  readonly #members: RoomMembers
  readonly #links: RoomLinks
  readonly #channels: RoomChannels
  readonly #claims: Later<RoomClaims>
  readonly #latest: LatestChannels
  readonly #messages: MessageChannels
  readonly #history: HistoryOnDemand
  readonly #procedures = new Map<string, ProcedureCalls<Payload, Payload>>()
  #settleReady: { resolve(): void; reject(error: unknown): void } = { resolve: () => {}, reject: () => {} }
  #settleClosed: (error: PartylineError | undefined) => void = () => {}
  #status: RoomStatus = 'joining'
  #self: Self<P> | undefined
  #profile: P
  #graceMs = GRACE_MS
  #leaving: Promise<void> | undefined
  #stopListening: () => void = () => {}

  readonly sealing: SealingMode

  constructor(name: string, options: RoomOptions, world: RoomWorld) {
    this.name = checkRoomName(name)
    this.#world = world
    this.sealing = options.sealing
    this.#profile = options.profile as P
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject }
    })
    this.ready.catch(() => {})
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve
    })
    const { clock } = world
    const instance = randomHex(16, world.fillRandom) as MemberInfo['instance']
    const own = new OwnInstance(instance)
    this.#own = own
    this.#clock = new RoomClock(clock, world.wallMs())
    this.#uplink = new Uplink({
      ...world,
      server: serverAddress(options.server),
      room: this.name,
      profile: options.profile,
      instance,
      joinKey: randomHex(16, world.fillRandom),
      accessToken: options.accessToken,
      open: world.openCarrier,
      roomClock: this.#clock,
      paths: () => this.#links.paths,
    })
    this.#gate = new Gate(
      { ...options, room: this.name, instance: own.bind },
      {
        ...world,
        transmit: (id, payload) => this.#uplink.sendSealed({ kind: 'one', id }, payload),
        here: () => this.#links.here(),
        refused: (id, error) => this.#events.emit('refused', { id, error }),
        shown: (member, announced) => this.#claim((claims) => void claims.shown(member, announced)),
        failed: (error) => this.#finish(error),
        taken: (instance, from) => {
          this.#claims.here?.forget(instance)
          for (const id of from) this.#membership.expel(id)
        },
        decided: (id) => this.#intake.decided(id),
      },
    )
    // The server is asked before anything else is made; its answer comes in a later turn.
    const asked = options.signal?.aborted ? undefined : this.#start()
    this.#membership = new Membership({
      clock,
      admits: (member) => this.#gate.admits(member) || (this.#gate.asks(member) ? undefined : false),
      reachable: (id) => this.#links.get(id)?.link.reachableDirectly ?? false,
    })
    this.#links = new RoomLinks({
      ...world,
      get instance() {
        return own.id
      },
      policy: {
        direct: options.paths.includes('direct'),
        turn: options.paths.includes('turn'),
        iceTransportPolicy: options.iceTransportPolicy,
      },
      directPaths: Promise.resolve(asked)
        .then(() => world.directPaths())
        .then((make) => make?.(options.maxDirectPeers)),
      sentNow: () => toWire(this.#clock.now()),
      graceMs: () => this.#graceMs,
      uplinkRttMs: () => this.#uplink.rttMs ?? 0,
      suspectUplink: () => this.#uplink.probe(),
      networkWorks: () => this.#uplink.hurry(),
      iceServers: async () => [
        ...options.iceServers.map(({ urls, ...rest }) => ({ ...rest, urls: typeof urls === 'string' ? [urls] : urls })),
        ...(await this.#uplink.freshIceServers()),
      ],
      seal: this.#gate,
      strangers: () => this.#gate.strangers,
      relay: (address: Address, frame, slot) => this.#uplink.send(address, frame, slot),
      message: (from, message) => this.#channels.take(from, message),
      latest: (from, channelName, frame) => {
        if (channelName.startsWith('l:') && this.#allowed(from, frame.audience))
          this.#latest.receive(from, channelName.slice(2), frame)
      },
      changed: (peer) => this.#members.changed(peer),
      gap: (peer) => this.#gap(peer, 'lagging'),
      forgotten: (peer) => this.#members.forgotten(peer),
      reached: (peer, channels) => {
        this.#claim((claims) => claims.greeted(peer, channels))
        this.#latest.memberJoined(peer.id)
      },
      cutOff: ({ id }) => this.#introduce(id),
      said: (peer, message) => this.#claims.do((claims) => claims.heard(peer, message), message.t + peer.id),
    })
    // What the parts below stand on: each takes of it what it asks for.
    const parts = {
      ...world,
      room: this.name,
      sealing: this.sealing,
      uplink: this.#uplink,
      gate: this.#gate,
      membership: this.#membership,
      links: this.#links,
      events: this.#events,
    }
    this.#claims = new Later(async () => {
      const [Claims] = await Promise.all([world.claims(), asked])
      return new Claims({
        ...parts,
        instance: own.id,
        profile: options.profile,
        changed: (peer) => this.#members.changed(peer),
        withheld: (peer) => this.#gap(peer, 'withheld'),
      })
    }, clock)
    this.#channels = new RoomChannels({
      outbox: this.#links.outbox,
      allowed: (from, audience) => this.#allowed(from, audience),
      sentNow: () => toWire(this.#clock.now()),
      nowMs: () => this.#clock.now(),
      instanceOf: (peer) => this.#links.get(peer)?.info.instance ?? peer,
      drain: (wireName) => this.#links.drain(wireName),
      checked: (from, arrived) => this.#claims.here?.checked(from, arrived) ?? this.#checkLater(arrived.channel),
    })
    this.#latest = new LatestChannels({
      clock,
      transmit: (frame, slot, to) => this.#links.transmitLatest(frame, slot, to),
      sentNow: () => toWire(this.#clock.now()),
      sentAtMs: (sent) => fromWire(sent, this.#clock.now()),
    })
    this.#history = new HistoryOnDemand({
      load: async () => {
        const [History] = await Promise.all([world.history(), asked])
        return (before) =>
          new History({
            ...parts,
            ...before,
            channels: this.#channels,
            history: options.history,
            instance: own.id,
            open: this.#messages.made,
          })
      },
      clock,
      closed: this.closed,
      release: () => this.#messages.drain(),
    })
    this.#messages = new MessageChannels({
      ...parts,
      channels: this.#channels,
      claims: this.#claims,
      history: this.#history,
      now: () => this.#clock.now(),
      peers: () => this.peers.values(),
    })
    this.#members = new RoomMembers({
      ...parts,
      self: () => this.#self?.id,
      joined: (id) => this.#introduce(id),
      left: (id) => {
        this.#channels.left(id)
        this.#latest.memberLeft(id)
      },
    })
    // After the members: the gate forgets one once the application has been told.
    this.#intake = new RoomIntake({
      ...parts,
      welcome: (message, how) => this.#welcome(message, how),
      message: (message) => this.#take(message),
      frame: (from, frame) => this.#links.receive(from, frame),
      state: (state) => {
        if (state === 'online') this.#setStatus('online')
        else if (this.#status === 'online') this.#offline()
      },
      closed: (error) => this.#finish(error),
      missed: (messages) => this.#missed(messages),
    })
    this.#listen(options.signal)
    if (options.signal?.aborted) this.#aborted(options.signal)
    if (options.history) this.#history.follow()
  }

  get status(): RoomStatus {
    return this.#status
  }

  get self(): Self<P> | undefined {
    return this.#self
  }

  get peers(): ReadonlyMap<PeerId, Peer<P>> {
    return this.#members.peers as ReadonlyMap<PeerId, Peer<P>>
  }

  now(): number {
    return this.#clock.now()
  }

  on<Name extends keyof RoomEvents<P>>(name: Name, handler: (value: RoomEvents<P>[Name]) => void): Unsubscribe {
    return this.#events.on(name, handler)
  }

  setProfile(profile: P): Promise<void> {
    checkProfile(profile, this.#gate.sealsProfile)
    this.#profile = profile
    if (this.#self !== undefined) this.#self = { ...this.#self, profile }
    const told = this.#gate.show(profile, (shown) => this.#uplink.setProfile(shown))
    told.then(
      () => this.#claim((claims) => void claims.profile(profile)),
      () => {},
    )
    return told
  }

  channel<T extends Payload = Json>(name: string, { signed = false }: ChannelOptions = {}): Channel<T> {
    return this.#messages.open(name, signed) as unknown as Channel<T>
  }

  latest<T extends Payload = Json>(name: string): Latest<T> {
    const outgoing = this.#channels.open('l', name)
    this.#links.declare(outgoing)
    return this.#latest.open<T>(name, outgoing.id)
  }

  procedure<Q extends Payload = Json, A extends Payload = Json>(
    name: string,
    handler?: ProcedureHandler<Q, A>,
  ): Procedure<Q, A> {
    let calls = this.#procedures.get(name)
    if (calls === undefined) {
      calls = new ProcedureCalls<Payload, Payload>(this.#channels.port('p', name), this.#world.clock)
      this.#procedures.set(name, calls)
    }
    if (handler !== undefined) calls.handle(handler as unknown as ProcedureHandler<Payload, Payload>)
    return calls.ask as unknown as Procedure<Q, A>
  }

  get kept(): KeptRoom | undefined {
    return this.#history.kept
  }

  get cursor(): HistoryCursor | undefined {
    return this.#history.here?.cursor
  }

  history(query?: HistoryQuery): Promise<HistoryPage> {
    return this.#history.use((kept) => kept.page(query))
  }

  markRead(place: HistoryCursor, options?: { readonly share?: boolean }): Promise<void> {
    return this.#history.use((kept) => kept.markRead(place, options))
  }

  readPositions(): Promise<ReadonlyMap<string, number>> {
    return this.#history.use((kept) => kept.positions())
  }

  stats(): RoomStats {
    return {
      status: this.#status,
      carrier: this.#uplink.carrier,
      uplinkRttMs: this.#uplink.rttMs,
      reconnections: this.#uplink.reconnections,
      bytesSent: this.#uplink.bytesSent,
      bytesReceived: this.#uplink.bytesReceived,
      sealing: this.#gate.stats,
    }
  }

  leave(options: { readonly flushMs?: number } = {}): Promise<void> {
    this.#leaving ??= this.#leave(options.flushMs ?? 0)
    return this.#leaving
  }

  async #leave(flushMs: number): Promise<void> {
    const { clock } = this.#world
    const untilMs = clock.now() + flushMs
    // What is to be stored is put there in a later turn than it is sent.
    while (clock.now() < untilMs && this.#status !== 'closed') {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, FLUSH_POLL_MS))
      if (this.#links.quiet && this.#history.quiet) break
    }
    await this.#uplink.leave()
    this.#finish(undefined)
  }

  /** Resolves once the server has been asked. */
  #start(): Promise<void> | undefined {
    if (this.sealing !== 'open') {
      return this.#gate.lock().then(
        (sealed) => this.#uplink.start({ ...sealed, instance: this.#own.id }),
        (error: PartylineError) => this.#finish(error),
      )
    }
    this.#uplink.start()
    return undefined
  }

  #aborted({ reason: cause }: AbortSignal): void {
    this.#finish(new PartylineError('aborted', 'The room was left: its signal fired', { fatal: true, cause }))
  }

  #listen(signal: AbortSignal | undefined): void {
    this.#uplink.on('writable', () => this.#links.writable())
    const stopNetwork = this.#world.network.on((event) => {
      if (event === 'hide') this.#links.hide()
      else this.#links.networkChanged(event === 'show')
    })
    const abort = (): void => signal && this.#aborted(signal)
    signal?.addEventListener('abort', abort)
    this.#stopListening = () => {
      stopNetwork()
      signal?.removeEventListener('abort', abort)
    }
  }

  #setStatus(status: RoomStatus): void {
    if (status === this.#status || this.#status === 'closed') return
    this.#status = status
    this.#events.emit('status', status)
  }

  #welcome(message: Welcome, how: 'joined' | 'resumed' | 'rejoined'): void {
    if (how === 'joined' && this.#gate.wrongSecret) {
      this.#finish(new PartylineError('wrong-secret', WRONG_SECRET, { fatal: true }))
      return
    }
    this.#accessed(message.peerId, message.access)
    this.#graceMs = Math.max(GRACE_MS, message.graceMs)
    this.#setStatus('online')
    this.#members.welcome(message)
    this.#history.welcome(message)
    // What was said before we came is for all who are let in.
    const over = how === 'joined' ? this.#gate.newcomers.over : undefined
    if (over === undefined) this.#ready()
    else over.then(() => this.#intake.run(() => this.#ready()))
    // The server is back in reach: so may be those whose paths went with it.
    if (how === 'resumed') this.#links.networkChanged(true)
    if (how === 'rejoined') {
      for (const peer of this.peers.values()) this.#events.emit('gap', { peer, reason: 'expired' })
    }
  }

  #ready(): void {
    this.#links.outbox.open()
    this.#settleReady.resolve()
  }

  #accessed(id: PeerId, access: AccessInfo | undefined): void {
    if (access?.profile !== undefined) {
      this.#profile = access.profile as P
      this.#claim((claims) => void claims.profile(this.#profile))
    }
    this.#self = { id, profile: this.#profile, userId: access?.userId, rights: access?.rights ?? RIGHTS }
  }

  /** Say to a member what others must not say for us. */
  #introduce(id: PeerId): void {
    this.#claim((claims) => void claims.introduce(id))
  }

  /** In an open room, nobody could tell who says something of itself. */
  #claim(what: (claims: RoomClaims) => void): void {
    if (this.sealing !== 'open') this.#claims.do(what)
  }

  #checkLater(wireName: string): boolean {
    this.#claims.do(() => this.#links.drain(wireName), wireName)
    return false
  }

  /** Whether a peer, or this member, may send to this audience. */
  #allowed(from: PeerId | undefined, audience: Audience): boolean {
    const rights = from === undefined ? this.#self?.rights : this.#links.get(from)?.info.rights
    return rights === undefined || rights.includes(audience === 'room' ? 'publish' : 'direct')
  }

  #take(message: RoomMessage): void {
    switch (message.t) {
      case 'published':
        this.#missed(this.#channels.published(message))
        return
      case 'renewed':
        if (this.#self !== undefined && message.access !== undefined) this.#accessed(this.#self.id, message.access)
        return
      case 'dropped':
        for (const id of message.to) this.#links.get(id)?.link.relayDropped()
        return
    }
  }

  #missed(messages: number): void {
    if (messages > 0) this.#events.emit('missed', { messages })
  }

  #offline(): void {
    this.#setStatus('reconnecting')
    this.#members.offline()
  }

  #gap(peer: RoomPeer<Json>, reason: RoomEvents<P>['gap']['reason']): void {
    this.#events.emit('gap', { peer: peer as unknown as Peer<P>, reason })
  }

  /** The room is over, for whatever reason. Once. */
  #finish(error: PartylineError | undefined): void {
    if (this.#status === 'closed') return
    this.#setStatus('closed')
    this.#stopListening()
    this.#intake.close()
    this.#gate.close()
    this.#claims.here?.close()
    this.#claims.close()
    this.#history.close()
    this.#members.close()
    this.#latest.close()
    this.#messages.close()
    for (const calls of this.#procedures.values()) calls.close()
    this.#channels.close()
    this.#uplink.close(error)
    this.#settleReady.reject(error ?? new PartylineError('closed', 'The room was left before it was ready'))
    this.#settleClosed(error)
    this.#events.clear()
  }
}
