import {
  type ClientMessage,
  type InstanceId,
  type Json,
  type PeerId,
  VERSION,
} from '../../../signaling/protocol/index.ts'
import type { Access } from './access.ts'
import type { UplinkEvents, UplinkOptions, Welcome } from './contract.ts'
import type { Credentials } from './credentials.ts'

/** What joins say in a room that is sealed. */
export interface SealedJoin {
  /** Of the keys. */
  readonly announcement: string
  /** As it is to be shown. */
  readonly profile: Json
  /** Default: that of the options. */
  readonly instance?: InstanceId
}

/** Who this client is to the server, over all its carriers: what its joins say, and what welcomes make of it. */
export class Session {
  /** What the server has, or is told with the next join. */
  profile: Json
  readonly #options: Pick<UplinkOptions, 'room' | 'instance' | 'joinKey'>
  readonly #credentials: Pick<Credentials, 'token'>
  readonly #access: Pick<Access, 'token'>
  /** Absent in an open room. */
  #sealed: SealedJoin | undefined
  #peerId: PeerId | undefined
  #epoch = ''
  /** The number of the last message from a backend. */
  #published = 0

  constructor(
    options: Pick<UplinkOptions, 'room' | 'instance' | 'joinKey' | 'profile'>,
    credentials: Pick<Credentials, 'token'>,
    access: Pick<Access, 'token'>,
  ) {
    this.#options = options
    this.#credentials = credentials
    this.#access = access
    this.profile = options.profile
  }

  seal(sealed: SealedJoin): void {
    this.#sealed = sealed
    this.profile = sealed.profile
  }

  /** The server has let us in before. */
  get begun(): boolean {
    return this.#peerId !== undefined
  }

  /** The last message from a backend that came, for the server. */
  get seen(): number | undefined {
    return this.#published || undefined
  }

  /** What is undefined does not come into the JSON. */
  join(id: number): ClientMessage {
    const { room, joinKey } = this.#options
    const { token } = this.#credentials
    const access = this.#access.token
    return {
      t: 'join',
      id,
      vMin: VERSION.min,
      vMax: VERSION.max,
      room,
      profile: this.profile,
      instance: this.#sealed?.instance ?? this.#options.instance,
      joinKey,
      token,
      access,
      seal: this.#sealed?.announcement,
      published: this.seen,
    }
  }

  welcomed({ peerId, epoch, published = 0 }: Welcome): Pick<UplinkEvents['welcome'], 'how' | 'missed'> {
    const how = this.#peerId === undefined ? 'joined' : this.#peerId === peerId ? 'resumed' : 'rejoined'
    const continued = how === 'resumed' && epoch === this.#epoch
    const missed = continued ? Math.max(0, published - this.#published) : 0
    if (!continued || missed > 0) this.#published = published
    this.#peerId = peerId
    this.#epoch = epoch
    return { how, missed }
  }

  /** A message from a backend came. False: it had come before. */
  takes(n: number): boolean {
    if (n <= this.#published) return false
    this.#published = n
    return true
  }
}
