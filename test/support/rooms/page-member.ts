/** Runs in the page: a member of a room by the built client library, and what tests ask of it. */
import type { Channel, JoinOptions, Latest, Peer, PeerStats, Procedure, Room } from 'partyline'
import { type FileTaken, noise, sha256, takeWhole } from './page-file.ts'
import { countIn, type Tally } from './tally.ts'

declare global {
  /** The member of this page, once `PageMember.join` has resolved. */
  var member: PageMember
  var pageMembers: typeof import('./page-member.ts')
}

export interface Profile {
  readonly [key: string]: string
  readonly name: string
}

export interface MemberOptions extends Pick<JoinOptions, 'paths' | 'iceTransportPolicy' | 'maxDirectPeers' | 'uplink'> {
  readonly room: string
  readonly name: string
  /** Of the TURN urls only those for this transport are used. Default: all. */
  readonly turnTransport?: 'udp' | 'tcp'
}

export interface SendPlan {
  readonly count: number
  /** So many at once, then a pause. Default 1. */
  readonly burst?: number
  /** Default 0: as fast as the window takes them. */
  readonly pauseMs?: number
  /** After `count`, until `goesOn` is set to false. Default: no. */
  readonly goesOn?: boolean
}

interface Numbered {
  readonly n: number
}

export interface Position {
  readonly x: number
}

/** What `RTCPeerConnection.getStats` says of the selected pair, whatever the library says. */
export interface SelectedPair {
  readonly local: string
  readonly relayProtocol: string
  readonly remote: string
}

const WAIT_MS = 60_000
const POLL_MS = 15

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** From here on, the page's peer connections are kept in view, and their TURN servers may be thinned out. */
function watchConnections(connections: Set<RTCPeerConnection>, turnTransport: string | undefined): void {
  const Native = globalThis.RTCPeerConnection
  if (Native === undefined) return
  const wanted = (url: string): boolean =>
    turnTransport === undefined || !url.startsWith('turn') || url.includes(`transport=${turnTransport}`)
  globalThis.RTCPeerConnection = class extends Native {
    constructor(configuration: RTCConfiguration = {}) {
      const iceServers = (configuration.iceServers ?? [])
        .map((server) => ({ ...server, urls: [server.urls].flat().filter(wanted) }))
        .filter(({ urls }) => urls.length > 0)
      super({ ...configuration, iceServers })
      connections.add(this)
    }
  }
}

export class PageMember {
  readonly room: Room<Profile>
  readonly connections: Set<RTCPeerConnection>
  /** What happened in the room, in words: `join Bo`, `path Bo direct`, `leave Bo left`. */
  readonly events: string[] = []
  readonly texts: string[] = []
  /** Numbers are sent, however many they were to be. */
  goesOn = false
  /** Numbers sent by the last `sendNumbers`. */
  sent = 0
  readonly positions: LatestSeen[] = []
  readonly #numbers: Channel<Numbered>
  readonly #talk: Channel<string>
  readonly #latest: Latest<Position>
  readonly #double: Procedure<number, number>
  /** Files that were offered here and taken whole. */
  readonly taken: FileTaken[] = []
  readonly #received = new Map<string, number[]>()
  readonly #shown = new Map<string, string>()

  private constructor(room: Room<Profile>, connections: Set<RTCPeerConnection>) {
    this.room = room
    this.connections = connections
    this.#numbers = room.channel<Numbered>('numbers')
    this.#talk = room.channel<string>('talk')
    this.#latest = room.latest<Position>('position')
    this.#double = room.procedure<number, number>('double', (question, { from }) => {
      if (question < 0) throw new Error(`nothing below zero, ${this.nameOf(from)}`)
      return question * 2
    })
    this.#numbers.on('message', ({ from, data }) => {
      const name = this.nameOf(from)
      this.#received.set(name, [...(this.#received.get(name) ?? []), data.n])
    })
    this.#talk.on('message', ({ from, data }) => this.texts.push(`${this.nameOf(from)}: ${data}`))
    this.#latest.on('value', ({ from, key, value }) =>
      this.positions.push({ from: this.nameOf(from), key, x: value.x }),
    )
    this.#talk.on('offer', async (offer) => this.taken.push(await takeWhole(offer)))
    room.on('join', (peer) => this.#note(`join ${peer.profile.name}`, peer))
    room.on('leave', ({ peer, reason }) => this.events.push(`leave ${peer.profile.name} ${reason}`))
    room.on('gap', ({ peer, reason }) => this.events.push(`gap ${peer.profile.name} ${reason}`))
    room.on('change', (peer) => this.#note('', peer))
    room.on('status', (status) => this.events.push(`status ${status}`))
    void room.ready.then(() => {
      for (const peer of room.peers.values()) this.#note(`here already ${peer.profile.name}`, peer)
    })
  }

  /** Joins by the bundle that the server serves; does not wait for the room to be ready. */
  static async enter({ room, name, turnTransport, ...options }: MemberOptions): Promise<void> {
    const connections = new Set<RTCPeerConnection>()
    watchConnections(connections, turnTransport)
    const bundle = new URL('/client/partyline.js', location.href).href
    const { joinRoom } = (await import(/* @vite-ignore */ bundle)) as typeof import('partyline')
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
    globalThis.member = new PageMember(joinRoom<Profile>(room, { ...given, profile: { name } }), connections)
  }

  nameOf(id: string): string {
    return [...this.room.peers.values()].find((peer) => peer.id === id)?.profile.name ?? `somebody (${id})`
  }

  peer(name: string): Peer<Profile> {
    const found = [...this.room.peers.values()].find(({ profile }) => profile.name === name)
    if (found === undefined) throw new Error(`${name} is not in the room: ${this.events.join(', ')}`)
    return found
  }

  has(name: string): boolean {
    return [...this.room.peers.values()].some(({ profile }) => profile.name === name)
  }

  pathTo(name: string): string {
    return this.has(name) ? this.peer(name).path : 'not in the room'
  }

  /** The statistics while this path is used: when a ping is held up, the relay steps in for a moment. */
  async statsOn(name: string, path: string): Promise<PeerStats> {
    for (;;) {
      await this.until(path, () => this.pathTo(name) === path)
      const stats = await this.peer(name).stats()
      if (stats.path === path) return stats
    }
  }

  /** Rejects, with all that happened, when the condition does not come true. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const untilMs = performance.now() + WAIT_MS
    while (!condition()) {
      if (performance.now() > untilMs) {
        const peers = [...this.room.peers.values()].map((p) => `${p.profile.name} ${p.presence} ${p.path} (${p.why})`)
        throw new Error(`not within ${WAIT_MS} ms: ${what}. Peers: ${peers.join(', ')}. ${this.events.join(', ')}`)
      }
      await pause(POLL_MS)
    }
  }

  say(text: string): void {
    this.#talk.send(text)
  }

  /** Ms from each `send` to its `delivered`, one message after another, while `goesOn` and for `least` at least. */
  async deliveryTimes(least: number, goesOn: () => boolean = () => false): Promise<number[]> {
    const times: number[] = []
    while (times.length < least || goesOn()) {
      const from = performance.now()
      const { missed } = await this.#talk.send(`delivery ${times.length}`).delivered
      if (missed.size > 0) throw new Error(`missed: ${[...missed.values()].join()}`)
      times.push(performance.now() - from)
      await pause(10)
    }
    return times
  }

  /** Offers noise to everybody here, who take it unasked. Returns its hash. */
  async offer(sizeBytes: number): Promise<string> {
    const bytes = noise(sizeBytes)
    this.#talk.offer(new Blob([bytes]), { name: `${sizeBytes} bytes of noise` })
    return sha256(bytes)
  }

  /** Sends 0, 1, … and resolves with why messages were missed, when the last was delivered: nothing, if all is well. */
  async sendNumbers({ count, burst = 1, pauseMs = 0, goesOn = false }: SendPlan): Promise<string[]> {
    const outcomes: Promise<string[]>[] = []
    this.goesOn = goesOn
    for (let n = 0; n < count || this.goesOn; n += 1) {
      this.sent = n + 1
      const sent = this.#numbers.send({ n })
      outcomes.push(
        sent.delivered.then(({ to, missed }) =>
          to.length === 0
            ? [`${n}: sent to nobody`]
            : [...missed].map(([id, why]) => `${n}: ${this.nameOf(id)} ${why}`),
        ),
      )
      await sent.accepted
      if (pauseMs > 0 && n % burst === burst - 1) await pause(pauseMs)
    }
    return (await Promise.all(outcomes)).flat()
  }

  /** How many numbers came from this member. */
  received(name: string): number {
    return this.#received.get(name)?.length ?? 0
  }

  tally(name: string): Tally {
    return countIn(this.#received.get(name) ?? [])
  }

  set(x: number, key?: string): void {
    this.#latest.set({ x }, key === undefined ? {} : { key })
  }

  position(name: string, key?: string): number | undefined {
    return this.#latest.get(this.peer(name).id, key)?.x
  }

  /** The answer, or the code and message of the error. */
  async ask(name: string, question: number): Promise<number | string> {
    try {
      return await this.#double(this.peer(name).id, question)
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string }
      return `${code}: ${message}`
    }
  }

  /** As a network would, without a word to the library. */
  closeConnections(): number {
    const open = [...this.connections].filter(({ connectionState }) => connectionState === 'connected')
    for (const connection of open) connection.close()
    return open.length
  }

  async selectedPair(): Promise<SelectedPair | undefined> {
    for (const connection of this.connections) {
      if (connection.connectionState !== 'connected') continue
      const stats: ReadonlyMap<string, Record<string, unknown>> = new Map([
        ...((await connection.getStats()) as unknown as Map<string, Record<string, unknown>>),
      ])
      const all = [...stats.values()]
      const selected = all.find(({ type }) => type === 'transport')?.selectedCandidatePairId
      // Firefox has no transport statistics, but says it on the pair.
      const pair = typeof selected === 'string' ? stats.get(selected) : all.find((one) => one.selected === true)
      if (pair === undefined) continue
      const local = stats.get(String(pair.localCandidateId))
      const remote = stats.get(String(pair.remoteCandidateId))
      return {
        local: String(local?.candidateType),
        relayProtocol: String(local?.relayProtocol ?? 'none'),
        remote: String(remote?.candidateType),
      }
    }
    return undefined
  }

  #note(what: string, peer: Peer<Profile>): void {
    const { name } = peer.profile
    if (what !== '') this.events.push(what)
    for (const [aspect, value] of [
      ['path', peer.path],
      ['presence', peer.presence],
      ['profile', JSON.stringify(peer.profile)],
    ] as const) {
      const key = `${peer.id} ${aspect}`
      if (this.#shown.get(key) === value) continue
      this.#shown.set(key, value)
      this.events.push(`${aspect} ${name} ${value}`)
    }
  }
}

export interface LatestSeen {
  readonly from: string
  readonly key: string
  readonly x: number
}
