import { randomBytes } from 'node:crypto'
import {
  ENVELOPE,
  ENVELOPE_BYTES,
  messageRecord,
  type PeerId,
  subprotocolsFor,
  writeEnvelope,
} from '../../../signaling/protocol/index.ts'
import { httpCarrier, type MemberPlace, type RelayName } from './contestants.ts'
import { PAYLOAD_BYTES } from './payload.ts'
import { BINARY, clientFrame, TEXT } from './raw-socket.ts'

export interface Hello {
  readonly path: string
  readonly subprotocols: readonly string[]
  /** Over plain HTTP instead: the carrier, and what opens it. */
  readonly http?: { readonly carrier: 'sse' | 'long-poll'; readonly first: Uint8Array }
}

/** How one member speaks to one kind of server. Kept over reconnections. */
export interface Dialect {
  /** For each connection. */
  hello(): Hello
  /** Frames to send as soon as the connection is open. */
  opened(): readonly Buffer[]
  /** One message of the server. Calls `each` with where every payload in it begins. Returns whether we are in, when it says so. */
  take(text: boolean, bytes: Buffer, start: number, end: number, each: (start: number) => void): 'in' | undefined
  /** To answer what came last, a heartbeat for instance. */
  answer(): Buffer | undefined
  toRoom(payload: string): Buffer
  toMember(payload: string, other: Dialect): Buffer
}

export function dialectOf(relay: RelayName, place: MemberPlace, recovery: boolean): Dialect {
  const carrier = httpCarrier(relay)
  if (relay === 'ours' || carrier !== undefined) return new Ours(place, carrier)
  if (relay === 'socket.io') return new SocketIo(place, recovery)
  if (relay === 'peerjs') return new PeerJs(place)
  return new Plain(place)
}

function textAfter(json: string, key: string): string {
  const at = json.indexOf(key)
  if (at < 0) throw new Error(`no ${key} in ${json}`)
  return json.slice(at + key.length, json.indexOf('"', at + key.length))
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

class Ours implements Dialect {
  readonly #room: string
  readonly #carrier: 'sse' | 'long-poll' | undefined
  readonly #instance = hex(16)
  readonly #joinKey = hex(16)
  #token: string | undefined
  #id: PeerId | undefined
  #answer: Buffer | undefined

  constructor({ room }: MemberPlace, carrier: 'sse' | 'long-poll' | undefined) {
    this.#room = `room-${room}`
    this.#carrier = carrier
  }

  hello(): Hello {
    const join = {
      ...{ t: 'join', id: 1, vMin: 1, vMax: 1, room: this.#room, profile: null },
      ...{ instance: this.#instance, joinKey: this.#joinKey },
      ...(this.#token === undefined ? {} : { token: this.#token }),
    }
    const text = JSON.stringify(join)
    if (this.#carrier === undefined) return { path: '/ws', subprotocols: subprotocolsFor(text) }
    return { path: '/uplink', subprotocols: [], http: { carrier: this.#carrier, first: messageRecord(text) } }
  }

  opened(): readonly Buffer[] {
    return []
  }

  take(text: boolean, bytes: Buffer, start: number, end: number, each: (start: number) => void): 'in' | undefined {
    if (!text) {
      // Envelopes of the server are all alike but in length.
      for (let at = start; at < end; at += ENVELOPE_BYTES + bytes.readUInt32BE(at + 4)) each(at + ENVELOPE_BYTES)
      return undefined
    }
    // Events of the room are many, and not read.
    const type = bytes.toString('latin1', start, Math.min(end, start + 12))
    if (type.startsWith('{"t":"error"')) throw new Error(bytes.toString('utf8', start, end))
    if (!type.startsWith('{"t":"welcom')) return undefined
    // Not parsed: it names all members, and the generator has thousands to read.
    const welcome = bytes.toString('latin1', start, end)
    this.#id = textAfter(welcome, '"peerId":"') as PeerId
    this.#token = textAfter(welcome, '"token":"')
    // As clients do: who says nothing after its join is soon taken for gone when its uplink ends.
    this.#answer = this.#framed('{"t":"ping","n":1}')
    return 'in'
  }

  answer(): Buffer | undefined {
    const answer = this.#answer
    this.#answer = undefined
    return answer
  }

  toRoom(payload: string): Buffer {
    return this.#envelope({ kind: 'all' }, payload)
  }

  toMember(payload: string, other: Dialect): Buffer {
    const id = other instanceof Ours ? other.#id : undefined
    if (id === undefined) throw new Error('the other is not in')
    return this.#envelope({ kind: 'one', id }, payload)
  }

  #envelope(address: { kind: 'all' } | { kind: 'one'; id: PeerId }, payload: string): Buffer {
    const bytes = Buffer.alloc(ENVELOPE_BYTES + payload.length)
    writeEnvelope(bytes, 0, address, Buffer.from(payload, 'latin1'))
    if (bytes[0] !== ENVELOPE[address.kind]) throw new Error('not an envelope')
    return this.#framed(bytes)
  }

  #framed(message: string | Uint8Array): Buffer {
    if (this.#carrier !== undefined) return Buffer.from(messageRecord(message))
    return typeof message === 'string' ? clientFrame(TEXT, Buffer.from(message)) : clientFrame(BINARY, message)
  }
}

/**
 * Bare uWebSockets.js and ws: a byte 0 is for the room, 1 and 4 bytes are for that member; the server sends the whole
 * message on. Its first message says that we are in.
 */
class Plain implements Dialect {
  readonly #place: MemberPlace

  constructor(place: MemberPlace) {
    this.#place = place
  }

  hello(): Hello {
    return { path: `/?room=${this.#place.room}&id=${this.#place.index}`, subprotocols: [] }
  }

  opened(): readonly Buffer[] {
    return []
  }

  take(text: boolean, bytes: Buffer, start: number, _end: number, each: (start: number) => void): 'in' | undefined {
    if (text) return 'in'
    each(start + (bytes[start] === 0 ? 1 : 5))
    return undefined
  }

  answer(): undefined {
    return undefined
  }

  toRoom(payload: string): Buffer {
    return clientFrame(BINARY, Buffer.from(`\0${payload}`, 'latin1'))
  }

  toMember(payload: string, other: Dialect): Buffer {
    if (!(other instanceof Plain)) throw new Error('of another kind')
    const bytes = Buffer.alloc(5 + payload.length)
    bytes[0] = 1
    bytes.writeUInt32BE(other.#place.index, 1)
    bytes.write(payload, 5, 'latin1')
    return clientFrame(BINARY, bytes)
  }
}

const text = (message: string): Buffer => clientFrame(TEXT, Buffer.from(message, 'latin1'))

/** Engine.IO 4 with Socket.IO 5 on it, by WebSocket from the beginning. */
class SocketIo implements Dialect {
  readonly #place: MemberPlace
  readonly #recovery: boolean
  #privateId: string | undefined
  #offset: string | undefined
  #answer: Buffer | undefined

  constructor(place: MemberPlace, recovery: boolean) {
    this.#place = place
    this.#recovery = recovery
  }

  hello(): Hello {
    const { room, index } = this.#place
    return { path: `/socket.io/?EIO=4&transport=websocket&room=${room}&id=${index}`, subprotocols: [] }
  }

  opened(): readonly Buffer[] {
    return []
  }

  take(_text: boolean, bytes: Buffer, start: number, end: number, each: (start: number) => void): 'in' | undefined {
    const kind = bytes[start] as number
    if (kind === 0x30) {
      const before = this.#privateId === undefined ? '' : JSON.stringify({ pid: this.#privateId, offset: this.#offset })
      this.#answer = text(`40${before}`)
    } else if (kind === 0x32) {
      this.#answer = text('3')
    } else if (kind === 0x34 && bytes[start + 1] === 0x30) {
      if (this.#recovery)
        this.#privateId = (JSON.parse(bytes.toString('latin1', start + 2, end)) as { pid: string }).pid
      return 'in'
    } else if (kind === 0x34 && bytes[start + 1] === 0x32) {
      // 42["m","…"] or, with recovery, 42["m","…","offset"].
      each(start + 8)
      if (this.#recovery) this.#offset = bytes.toString('latin1', start + 8 + PAYLOAD_BYTES + 3, end - 2)
    }
    return undefined
  }

  answer(): Buffer | undefined {
    const answer = this.#answer
    this.#answer = undefined
    return answer
  }

  toRoom(payload: string): Buffer {
    return text(`42["m","${payload}"]`)
  }

  toMember(payload: string, other: Dialect): Buffer {
    if (!(other instanceof SocketIo)) throw new Error('of another kind')
    return text(`42["d","${payload}",${other.#place.index}]`)
  }
}

/** PeerJS's server, whose messages of kind CANDIDATE carry anything. */
class PeerJs implements Dialect {
  readonly #place: MemberPlace

  constructor(place: MemberPlace) {
    this.#place = place
  }

  hello(): Hello {
    return { path: `/peerjs?key=peerjs&id=m${this.#place.index}&token=t&version=1.5.5`, subprotocols: [] }
  }

  opened(): readonly Buffer[] {
    return []
  }

  take(_text: boolean, bytes: Buffer, start: number, end: number, each: (start: number) => void): 'in' | undefined {
    const found = bytes.subarray(start, end).indexOf('"payload":"', 0, 'latin1')
    if (found >= 0) {
      each(start + found + 11)
      return undefined
    }
    return bytes.toString('latin1', start, end).includes('"OPEN"') ? 'in' : undefined
  }

  answer(): undefined {
    return undefined
  }

  toRoom(): Buffer {
    throw new Error("PeerJS's server has no rooms")
  }

  toMember(payload: string, other: Dialect): Buffer {
    if (!(other instanceof PeerJs)) throw new Error('of another kind')
    return text(`{"type":"CANDIDATE","payload":"${payload}","dst":"m${other.#place.index}"}`)
  }
}
