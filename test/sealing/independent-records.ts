/** The part of independent.ts that is about the keys of links and senders, and records. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type Announced, big, demand, hkdf, label, len, NONE, Refusal, sha256 } from './independent-announcement.ts'

export const LINK = 1
export const GROUP = 2
export const KEY = 3
export const HELD = 4

const STEPS_AHEAD = 16

function encrypt(key: Buffer, head: Buffer, counter: number, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.concat([big(4, 0), big(8, counter)]))
  cipher.setAAD(head)
  return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

export function decrypt(key: Buffer, head: Buffer, counter: number, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.concat([big(4, 0), big(8, counter)]))
  decipher.setAAD(head)
  decipher.setAuthTag(sealed.subarray(-16))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  } catch {
    throw new Refusal('forged')
  }
}

export interface LinkKeys {
  readonly sending: Buffer
  readonly receiving: Buffer
}

interface End {
  readonly announced: Announced
  readonly id: string
}

/** Ours, and the other's. */
export function linkKeys(room: string, linkSalt: Buffer, shared: Buffer, own: End, other: End): LinkKeys {
  const ends = [own, other].sort((one, two) => Buffer.compare(one.announced.instance, two.announced.instance))
  const parts = ends.flatMap(({ announced, id }) => [len(announced.bytes), Buffer.from(id, 'hex')])
  const transcript = sha256(label('transcript'), len(room), ...parts)
  const link = hkdf(shared, linkSalt, Buffer.concat([label('link'), transcript]), 64)
  const [toSecond, toFirst] = [link.subarray(0, 32), link.subarray(32)]
  return ends[0] === own ? { sending: toSecond, receiving: toFirst } : { sending: toFirst, receiving: toSecond }
}

/** A record of any kind but group. */
export const linkRecord = (kind: number, key: Buffer, counter: number, plain: Uint8Array): Buffer =>
  encrypt(key, Buffer.concat([Uint8Array.of(kind), big(8, counter)]), counter, plain)

export interface SenderKey {
  readonly epoch: number
  readonly step: number
  readonly key: Buffer
}

export const nextStep = (of: SenderKey): SenderKey => ({
  epoch: of.epoch,
  step: of.step + 1,
  key: hkdf(of.key, NONE, label('step'), 32),
})

/** Whether who has the one key can step on to the other of this name, and does. */
export const reaches = (has: SenderKey, epoch: number, step: number): boolean =>
  has.epoch === epoch && has.step <= step && step - has.step <= STEPS_AHEAD

export const groupKey = (of: SenderKey, sender: Uint8Array, room: string): Buffer =>
  hkdf(of.key, NONE, Buffer.concat([label('group'), big(4, of.epoch), big(2, of.step), sender, sha256(len(room))]), 32)

/** `sender`: its instance. */
export function groupRecord(
  of: SenderKey,
  sender: Uint8Array,
  room: string,
  counter: number,
  frame: Uint8Array,
): Buffer {
  const head = Buffer.concat([Uint8Array.of(GROUP), big(4, of.epoch), big(2, of.step), big(8, counter)])
  return encrypt(groupKey(of, sender, room), head, counter, frame)
}

/** The body of a key record; without the key, that of a held record. */
export const keyName = ({ epoch, step, key }: Omit<SenderKey, 'key'> & { readonly key?: Buffer }): Buffer =>
  Buffer.concat([big(4, epoch), big(2, step), key ?? NONE])

export const isSentAgain = (frame: Uint8Array): boolean => [0, 1, 7].includes((frame[0] ?? 0) >> 5)

/** Frames that go in group records: data, fragment and `latest`, without the flag unicast. */
export const isForTheRoom = (frame: Uint8Array): boolean => isSentAgain(frame) && ((frame[0] ?? 0) & 16) === 0

const isGreeting = (frame: Uint8Array): boolean => (frame[0] ?? 0) >> 5 === 5

/** What a link record holds of a frame: behind a greeting, our counter when the link began. */
export const withSince = (frame: Uint8Array, since: number): Uint8Array =>
  isGreeting(frame) ? Buffer.concat([frame, big(8, since)]) : frame

/** `counter`: of its record. */
export function splitSince(plain: Buffer, counter: number): { readonly frame: Buffer; readonly since: number } {
  if (!isGreeting(plain)) return { frame: plain, since: 0 }
  demand(plain.length > 8, 'forged')
  const since = Number(plain.readBigUInt64BE(plain.length - 8))
  demand(since < counter, 'forged')
  return { frame: plain.subarray(0, -8), since }
}

/** What outlives the link with an instance. */
export interface Remembered {
  announcement: Buffer
  readonly bound: boolean
  newest: number
  readonly once: Set<number>
  readonly keys: SenderKey[]
  waiting: { head: Buffer; epoch: number; step: number; counter: number; sealed: Buffer }[]
}

/** Of a record that has opened: whether it counts. `once`: nothing in it tells repeats apart. */
export function took(
  remembered: Remembered,
  { floor, announced }: { readonly floor: number; readonly announced: Announced },
  counter: number,
  once: boolean,
): void {
  demand(counter > floor && counter > remembered.newest - 2 ** 31, 'replayed')
  if (once) {
    demand(!remembered.once.has(counter) && counter > Math.max(0, ...remembered.once) - 1_024, 'replayed')
    remembered.once.add(counter)
  }
  if (remembered.newest === 0) remembered.announcement = announced.bytes
  remembered.newest = Math.max(remembered.newest, counter)
}
