/**
 * A room: membership from the uplink, a link to every member, and the channels the application makes. It starts the
 * moment it is made; everything that is sent before the welcome waits for it.
 */
import {
  type AccessInfo,
  type Address,
  type Audience,
  type Json,
  LIMITS,
  type MemberInfo,
  type PeerId,
  RIGHTS,
  randomHex,
} from '../../signaling/protocol/index.ts'
import { serverAddress } from './carriers/server-address.ts'
import { encodePayload } from './channel/content.ts'
import { LatestChannels } from './channel/latest.ts'
import { Offers } from './channel/offer.ts'
import { ProcedureCalls } from './channel/procedure.ts'
import { ReliableChannel } from './channel/reliable.ts'
import type { OutgoingMessage } from './delivery/outgoing-message.ts'
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
  Message,
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
import type { RoomHistory } from './history/room-history.ts'
import { Inbound } from './inbound.ts'
import { Later } from './later.ts'
import { Membership } from './membership.ts'
import { checkProfile, checkRoomName, type RoomOptions } from './options.ts'
import { OwnInstance } from './own-instance.ts'
import { RoomChannels } from './room-channels.ts'
import type { RoomClaims } from './room-claims.ts'
import { fromWire, RoomClock, toWire } from './room-clock.ts'
import { RoomLinks } from './room-links.ts'
import type { RoomPeer } from './room-peer.ts'
import type { RoomWorld } from './room-world.ts'
import { type RoomMessage, Uplink, type UplinkEvents, type Welcome } from './uplink/uplink.ts'

/** Until the first welcome says otherwise. */
const GRACE_MS = 20_000
const FLUSH_POLL_MS = 20
/** One channel for all files' control messages, one for all their bytes. */
const FILES = 'files'
const takeAtOnce: RoomHistory['hear'] = (channel, message) => channel.take(message as Message<Payload>)
const WRONG_SECRET = 'The others have another secret or password'

type Heard = UplinkEvents['welcome']

/** The newer one says it all, but for what has been missed, and what we have become since. */
const instead = (older: Heard, newer: Heard): Heard => ({
  ...newer,
  how: older.how === 'resumed' ? newer.how : older.how,
  missed: older.missed + newer.missed,
})

export class ClientRoom<P extends Json> implements Room<P> {
  readonly name: string
  readonly ready: Promise<void>
  readonly closed: Promise<PartylineError | undefined>
  readonly #world: RoomWorld
  readonly #own: OwnInstance
  readonly #events = new Emitter<RoomEvents<P>>()
  readonly #clock: RoomClock
  readonly #uplink: Uplink
  readonly #inbound = new Inbound()
  readonly #gate: Gate
  readonly #membership: Membership
  readonly #links: RoomLinks
  readonly #channels: RoomChannels
  readonly #claims: Later<RoomClaims>
  readonly #latest: LatestChannels
  readonly #offers: Offers
  readonly #reliable = new Map<string, ReliableChannel<Payload>>()
  readonly #procedures = new Map<string, ProcedureCalls<Payload, Payload>>()
  #settleReady: { resolve(): void; reject(error: unknown): void } = { resolve: () => {}, reject: () => {} }
  #settleClosed: (error: PartylineError | undefined) => void = () => {}
  #status: RoomStatus = 'joining'
  #self: Self<P> | undefined
  #profile: P
  #peers: ReadonlyMap<PeerId, Peer<P>> = new Map()
  #graceMs = GRACE_MS
  #leaving: Promise<void> | undefined
  #stopListening: () => void = () => {}
  readonly #loadHistory: () => Promise<RoomHistory>
  #history: RoomHistory | undefined
  #loading: Promise<RoomHistory> | undefined
  #welcomed: Welcome | undefined
  /** Waits to be come to. Only the newest does: a server could have them come faster than their members are looked at. */
  #coming: { heard: Heard | undefined } = { heard: undefined }
  /** A message came live on a channel. False: not now. */
  #hear: RoomHistory['hear'] = takeAtOnce

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
    const random = (bytes: Uint8Array): void => world.fillRandom(bytes)
    const instance = randomHex(16, random) as MemberInfo['instance']
    const own = new OwnInstance(instance)
    this.#own = own
    this.#clock = new RoomClock(clock, world.wallMs())
    this.#uplink = new Uplink({
      server: serverAddress(options.server),
      room: this.name,
      profile: options.profile,
      instance,
      joinKey: randomHex(16, random),
      accessToken: options.accessToken,
      open: world.openCarrier,
      choice: world.choice,
      clock,
      roomClock: this.#clock,
      random: world.random,
      network: world.network,
      paths: () => this.#links.paths,
    })
    this.#gate = new Gate(
      { ...options, room: this.name, instance: own.bind },
      {
        clock,
        fillRandom: random,
        primitives: world.primitives,
        sealedProfiles: world.sealedProfiles,
        transmit: (id, payload) => this.#uplink.sendSealed({ kind: 'one', id }, payload),
        here: () => this.#links.here(),
        refused: (id, error) => this.#events.emit('refused', { id, error }),
        shown: (member, announced) => this.#claim((claims) => void claims.shown(member, announced)),
        failed: (error) => this.#finish(error),
        taken: (instance, from) => {
          this.#claims.here?.forget(instance)
          for (const id of from) this.#membership.expel(id)
        },
        decided: (id) =>
          this.#inbound.alone(
            () => this.#gate.settle(id),
            (frames) => {
              if (frames === undefined) return
              this.#membership.decided(id)
              this.#receive(id, frames)
            },
          ),
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
      clock,
      random: world.random,
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
      changed: (peer) => this.#changed(peer),
      gap: (peer) => this.#gap(peer, 'lagging'),
      forgotten: (peer) => this.#forgotten(peer),
      reached: (peer, channels) => {
        this.#claim((claims) => claims.greeted(peer, channels))
        this.#latest.memberJoined(peer.id)
      },
      cutOff: ({ id }) => this.#introduce(id),
      said: (peer, message) => this.#claims.do((claims) => claims.heard(peer, message), message.t + peer.id),
    })
    this.#claims = new Later(async () => {
      const [Claims] = await Promise.all([world.claims(), asked])
      return new Claims({
        ...world,
        room: this.name,
        instance: own.id,
        profile: options.profile,
        gate: this.#gate,
        links: this.#links,
        changed: (peer) => this.#changed(peer),
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
    this.#offers = new Offers({
      clock,
      control: this.#channels.port('f', FILES),
      data: this.#channels.port('b', FILES),
      members: () => this.#links.peers.keys(),
      load: world.transfers,
      refuses: (from, name) => (this.#reliable.get(name)?.signed ? this.#unsigned(from) : false),
    })
    this.#listen(options.signal)
    if (options.signal?.aborted) this.#aborted(options.signal)
    this.#loadHistory = async () => {
      const [History] = await Promise.all([world.history(), asked])
      this.#history = new History({
        ...world,
        ...options,
        room: this.name,
        instance: own.id,
        uplink: this.#uplink,
        gate: this.#gate,
        events: this.#events,
        channels: this.#channels,
        open: this.#reliable,
      })
      this.#hear = this.#history.hear
      if (this.#uplink.state === 'online' && this.#welcomed) this.#history.welcome(this.#welcomed)
      return this.#history
    }
    if (options.history) this.#follow()
  }

  get status(): RoomStatus {
    return this.#status
  }

  get self(): Self<P> | undefined {
    return this.#self
  }

  get peers(): ReadonlyMap<PeerId, Peer<P>> {
    return this.#peers
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
    const known = this.#reliable.get(name)
    if (typeof signed !== 'boolean' || (known?.signed ?? signed) !== signed || (signed && this.sealing === 'open')) {
      throw new PartylineError('bad-argument', 'signed: a boolean, the same for a name, and false in an open room')
    }
    if (known !== undefined) return known as unknown as Channel<T>
    const outgoing = this.#channels.open(signed ? 's' : 'm', name)
    const sign = (message: OutgoingMessage): void =>
      this.#claims.do(
        (claims) => claims.sign(outgoing.name, message),
        message,
        () => this.#links.outbox.giveUp(message),
      )
    const channel = new ReliableChannel<Payload>(
      name,
      {
        send: (data, to, { signal, store, user }) => {
          const receivers = user === undefined ? to : this.#devicesOf(user)
          const sent = this.#channels.send(outgoing, data, receivers, signal, signed ? sign : undefined)
          if (!store && user === undefined) return sent
          const payload = encodePayload(data, LIMITS.messageBytes)
          const atMs = this.#clock.now()
          const isAlone = !signed && (user === undefined ? to === undefined : !store)
          return Object.assign(sent, {
            stored: this.#keep((kept) => kept.store(name, sent, payload, atMs, user, isAlone)),
          })
        },
        drain: () => {
          this.#history?.work()
          this.#channels.drain(outgoing)
        },
        offer: (data, options) =>
          this.#offers.offer(name, data, signed ? { to: [...this.#links.peers.keys()], ...options } : options),
        onOffer: (handler) => this.#offers.on(name, handler),
      },
      signed,
    )
    this.#channels.taker(outgoing, (message) => this.#hear(channel, message))
    if (signed) {
      this.#claim((claims) => claims.signs())
      // What comes without a signature has its turn, and is not heard.
      this.#channels.taker({ name: `m:${name}` }, ({ from }) => this.#unsigned(from))
    }
    this.#reliable.set(name, channel)
    if (this.#status === 'closed') channel.close()
    return channel as unknown as Channel<T>
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
    return this.#welcomed?.history
  }

  get cursor(): HistoryCursor | undefined {
    return this.#history?.cursor
  }

  history(query?: HistoryQuery): Promise<HistoryPage> {
    return this.#keep((kept) => kept.page(query))
  }

  markRead(place: HistoryCursor, options?: { readonly share?: boolean }): Promise<void> {
    return this.#keep((kept) => kept.markRead(place, options))
  }

  readPositions(): Promise<ReadonlyMap<string, number>> {
    return this.#keep((kept) => kept.positions())
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
    while (
      !(this.#links.quiet && (this.#history?.quiet ?? true)) &&
      clock.now() < untilMs &&
      this.#status !== 'closed'
    ) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, FLUSH_POLL_MS))
    }
    await this.#uplink.leave()
    this.#finish(undefined)
  }

  /** With what the server keeps: loaded when there is a use for it. Never rejects unhandled. */
  #keep<T>(use: (kept: RoomHistory) => T | Promise<T>): Promise<T> {
    this.#loading ??= this.#loadHistory()
    const used = this.#loading.then(use)
    used.catch(() => {})
    return used
  }

  /** Something may come before what is live, which waits until that is known. */
  #follow(): void {
    if (this.#history) return
    this.#hear = () => false
    this.#keep(() => {}).catch(() => {
      this.#hear = takeAtOnce
      for (const name of this.#reliable.keys()) this.#channels.drain({ name: `m:${name}` })
    })
  }

  #devicesOf(user: string): readonly PeerId[] {
    return [...this.#peers.values()].flatMap(({ id, userId }) => (userId === user ? [id] : []))
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
    const uplink = this.#uplink
    const membership = this.#membership
    const inbound = this.#inbound
    const gate = this.#gate
    uplink.on('welcome', (heard) => {
      const older = this.#coming.heard
      this.#coming.heard = undefined
      const coming = { heard: older === undefined ? heard : instead(older, heard) }
      this.#coming = coming
      inbound.alone<readonly MemberInfo[] | undefined>(
        () => {
          if (this.#coming === coming) this.#coming = { heard: undefined }
          return coming.heard && gate.welcomed(coming.heard.message.peerId, coming.heard.message.members)
        },
        (members) => {
          if (coming.heard === undefined || members === undefined) return
          const { message, how, missed } = coming.heard
          this.#welcome({ ...message, members }, how)
          this.#missed(missed)
        },
      )
    })
    uplink.on('message', (message) => this.#message(message))
    uplink.on('frame', ({ from, payload }) =>
      inbound.beside(
        payload.length,
        () => gate.open(from, payload),
        (frames) => this.#receive(from, frames),
      ),
    )
    uplink.on('writable', () => this.#links.writable())
    uplink.on('closed', (error) => inbound.run(() => this.#finish(error)))
    uplink.on('state', (state) =>
      inbound.run(() => {
        if (state === 'online') this.#setStatus('online')
        else if (this.#status === 'online') this.#offline()
      }),
    )
    membership.on('join', (info) => this.#join(info))
    membership.on('leave', ({ member, reason }) => {
      this.#leaveOf(member.id, reason)
      // Once what tells of it has been taken whole: it may be back under the same id.
      inbound.run(() => this.#gone(member.id))
    })
    membership.on('change', (info) => this.#change(info))
    membership.on('gap', () => uplink.snapshot())
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

  #receive(from: PeerId, frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.#links.receive(from, frame)
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
    const before = [...this.#links.peers.values()]
    this.#membership.welcome(message)
    for (const { id, link } of before) link.setRelay(this.#relayed(id), true)
    this.#welcomed = message
    this.#history?.welcome(message)
    if (message.history?.mail && message.access?.userId) this.#follow()
    // What was said before we came is for all who are let in.
    const over = how === 'joined' ? this.#gate.newcomers.over : undefined
    if (over === undefined) this.#ready()
    else over.then(() => this.#inbound.run(() => this.#ready()))
    // The server is back in reach: so may be those whose paths went with it.
    if (how === 'resumed') this.#links.networkChanged(true)
    if (how === 'rejoined') {
      for (const peer of this.#peers.values()) this.#events.emit('gap', { peer, reason: 'expired' })
    }
  }

  #ready(): void {
    this.#links.outbox.open()
    this.#settleReady.resolve()
  }

  #relayed(id: PeerId): boolean {
    return (
      this.#uplink.state === 'online' && this.#membership.listed(id) && this.#membership.get(id)?.presence === 'here'
    )
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

  #unsigned(from: PeerId): true {
    this.#gate.refuse(from, 'unsigned')
    return true
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

  #message(message: RoomMessage): void {
    const gate = this.#gate
    const inbound = this.#inbound
    if (inbound.full) {
      inbound.skip()
      if (message.t === 'published') this.#missed(1)
      this.#uplink.restart()
    } else if (message.t === 'joined') {
      inbound.alone(
        // Of who is not listed for it, nothing is kept.
        () => (this.#membership.awaits(message.version) ? gate.look([message.member]) : []),
        ([member = message.member]) => this.#take({ ...message, member }),
        true,
      )
    } else if (message.t === 'snapshot') {
      inbound.alone(
        () => gate.listed(message.members),
        (members) => this.#take({ ...message, members }),
        true,
      )
    } else if (message.t === 'changed' && (message.seal !== undefined || message.profile !== undefined)) {
      inbound.alone(
        () => gate.look(this.#shownAgain(message)),
        ([member]) =>
          this.#take(message.profile === undefined ? message : { ...message, profile: member?.profile ?? null }),
        true,
      )
    } else inbound.run(() => this.#take(message), message.t !== 'published')
  }

  /** A member that we know, with the keys or the profile that the server shows of it now. */
  #shownAgain({ id, seal, profile }: Pick<MemberInfo, 'id' | 'seal'> & Partial<MemberInfo>): readonly MemberInfo[] {
    const info = this.#membership.get(id)
    if (info === undefined) return []
    return [{ ...info, ...(seal === undefined ? {} : { seal }), ...(profile === undefined ? {} : { profile }) }]
  }

  #gone(id: PeerId): void {
    this.#gate.gone(id, this.#membership.get(id)?.instance)
  }

  #take(message: RoomMessage): void {
    switch (message.t) {
      case 'published':
        this.#missed(this.#channels.published(message))
        return
      case 'renewed':
        if (this.#self !== undefined && message.access !== undefined) this.#accessed(this.#self.id, message.access)
        return
      case 'joined':
      case 'changed':
      case 'left':
      case 'snapshot':
        this.#membership.apply(message)
        if (message.t === 'left') this.#gone(message.id)
        return
      case 'pong':
        if (message.version !== undefined) this.#membership.heardOf(message.version)
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
    this.#membership.offline()
    for (const { link } of this.#links.peers.values()) link.setRelay(false, false)
  }

  #join(info: MemberInfo): void {
    const self = this.#self
    if (self === undefined) return
    const peer = this.#links.add(info, self.id < info.id, this.#relayed(info.id))
    this.#introduce(info.id)
    this.#publishPeers()
    this.#events.emit('join', peer as unknown as Peer<P>)
  }

  #leaveOf(id: PeerId, reason: RoomEvents<P>['leave']['reason']): void {
    const peer = this.#links.remove(id, 'left')
    if (peer === undefined) return
    this.#channels.left(id)
    this.#latest.memberLeft(id)
    this.#publishPeers()
    this.#events.emit('leave', { peer: peer as unknown as Peer<P>, reason })
  }

  #forgotten(peer: RoomPeer<Json>): void {
    this.#gate.begunAgain(peer.id)
    this.#leaveOf(peer.id, 'lost')
    this.#join(peer.info)
  }

  #change(info: MemberInfo): void {
    const peer = this.#links.get(info.id)
    if (peer === undefined) return
    const returned = peer.presence === 'away' && info.presence === 'here'
    peer.info = info
    peer.link.setRelay(this.#relayed(info.id), returned)
    this.#changed(peer)
  }

  #changed(peer: RoomPeer<Json>): void {
    // Before it has joined for the application, nothing of it changes.
    if (!this.#peers.has(peer.id)) return
    this.#publishPeers()
    this.#events.emit('change', peer as unknown as Peer<P>)
  }

  #gap(peer: RoomPeer<Json>, reason: RoomEvents<P>['gap']['reason']): void {
    this.#events.emit('gap', { peer: peer as unknown as Peer<P>, reason })
  }

  #publishPeers(): void {
    this.#peers = new Map(this.#links.peers as unknown as ReadonlyMap<PeerId, Peer<P>>)
  }

  /** The room is over, for whatever reason. Once. */
  #finish(error: PartylineError | undefined): void {
    if (this.#status === 'closed') return
    this.#setStatus('closed')
    this.#stopListening()
    this.#inbound.close()
    this.#gate.close()
    this.#claims.here?.close()
    this.#claims.close()
    this.#links.close()
    this.#latest.close()
    this.#offers.close()
    for (const calls of this.#procedures.values()) calls.close()
    for (const channel of this.#reliable.values()) channel.close()
    this.#channels.close()
    this.#membership.close()
    this.#uplink.close(error)
    this.#peers = new Map()
    this.#settleReady.reject(error ?? new PartylineError('closed', 'The room was left before it was ready'))
    this.#settleClosed(error)
    this.#events.clear()
  }
}
