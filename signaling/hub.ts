import type { Clock } from './clock.ts'
import type { HubLog } from './hub-log.ts'
import { Addresses, addressGroup } from './limits/addresses.ts'
import type { HubOptions } from './limits/hub-options.ts'
import { spread } from './limits/spread.ts'
import type { ServerMessage } from './protocol/control.ts'
import { CLOSE } from './protocol/errors.ts'
import type { FillRandom, PeerId } from './protocol/ids.ts'
import { errorMessage, Refusal } from './refusal.ts'
import { Rooms } from './rooms/rooms.ts'
import { newTraffic, Router, type Traffic } from './router/router.ts'
import { type AfterTurn, Turns } from './router/turns.ts'
import { Connection, type ConnectionDependencies } from './sessions/connection.ts'
import type { DepartureStore } from './sessions/departures.ts'
import type { Member } from './sessions/member.ts'
import { type IceGrant, Sessions } from './sessions/sessions.ts'
import { SessionTokens } from './sessions/tokens.ts'
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
  /** Runs something once the I/O events at hand are handled. Default: `setImmediate`. */
  readonly afterTurn?: AfterTurn
}

/** What the hub holds now, and what went through it since its start. */
export interface HubStats extends Traffic {
  /** Uplinks, joined or not. */
  readonly connections: number
  readonly unjoined: number
  readonly rooms: number
  /** The away ones included. */
  readonly members: number
  readonly away: number
  /** Frames are gathered for `gatherMs` at the moment. */
  readonly loaded: boolean
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
  readonly #addresses: Addresses
  readonly #connections = new Set<Connection>()
  readonly #rooms: Rooms<Member>
  readonly #sessions: Sessions
  readonly #turns: Turns
  readonly #connectionDependencies: ConnectionDependencies
  #closing = false

  constructor(dependencies: HubDependencies) {
    const { options, clock, random, departures, iceServers } = dependencies
    this.#dependencies = dependencies
    this.#addresses = new Addresses(options.connectionsPerAddress)
    this.#rooms = new Rooms(options.roomsPerServer, random)
    const tokens = new SessionTokens(dependencies.sessionKeys)
    this.#sessions = new Sessions({ options, clock, random, tokens, departures, iceServers, rooms: this.#rooms })
    this.#turns = new Turns(clock, dependencies.afterTurn ?? ((run) => void setImmediate(run)), options)
    this.#connectionDependencies = {
      options,
      clock,
      random,
      log: dependencies.log,
      sessions: this.#sessions,
      router: new Router(options.frameBytes, this.#traffic),
      turns: this.#turns,
      traffic: this.#traffic,
      ended: (connection) => {
        this.#connections.delete(connection)
        this.#addresses.exit(connection.addressGroup)
      },
    }
  }

  accept(uplink: Uplink): UplinkHandlers {
    if (this.#closing) {
      return this.#turnAway(uplink, new Refusal('going-away', 'the server is going away', CLOSE.restart, this.#later()))
    }
    const group = addressGroup(uplink.address)
    if (!this.#addresses.enter(group)) {
      const message = `more than ${this.#dependencies.options.connectionsPerAddress} connections from one address`
      return this.#turnAway(uplink, new Refusal('too-many-connections', message, CLOSE.tryLater, this.#later()))
    }
    const connection = new Connection(this.#connectionDependencies, uplink, group)
    this.#connections.add(connection)
    return connection
  }

  /**
   * The server stops (1001) or restarts (1012): everyone is told when to come back, each at its own time, and closed.
   * No session ends: with the same keys all may resume. Nobody is accepted any more.
   */
  close(code: typeof CLOSE.goingAway | typeof CLOSE.restart): void {
    if (this.#closing) return
    this.#closing = true
    this.#sessions.stop()
    const { random } = this.#dependencies
    const leastMs = code === CLOSE.restart ? RESTART_MS : GOING_AWAY_MS
    const reason = code === CLOSE.restart ? 'the server restarts' : 'the server is going away'
    for (const connection of this.#connections) connection.end(code, reason, [], spread(leastMs, random))
    this.#turns.stop()
  }

  /** Remove a member from its room, at once; its session is over. False when there is no such member. */
  remove(roomName: string, id: PeerId): boolean {
    const member = this.#rooms.get(roomName)?.members.get(id)
    if (member === undefined) return false
    const { uplink } = member
    this.#sessions.end(member, 'removed')
    uplink?.removed()
    return true
  }

  stats(): HubStats {
    let unjoined = 0
    for (const connection of this.#connections) if (!connection.joined) unjoined += 1
    return {
      ...this.#traffic,
      connections: this.#connections.size,
      unjoined,
      rooms: this.#rooms.size,
      members: this.#sessions.members,
      away: this.#sessions.away,
      loaded: this.#turns.loaded,
    }
  }

  #later(): number {
    return spread(this.#dependencies.options.retryAfterMs, this.#dependencies.random)
  }

  #turnAway(uplink: Uplink, refusal: Refusal): UplinkHandlers {
    const { code, close = CLOSE.tryLater, retryAfterMs = 0 } = refusal
    const bye: ServerMessage = { t: 'bye', code: close, reason: code, retryAfterMs }
    uplink.send(JSON.stringify(errorMessage(refusal)))
    uplink.send(JSON.stringify(bye))
    uplink.close(close, code)
    return DEAF
  }
}

/** A restart takes about a second: sooner only adds to the storm. Clients add their own back-off. */
const RESTART_MS = 500
/** Whoever stops a server for longer has another one ready, or not. */
const GOING_AWAY_MS = 1_000
