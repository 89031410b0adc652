/** A TURN client over UDP, TCP or TLS: allocations, permissions, channels and data, with long-term credentials. */
import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { isIPv6, type Socket, connect as tcpConnect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { formatIp, parseIp } from '../../turn/address.ts'
import {
  ATTRIBUTE,
  type Attribute,
  decode,
  decodeXorAddress,
  encode,
  encodeXorAddress,
  errorCode,
  indicationType,
  isError,
  longTermKey,
  type Method,
  newTransactionId,
  requestType,
  type StunMessage,
  uint32,
} from './stun-message.ts'

/** The server answered with an error. */
export class TurnRefusal extends Error {
  readonly code: number
  constructor(method: Method, code: number) {
    super(`${method} was refused with ${code}`)
    this.code = code
  }
}

export interface TurnClientSettings {
  readonly transport?: 'udp' | 'tcp' | 'tls'
  readonly address?: string
  readonly port: number
  readonly username: string
  readonly credential: string
}

interface Wire {
  send(bytes: Buffer): void
  close(): void
}

/** A limit for what never comes. */
const ANSWER_MS = 15_000

async function openUdp(address: string, port: number, receive: (bytes: Buffer) => void): Promise<Wire> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('message', receive)
  socket.on('error', () => {})
  socket.connect(port, address)
  await once(socket, 'connect')
  return { send: (bytes) => socket.send(bytes), close: () => socket.close() }
}

async function openStream(socket: Socket, ready: string, receive: (bytes: Buffer) => void): Promise<Wire> {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 20 && rest.length >= 20 + rest.readUInt16BE(2)) {
      const end = 20 + rest.readUInt16BE(2)
      receive(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  })
  await once(socket, ready)
  socket.on('error', () => {})
  return { send: (bytes) => void socket.write(bytes), close: () => socket.destroy() }
}

export class TurnClient {
  readonly #settings: TurnClientSettings
  readonly #answers = new EventEmitter()
  readonly #data = new EventEmitter()
  #wire: Wire | undefined
  #realm = ''
  #nonce: Buffer = Buffer.alloc(0)

  private constructor(settings: TurnClientSettings) {
    this.#settings = settings
  }

  static async connect(settings: TurnClientSettings): Promise<TurnClient> {
    const client = new TurnClient(settings)
    const { transport = 'udp', address = '127.0.0.1', port } = settings
    const receive = (bytes: Buffer): void => client.#receive(decode(bytes))
    if (transport === 'udp') client.#wire = await openUdp(address, port, receive)
    else if (transport === 'tcp') client.#wire = await openStream(tcpConnect(port, address), 'connect', receive)
    else {
      const socket = tlsConnect({ port, host: address, rejectUnauthorized: false })
      client.#wire = await openStream(socket, 'secureConnect', receive)
    }
    return client
  }

  /** The relayed address. @throws TurnRefusal */
  async allocate(family: 4 | 6 = 4): Promise<{ readonly address: string; readonly port: number }> {
    const answer = await this.#request('allocate', () => [
      [ATTRIBUTE.requestedTransport, Buffer.from([17, 0, 0, 0])],
      ...(family === 6 ? [[ATTRIBUTE.requestedAddressFamily, Buffer.from([2, 0, 0, 0])] as const] : []),
    ])
    const value = answer.attributes.get(ATTRIBUTE.xorRelayedAddress)
    if (!value) throw new Error('an allocation without a relayed address')
    const { ip, port } = decodeXorAddress(value, answer.transactionId)
    return { address: formatIp(ip), port }
  }

  /** @throws TurnRefusal */
  async createPermission(peer: string): Promise<void> {
    await this.#request('createPermission', (id) => [[ATTRIBUTE.xorPeerAddress, encodeXorAddress(peer, 0, id)]])
  }

  /** @throws TurnRefusal */
  async channelBind(channel: number, peer: string, port: number): Promise<void> {
    await this.#request('channelBind', (id) => [
      [ATTRIBUTE.channelNumber, uint32(channel << 16)],
      [ATTRIBUTE.xorPeerAddress, encodeXorAddress(peer, port, id)],
    ])
  }

  /** @throws TurnRefusal */
  async refresh(lifetimeSeconds: number): Promise<void> {
    await this.#request('refresh', () => [[ATTRIBUTE.lifetime, uint32(lifetimeSeconds)]])
  }

  /** The code that a request was refused with, or 0. */
  async codeOf(request: Promise<unknown>): Promise<number> {
    try {
      await request
      return 0
    } catch (error) {
      if (error instanceof TurnRefusal) return error.code
      throw error
    }
  }

  send(peer: string, port: number, data: Buffer): void {
    const id = newTransactionId()
    this.#wire?.send(
      encode(indicationType('send'), id, [
        [ATTRIBUTE.xorPeerAddress, encodeXorAddress(peer, port, id)],
        [ATTRIBUTE.data, data],
      ]),
    )
  }

  /** The next data from a peer. */
  async received(): Promise<{ readonly from: string; readonly data: Buffer }> {
    const [result] = await once(this.#data, 'data', { signal: AbortSignal.timeout(ANSWER_MS) })
    return result
  }

  /** Give the allocation back and close. */
  async close(): Promise<void> {
    if (this.#nonce.length > 0) await this.refresh(0).catch(() => {})
    this.#wire?.close()
    this.#wire = undefined
  }

  #receive(message: StunMessage): void {
    if (message.type !== indicationType('data')) {
      this.#answers.emit(message.transactionId, message)
      return
    }
    const peer = message.attributes.get(ATTRIBUTE.xorPeerAddress)
    const data = message.attributes.get(ATTRIBUTE.data)
    if (peer && data) {
      this.#data.emit('data', { from: formatIp(decodeXorAddress(peer, message.transactionId).ip), data })
    }
  }

  /** As RFC 8489 section 9.2: without credentials at first, again with the realm and nonce of the challenge. */
  async #request(method: Method, attributes: (transactionId: string) => readonly Attribute[]): Promise<StunMessage> {
    for (let tries = 0; ; tries++) {
      const answer = await this.#exchange(method, attributes)
      if (!isError(answer.type)) return answer
      const code = errorCode(answer)
      const nonce = answer.attributes.get(ATTRIBUTE.nonce)
      const challenged = code === 438 || (code === 401 && this.#nonce.length === 0)
      if (!challenged || !nonce || tries > 1) throw new TurnRefusal(method, code)
      this.#nonce = nonce
      this.#realm = answer.attributes.get(ATTRIBUTE.realm)?.toString() ?? this.#realm
    }
  }

  async #exchange(method: Method, attributes: (transactionId: string) => readonly Attribute[]): Promise<StunMessage> {
    const { username, credential } = this.#settings
    const id = newTransactionId()
    const plain = attributes(id)
    const bytes =
      this.#nonce.length === 0
        ? encode(requestType(method), id, plain)
        : encode(
            requestType(method),
            id,
            [
              ...plain,
              [ATTRIBUTE.username, Buffer.from(username)],
              [ATTRIBUTE.realm, Buffer.from(this.#realm)],
              [ATTRIBUTE.nonce, this.#nonce],
            ],
            longTermKey(username, this.#realm, credential),
          )
    const answer = once(this.#answers, id, { signal: AbortSignal.timeout(ANSWER_MS) })
    this.#wire?.send(bytes)
    const [message] = await answer
    return message
  }
}

/** `a` in the family that a relay needs for it. */
export const familyOf = (address: string): 4 | 6 => parseIp(address)?.family ?? 4
