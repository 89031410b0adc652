/** STUN messages as RFC 8489 and RFC 8656 lay them out: written for the tests, apart from the code under test. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { type IpAddress, parseIp } from '../../turn/address.ts'

export const METHOD = {
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
}
export type Method = keyof typeof METHOD

export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  requestedTransport: 0x0019,
}

export type Attribute = readonly [type: number, value: Buffer]

export interface StunMessage {
  readonly type: number
  readonly transactionId: string
  readonly attributes: ReadonlyMap<number, Buffer>
}

export interface Endpoint {
  readonly ip: IpAddress
  readonly port: number
}

const COOKIE = 0x2112_a442

/** The four class and method bits of the type field are interleaved (RFC 8489 section 5); methods here are below 16. */
export const requestType = (method: Method): number => METHOD[method]
export const indicationType = (method: Method): number => METHOD[method] | 0x0010
export const isError = (type: number): boolean => (type & 0x0110) === 0x0110

const pad = (length: number): number => (4 - (length % 4)) % 4

function encodeAttribute([type, value]: Attribute): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value, Buffer.alloc(pad(value.length))])
}

function header(type: number, length: number, transactionId: Buffer): Buffer {
  const head = Buffer.alloc(20)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(length, 2)
  head.writeUInt32BE(COOKIE, 4)
  transactionId.copy(head, 8)
  return head
}

export const newTransactionId = (): string => randomBytes(12).toString('hex')

/** With a key, MESSAGE-INTEGRITY is appended: an HMAC over what comes before it, the length already counting it. */
export function encode(type: number, transactionId: string, attributes: readonly Attribute[], key?: Buffer): Buffer {
  const id = Buffer.from(transactionId, 'hex')
  const body = Buffer.concat(attributes.map(encodeAttribute))
  if (key === undefined) return Buffer.concat([header(type, body.length, id), body])
  const signed = Buffer.concat([header(type, body.length + 24, id), body])
  const integrity = createHmac('sha1', key).update(signed).digest()
  return Buffer.concat([signed, encodeAttribute([ATTRIBUTE.messageIntegrity, integrity])])
}

export function decode(bytes: Buffer): StunMessage {
  const attributes = new Map<number, Buffer>()
  const end = 20 + bytes.readUInt16BE(2)
  for (let at = 20; at + 4 <= end; ) {
    const length = bytes.readUInt16BE(at + 2)
    attributes.set(bytes.readUInt16BE(at), Buffer.from(bytes.subarray(at + 4, at + 4 + length)))
    at += 4 + length + pad(length)
  }
  return { type: bytes.readUInt16BE(0), transactionId: bytes.toString('hex', 8, 20), attributes }
}

export const longTermKey = (username: string, realm: string, credential: string): Buffer =>
  createHash('md5').update(`${username}:${realm}:${credential}`).digest()

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** IPv4 addresses are XORed with the cookie, IPv6 ones with the cookie and the transaction id. */
const xorMask = (family: 4 | 6, transactionId: string): bigint =>
  family === 4 ? BigInt(COOKIE) : (BigInt(COOKIE) << 96n) | BigInt(`0x${transactionId}`)

export function encodeXorAddress(address: string, port: number, transactionId: string): Buffer {
  const ip = parseIp(address)
  if (!ip) throw new Error(`not an address: ${address}`)
  const head = Buffer.from([0, ip.family === 4 ? 1 : 2, 0, 0])
  head.writeUInt16BE(port ^ (COOKIE >>> 16), 2)
  const digits = (ip.value ^ xorMask(ip.family, transactionId)).toString(16).padStart(ip.family === 4 ? 8 : 32, '0')
  return Buffer.concat([head, Buffer.from(digits, 'hex')])
}

export function decodeXorAddress(value: Buffer, transactionId: string): Endpoint {
  const family = value[1] === 1 ? 4 : 6
  return {
    port: value.readUInt16BE(2) ^ (COOKIE >>> 16),
    ip: { family, value: BigInt(`0x${value.toString('hex', 4)}`) ^ xorMask(family, transactionId) },
  }
}

export function errorCode(message: StunMessage): number {
  const value = message.attributes.get(ATTRIBUTE.errorCode)
  if (!value) throw new Error('an error response without ERROR-CODE')
  return (value[2] ?? 0) * 100 + (value[3] ?? 0)
}
