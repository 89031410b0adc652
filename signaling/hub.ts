import type { Access } from './access/access-tokens.ts'
import { Users } from './access/users.ts'
import type { Clock } from './clock.ts'
import { BackendHistory } from './history/backend-history.ts'
import { MemoryCells } from './history/cells.ts'
import { type HistoryCounts, HistoryDesk } from './history/desk.ts'
import { LogStore } from './history/log-store.ts'
import type { HistoryRule } from './history/rules.ts'
import type { HistoryStats, HistoryStore } from './history/store.ts'
import type { HubLog } from './hub-log.ts'
import { Addresses, addressGroup } from './limits/addresses.ts'
import type { HubOptions } from './limits/hub-options.ts'
import { spread } from './limits/spread.ts'
import { type Happened, Occurrences } from './metrics/occurrences.ts'
import type { LinkPaths, ServerMessage } from './protocol/control.ts'
import { CLOSE } from './protocol/errors.ts'
import type { FillRandom, PeerId } from './protocol/ids.ts'
import { errorMessage, Refusal } from './refusal.ts'
import { Directory } from './rooms/directory.ts'
import { Rooms } from './rooms/rooms.ts'
import { newTraffic, Router, type Traffic } from './router/router.ts'
import { type AfterTurn, Turns } from './router/turns.ts'
import { Connection, type ConnectionDependencies } from './sessions/connection.ts'
import type { DepartureStore } from './sessions/departures.ts'
import type { Member } from './sessions/member.ts'
import { type IceGrant, Sessions } from './sessions/sessions.ts'
import { SessionTokens } from './sessions/tokens.ts'
import type { SessionWatcher } from './sessions/watcher.ts'
import type { Uplink, UplinkAcceptor, UplinkHandlers } from './uplink.ts'

export interface HubDependencies {
  readonly options: HubOptions
  readonly clock: Clock
  readonly random: FillRandom
  readonly log: HubLog
  /** Keys of session tokens, 32 bytes or more each: the first signs, all verify. */
  readonly sessionKeys: readonly Uint8Array[]
  /** Called for every welcome and renewal; the credentials in it are for this member. */
  readonly iceServers: (id: PeerId) => IceGrant
  /** Whoever made it closes it, after the hub. */
  readonly departures: DepartureStore
  /** Asked about every join. Default: everyone may do everything. */
  readonly access?: Access | undefined
  /** What is kept, and where; whoever made the store closes it, after the hub. Default: nothing is kept. */
  readonly history?: { readonly rules: readonly HistoryRule[]; readonly store: HistoryStore } | undefined
  /** Told of who comes and goes. */
  readonly watcher?: SessionWatcher | undefined
  /** Runs something once the I/O events at hand are handled. Default: `setImmediate`. */
  readonly afterTurn?: AfterTurn
}

/** What the hub holds now, and what went through it since its start. */
export interface HubStats extends Traffic, Happened {
  /** Uplinks, joined or not. */
  readonly connections: number
  readonly unjoined: number
  /** Uplinks that have joined, by carrier. */
  readonly carriers: Readonly<Record<Uplink['carrier'], number>>
  /** Links by path, as the members told last; a link of two members who both tell is counted twice. */
  readonly links: LinkPaths
  readonly rooms: number
  /** The away ones included. */
  readonly members: number
  readonly away: number
  /** Frames are gathered for `gatherMs` at the moment. */
  readonly loaded: boolean
  readonly history: HistoryCounts & HistoryStats
}

/** Handlers of an uplink that was turned away. */
const DEAF: UplinkHandlers = Object.freeze({ text() {}, binary() {}, drained() {}, closed() {} })

/**
 * Rooms, sessions and forwarding, behind whatever carries uplinks. No I/O of its own.
 * @throws RangeError when `sessionKeys` are missing or short
 */
export class Hub implements UplinkAcceptor {
  readonly #dependencies: HubDependencies
  readonly #traffic = newTraffic()
  readonly #occurrences = new Occurrences()
  readonly #addresses: Addresses
  readonly #connections = new Set<Connection>()
  readonly #rooms: Rooms<Member>
  readonly #sessions: Sessions
  readonly #turns: Turns
  readonly #connectionDependencies: ConnectionDependencies
  readonly #tokens: SessionTokens
  readonly #history: HistoryDesk<Member>
  readonly #store: HistoryStore
  /** What backends and operators may see and do. */
  readonly directory: Directory
  readonly backendHistory: BackendHistory
  #options: HubOptions
  /** Set when the server goes away: the least time after which there may be another. */
  #returnMs: number | undefined

  constructor(dependencies: HubDependencies) {
    const { options, clock, random, departures, iceServers } = dependencies
    this.#dependencies = dependencies
    this.#options = options
    // Whoever asks is told what holds now: see `reconfigure`.
    const present = (): HubOptions => this.#options
    this.#addresses = new Addresses(options.connectionsPerAddress)
    this.#rooms = new Rooms(options.roomsPerServer, random)
    const tokens = new SessionTokens(dependencies.sessionKeys)
    this.#tokens = tokens
    const users = new Users<Member>()
    const { watcher, log } = dependencies
    const { rules, store } = dependencies.history ?? nothingKept(clock, random)
    this.#store = store
    const history = new HistoryDesk<Member>({
      ...{ store, rules, clock, frameBytes: options.frameBytes },
      stored: (notice) => watcher?.stored?.(notice),
      failed: (error) => log.error({ err: error }, 'what was to be kept met a defect'),
    })
    this.#history = history
    this.backendHistory = new BackendHistory({
      ...{ store, rules, clock, random },
      added: (name, epoch, offset, { id, channel }) =>
        history.added(name, epoch, offset, { id, channel, from: undefined, userId: undefined }),
      cleared: (name) => history.cleared(name),
    })
    this.#sessions = new Sessions({
      get options() {
        return present()
      },
      ...{ clock, random, tokens, departures, iceServers, rooms: this.#rooms, users },
      keep: (member, record) => history.take(member, record),
      watcher: {
        opened: (room) => watcher?.opened(room),
        emptied: (room) => watcher?.emptied(room),
        joined: (member, resumed) => watcher?.joined(member, resumed),
        left: (member, reason) => {
          history.left(member)
          watcher?.left(member, reason)
        },
      },
    })
    this.directory = new Directory({ clock, random, rooms: this.#rooms, sessions: this.#sessions, users })
    this.#turns = new Turns(clock, dependencies.afterTurn ?? ((run) => void setImmediate(run)), options)
    this.#connectionDependencies = {
      get options() {
        return present()
      },
      clock,
      random,
      log: dependencies.log,
      sessions: this.#sessions,
      router: new Router(options, this.#traffic, this.#turns),
      turns: this.#turns,
      traffic: this.#traffic,
      occurrences: this.#occurrences,
      history,
      access: dependencies.access,
      ended: (connection) => {
        this.#connections.delete(connection)
        this.#addresses.exit(connection.addressGroup)
      },
    }
  }

  accept(uplink: Uplink, first?: string): UplinkHandlers {
    if (this.#returnMs !== undefined) {
      // As those were told who were here: some of them are back before this server is gone.
      const retryAfterMs = spread(this.#returnMs, this.#dependencies.random)
      return this.#turnAway(uplink, new Refusal('going-away', 'the server is going away', CLOSE.restart, retryAfterMs))
    }
    const group = addressGroup(uplink.address)
    if (!this.#addresses.enter(group)) {
      const message = `more than ${this.#options.connectionsPerAddress} connections from one address`
      return this.#turnAway(uplink, new Refusal('too-many-connections', message, CLOSE.tryLater, this.#later()))
    }
    const connection = new Connection(this.#connectionDependencies, uplink, group)
    this.#connections.add(connection)
    if (first !== undefined) connection.offered(first)
    return connection
  }

  /**
   * The server stops (1001) or restarts (1012): everyone is told when to come back, each at its own time, and closed.
   * No session ends: with the same keys all may resume. Nobody is accepted any more.
   */
  close(code: typeof CLOSE.goingAway | typeof CLOSE.restart): void {
    if (this.#returnMs !== undefined) return
    this.#sessions.stop()
    const { random } = this.#dependencies
    const leastMs = Math.max(
      code === CLOSE.restart ? RESTART_MS : GOING_AWAY_MS,
      this.#connections.size / RETURNS_PER_MS,
    )
    this.#returnMs = leastMs
    const reason = code === CLOSE.restart ? 'the server restarts' : 'the server is going away'
    for (const connection of this.#connections) connection.end(code, reason, [], spread(leastMs, random))
    this.#turns.stop()
    this.#history.stop()
  }

  /**
   * Change limits and keys while everything runs; nobody is dropped. Members keep the rates they were told until they
   * come again. `frameBytes`, `packetBytes` and `profileBytes` belong to what members were promised: they stay.
   * @throws RangeError as the constructor, having changed nothing
   */
  reconfigure({ options, sessionKeys }: Pick<HubDependencies, 'options' | 'sessionKeys'>): void {
    this.#tokens.useKeys(sessionKeys)
    const { frameBytes, packetBytes, profileBytes, holdBytes } = this.#options
    this.#options = { ...options, frameBytes, packetBytes, profileBytes, holdBytes }
    this.#addresses.allow(options.connectionsPerAddress)
    this.#sessions.allowPerAddress(options.connectionsPerAddress)
    this.#rooms.allow(options.roomsPerServer)
  }

  /** Remove a member from its room, at once; its session is over. False when there is no such member. */
  remove(roomName: string, id: PeerId): boolean {
    return this.directory.remove(roomName, id)
  }

  stats(): HubStats {
    let unjoined = 0
    const carriers = { websocket: 0, sse: 0, 'long-poll': 0, 'short-poll': 0 }
    const links = { direct: 0, turn: 0, relay: 0 }
    for (const { joined, uplink, paths } of this.#connections) {
      if (joined) carriers[uplink.carrier] += 1
      else unjoined += 1
      links.direct += paths?.direct ?? 0
      links.turn += paths?.turn ?? 0
      links.relay += paths?.relay ?? 0
    }
    return {
      ...this.#traffic,
      ...this.#occurrences.all,
      connections: this.#connections.size,
      unjoined,
      carriers,
      links,
      rooms: this.#rooms.size,
      members: this.#sessions.members,
      away: this.#sessions.away,
      loaded: this.#turns.loaded,
      history: { ...this.#history.counts, ...this.#store.stats },
    }
  }

  #later(): number {
    return spread(this.#options.retryAfterMs, this.#dependencies.random)
  }

  #turnAway(uplink: Uplink, refusal: Refusal): UplinkHandlers {
    const { code, close = CLOSE.tryLater, retryAfterMs = 0 } = refusal
    const bye: ServerMessage = { t: 'bye', code: close, reason: code, retryAfterMs }
    this.#occurrences.refused(code)
    this.#occurrences.closed(close)
    uplink.send(JSON.stringify(errorMessage(refusal)))
    uplink.send(JSON.stringify(bye))
    uplink.close(close, code)
    return DEAF
  }
}

/** Nothing is ever handed to this store. */
const nothingKept = (
  clock: Clock,
  random: FillRandom,
): { readonly rules: readonly []; readonly store: HistoryStore } => ({
  rules: [],
  store: new LogStore({
    cells: new MemoryCells(),
    nowMs: () => clock.nowMs(),
    random,
    bounds: () => undefined,
    mostBytes: 0,
    failed: () => undefined,
  }),
})

/** A restart takes about a second, and who finds nobody yet asks again within 0.5 s. Clients add their own back-off. */
const RESTART_MS = 300
/** Whoever stops a server for longer has another one ready, or not. */
const GOING_AWAY_MS = 1_000
/** What a server takes on while it goes on forwarding; a core can do some thirty joins a ms. */
const RETURNS_PER_MS = 5
