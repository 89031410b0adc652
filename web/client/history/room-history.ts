/** What the server keeps of this room: loaded when the application first has a use for it. PROTOCOL.md, "History". */
import {
  type HistoryEntry,
  type InstanceId,
  type KeptInfo,
  type MemberInfo,
  type PeerId,
  ProtocolError,
  parseKept,
  readHistoryMessage,
  type ServerMessage,
} from '../../../signaling/protocol/index.ts'
import { decodePayload, type EncodedPayload } from '../channel/content.ts'
import type { ReliableChannel } from '../channel/reliable.ts'
import type { Clock } from '../clock.ts'
import { PartylineError } from '../errors.ts'
import type { Emitter } from '../events.ts'
import type { Message, Payload, RoomEvents, SealingMode, Sent } from '../face.ts'
import type {
  HistoryCursor,
  HistoryOptions,
  HistoryPage,
  HistoryQuery,
  StoredAt,
  StoredMessage,
} from '../face-history.ts'
import type { Gate } from '../gate.ts'
import type { Membership } from '../membership.ts'
import type { RoomChannels } from '../room-channels.ts'
import type { RoomSealing } from '../sealing/sealing.ts'
import type { Uplink, Welcome } from '../uplink/uplink.ts'
import { SEALED_BODY_BYTES, StoredBodies } from './bodies.ts'
import { LogFollower } from './follower.ts'
import { patternsFit } from './patterns.ts'
import { StoredRecords } from './records.ts'
import { type HistoryAnswer, HistoryRequests } from './requests.ts'
import { storeError } from './store-error.ts'

export interface RoomHistoryDeps {
  readonly clock: Clock
  readonly room: string
  readonly instance: InstanceId
  readonly sealing: SealingMode
  readonly history: HistoryOptions | undefined
  readonly uplink: Pick<Uplink, 'on' | 'say' | 'sendSealed' | 'parse' | 'state'>
  readonly gate: Pick<Gate, 'lock' | 'keys' | 'refuse' | 'profileOf'>
  readonly events: Pick<Emitter<RoomEvents>, 'emit'>
  readonly channels: Pick<RoomChannels, 'drain'>
  /** By name. */
  readonly open: ReadonlyMap<string, ReliableChannel<Payload>>
  readonly membership: Pick<Membership, 'listed'>
  /** Who came first comes first. */
  readonly links: { readonly peers: ReadonlyMap<PeerId, { readonly info: Pick<MemberInfo, 'instance'> }> }
  /** Ids of live messages that were taken before this was there: the last of those that follow each other, and the first. */
  readonly early: ReadonlyMap<string, string>
  /** When this member came, on the server's clock. */
  cameAtMs(): number
}

/** Of a plain body, what is not data. */
const INSIDE_BYTES = 8
const MOST_LIMIT = 256
const DEFAULT_LIMIT = 50

export class RoomHistory {
  readonly #deps: RoomHistoryDeps
  readonly #requests: HistoryRequests
  readonly #records: StoredRecords
  readonly #bodies: StoredBodies
  readonly #log: LogFollower | undefined
  #mail: LogFollower | undefined
  /** Undefined: no welcome yet. */
  #kept: KeptInfo | 'nothing' | undefined
  #userId: string | undefined
  /** How far this user has read, as the server said last: in the log, and in the mailbox. */
  readonly #read = new Map<boolean, HistoryCursor>()
  /** The newest welcome, by the number of the join that it answers: the room has copies. */
  #welcomed = -1
  #closed = false

  constructor(deps: RoomHistoryDeps) {
    this.#deps = deps
    const { clock, uplink, gate, history: wanted } = deps
    this.#requests = new HistoryRequests((message) => this.#keeps && uplink.say(message))
    this.#records = new StoredRecords({
      clock,
      transmit: (record) => this.#keeps && uplink.sendSealed({ kind: 'store' }, record),
    })
    this.#bodies = new StoredBodies({
      ...deps,
      mode: deps.sealing,
      keys: async () => {
        await gate.lock()
        return gate.keys as RoomSealing
      },
    })
    if (wanted !== undefined) this.#log = this.#follower(wanted, false)
    const { parse } = uplink
    uplink.parse = (text) => {
      const message = readHistoryMessage(text) ?? parse(text)
      this.#message(message)
      return message
    }
    uplink.on('welcome', ({ message }) => this.#heard(message))
    uplink.on('writable', () => this.#records.pump())
    uplink.on('state', (state) => {
      if (state !== 'online') this.#offline()
    })
    uplink.on('closed', (error) => this.#close(error))
    if (uplink.state === 'closed') this.#close(undefined)
  }

  /** Nothing waits to be stored. */
  get quiet(): boolean {
    return this.#records.size === 0
  }

  get cursor(): HistoryCursor | undefined {
    return this.#log?.cursor
  }

  /** The room has come to a welcome: all that came before has been taken, and nothing of what comes after. */
  welcome(message: Welcome): void {
    this.#heard(message)
    if (!this.#keeps) return
    this.#log?.welcome()
    this.#mail?.welcome()
  }

  /**
   * The uplink has heard one, or the room has come to it, whichever is first. What has no answer is repeated at once: a
   * new record that went ahead of older ones would have the server forget them.
   */
  #heard(message: Welcome): void {
    const { history, access, re } = message
    if (re <= this.#welcomed) return
    this.#welcomed = re
    try {
      this.#kept = history === undefined ? 'nothing' : parseKept(history)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#kept = 'nothing'
    }
    if (this.#kept === 'nothing') {
      const error = storeError('not-kept')
      this.#requests.fail(error)
      this.#records.fail(error)
      this.#drain()
      return
    }
    this.#userId = access?.userId
    if (this.#kept.mail && this.#userId !== undefined) this.#mail ??= this.#follower({}, true)
    this.#requests.welcome()
    this.#records.welcome()
  }

  /** A message came live on a channel. False: not now. */
  readonly hear = (channel: Pick<ReliableChannel<Payload>, 'name' | 'take'>, message: Message<unknown>): boolean => {
    const { name } = channel
    const { id, direct, from } = message
    const take = (): boolean => channel.take(message as Message<Payload>)
    const follower = direct ? this.#mail : this.#log
    const kept = this.#kept
    // The welcome says.
    if (kept === undefined) return this.#log === undefined && take()
    if (follower === undefined || kept === 'nothing' || !patternsFit(name, kept.channels)) return take()
    // Nothing of it is stored, and it has the ids of that one's messages.
    if (this.#borrows(from)) return take()
    return follower.live(name, id, take)
  }

  /**
   * Whether a member shows an instance that another one showed before, which is proven in a sealed room. One that the
   * server does not list may be the same, which has come back while its direct path kept it.
   */
  #borrows(from: PeerId): boolean {
    const { links, membership, sealing } = this.#deps
    const instance = sealing === 'open' ? links.peers.get(from)?.info.instance : undefined
    if (instance === undefined) return false
    for (const [id, { info }] of links.peers) {
      if (id === from) return false
      if (info.instance === instance && membership.listed(id)) return true
    }
    return false
  }

  /** A channel takes messages (again). */
  work(): void {
    this.#log?.work()
    this.#mail?.work()
  }

  /** Resolves with its place in the log; in the mailbox of `user`, with nothing. */
  async store(
    name: string,
    { id, accepted }: Pick<Sent, 'id' | 'accepted'>,
    { content, body }: EncodedPayload,
    sentAtMs: number,
    user: string | undefined,
    isAlone: boolean,
  ): Promise<HistoryCursor | undefined> {
    if (!isAlone) throw new PartylineError('bad-argument', 'store, or user: alone, and not on a signed channel')
    if (this.#closed) throw storeError('closed')
    const kept = this.#kept
    if (kept === 'nothing') throw storeError('not-kept')
    const [, channel = '', number = ''] = id.split('-')
    const ordinal = Number(number.replace('u', ''))
    const place = { channel: Number(channel), ordinal, name, user }
    const bytes = body.length + INSIDE_BYTES + (this.#deps.sealing === 'open' ? 0 : SEALED_BODY_BYTES)
    if (kept !== undefined && bytes > kept.bodyBytes) throw storeError('too-large')
    if (content > 2) throw storeError('internal')
    const plain = { content: content as 0, sentAtMs: Math.floor(sentAtMs), data: body }
    return this.#records.put(place, bytes, this.#bodies.seal(place, plain), accepted)
  }

  async page({ before, limit = DEFAULT_LIMIT, mail = false }: HistoryQuery = {}): Promise<HistoryPage> {
    if (!Number.isInteger(limit) || limit < 0 || limit > MOST_LIMIT) {
      throw new PartylineError('bad-argument', `limit: expected an integer from 0 to ${MOST_LIMIT}`)
    }
    this.#ensure()
    const question = {
      ...{ limit, mail },
      ...(before === undefined ? {} : { before: checkCursor('before', before).offset, epoch: before.epoch }),
    }
    const { epoch, entries, more, next, position = 0, unread = 0 } = await this.#requests.page(question)
    if (before !== undefined && before.epoch !== epoch) throw storeError('forgotten')
    const opened = epoch === undefined ? [] : await Promise.all(entries.map((entry) => this.#open(entry, epoch, mail)))
    const place = (offset: number): HistoryCursor | undefined => (epoch === undefined ? undefined : { epoch, offset })
    return {
      messages: opened.filter((message) => message !== undefined),
      before: more ? place(entries[0]?.offset ?? next) : undefined,
      newest: place(next - 1),
      position,
      unread,
    }
  }

  /** This user has read so far. */
  async markRead(place: HistoryCursor & Partial<StoredAt>, { share = false } = {}): Promise<void> {
    this.#ensure()
    const { epoch, offset } = checkCursor('place', place)
    const mail = place.mail === true
    await this.#requests.ask({ t: 'read', epoch, offset, mail, share })
    const known = this.#read.get(mail)
    if (known?.epoch !== epoch || known.offset < offset) this.#read.set(mail, { epoch, offset })
  }

  async positions(): Promise<ReadonlyMap<string, number>> {
    this.#ensure()
    const answer = await this.#requests.ask({ t: 'positions' })
    return new Map(answer.t === 'positions' ? answer.of.map(({ userId, offset }) => [userId, offset]) : [])
  }

  /** What came live meanwhile on a channel, or on all. */
  #drain(name?: string): void {
    const { open, channels } = this.#deps
    for (const each of name === undefined ? open.keys() : [name]) channels.drain({ name: `m:${each}` })
  }

  get #keeps(): boolean {
    return this.#kept !== undefined && this.#kept !== 'nothing'
  }

  #ensure(): void {
    if (this.#kept === 'nothing') throw storeError('not-kept')
  }

  #follower(wanted: HistoryOptions, mail: boolean): LogFollower {
    const { clock, events, instance, open, early, cameAtMs } = this.#deps
    return new LogFollower(
      {
        clock,
        early,
        cameAtMs,
        mail,
        ask: async (question) => {
          const page = await this.#requests.page(mail ? { ...question, mail } : question, false)
          this.#readElsewhere(page, mail)
          return page
        },
        open: (entry, epoch) => this.#open(entry, epoch, mail),
        opened: (name) => open.has(name),
        hand: (message) => open.get(message.channel)?.take(message as Message<Payload>) ?? false,
        own: (id) => id.startsWith(`${instance}-`),
        release: (name) => this.#drain(name),
        forgotten: (reason) => mail || events.emit('forgotten', { reason }),
        missed: (messages) => events.emit('missed', { messages }),
      },
      wanted,
    )
  }

  #message(told: ServerMessage): void {
    switch (told.t) {
      case 'history':
      case 'positions':
      case 'ok':
      case 'error':
        this.#requests.answer(told)
        return
      case 'pong':
        this.#requests.ponged()
        return
      case 'stored':
        this.#records.answered(told.epoch, told.of)
        this.#ownStored(told)
        return
      case 'logged':
        ;(told.mail ? this.#mail : this.#log)?.logged(told.epoch, told.of)
        return
      case 'position': {
        const { userId, epoch, offset, mail = false } = told
        if (userId === this.#userId) this.#read.set(mail, { epoch, offset })
        this.#deps.events.emit('read', { userId, epoch, offset, mail })
        return
      }
      default:
    }
  }

  /** This user may have read on at another device while we were out of reach: nobody has told us then. */
  #readElsewhere({ epoch = '', position = 0 }: HistoryAnswer, mail: boolean): void {
    const userId = this.#userId
    if (userId === undefined) return
    const known = this.#read.get(mail)
    this.#read.set(mail, { epoch, offset: position })
    const before = known?.epoch === epoch ? known.offset : 0
    if (known !== undefined && position > before) {
      this.#deps.events.emit('read', { userId, epoch, offset: position, mail })
    }
  }

  /** Of mail, nothing is told here that it would need to know. */
  #ownStored({ epoch, of }: { readonly epoch?: string; readonly of: readonly { readonly offset?: number }[] }): void {
    const id = `${this.#deps.instance}-`
    const places = of.flatMap(({ offset }) => (offset === undefined ? [] : [{ offset, id }]))
    if (epoch !== undefined && places.length > 0) this.#log?.logged(epoch, places)
  }

  async #open(entry: HistoryEntry, epoch: string, mail: boolean): Promise<StoredMessage | undefined> {
    const { id, from = 'server' as PeerId, channel, offset, atMs, userId, profile } = entry
    const { gate } = this.#deps
    if (this.#deps.open.get(channel)?.signed) {
      gate.refuse(from, 'unsigned')
      return undefined
    }
    const body = fromBase64(entry.base64)
    const plain = body && (await this.#bodies.open(entry, mail ? this.#userId : undefined, body))
    if (plain === undefined) return undefined
    if (typeof plain === 'string') {
      if (plain !== 'protocol') gate.refuse(from, plain)
      return undefined
    }
    try {
      const stored = {
        epoch,
        offset,
        atMs,
        userId,
        profile: profile && (await gate.profileOf(id.slice(0, 32) as InstanceId, profile)),
        mail,
      }
      const data = decodePayload(plain.content, plain.data)
      return { id, from, data, sentAtMs: plain.sentAtMs, direct: mail, channel, stored }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return undefined
    }
  }

  #offline(): void {
    this.#requests.offline()
    this.#log?.offline()
    this.#mail?.offline()
  }

  #close(error: PartylineError | undefined): void {
    this.#closed = true
    const over = error ?? storeError('closed')
    this.#requests.fail(over, true)
    this.#records.fail(over)
    this.#log?.close()
    this.#mail?.close()
  }
}

/** Undefined: it is none. */
function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0))
  } catch {
    return undefined
  }
}

function checkCursor(name: string, cursor: HistoryCursor): HistoryCursor {
  const { epoch, offset } = cursor ?? {}
  if (typeof epoch !== 'string' || !Number.isSafeInteger(offset) || offset < 0) {
    throw new PartylineError('bad-argument', `${name}: expected an epoch and an offset`)
  }
  return cursor
}
