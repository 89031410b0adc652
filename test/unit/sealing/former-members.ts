import type { Primitives } from '../../../web/client/sealing/primitives.ts'
import { RECORD } from '../../../web/client/sealing/records.ts'
import type { RoomSealing } from '../../../web/client/sealing/sealing.ts'
import { decrypt, groupKey, nextStep, type SenderKey } from '../../sealing/independent-records.ts'
import { hex, type OnTheWay, type SealedMember } from './sealed-room.ts'

/** Whoever left, helped by a server that kept every record and goes on handing it what is for the others. */
export class FormerMembers {
  /** Raw keys that each member has used. */
  readonly #keys = new Map<RoomSealing, Set<string>>()
  readonly #gone: RoomSealing[] = []
  readonly #seen = new Set<string>()
  tried = 0
  /** Records that were sealed after it had left, and that one of them could open. */
  read = 0

  /** `given`: sender keys that were sealed in key records, by the raw key of the link. */
  constructor(private readonly given: ReadonlyMap<string, readonly SenderKey[]>) {}

  /** For a member to join with. */
  watch(): { change(of: Primitives): Primitives; joined(member: SealedMember): void } {
    const keys = new Set<string>()
    return {
      change: (of) => ({
        ...of,
        cipher: (key) => {
          keys.add(hex(key))
          return of.cipher(key)
        },
      }),
      joined: ({ sealing }) => this.#keys.set(sealing, keys),
    }
  }

  left({ sealing }: SealedMember): void {
    this.#gone.push(sealing)
  }

  /** A record goes out. */
  look({ from, payload }: OnTheWay): void {
    if (payload[0] !== RECORD.group || this.#seen.has(hex(payload))) return
    this.#seen.add(hex(payload))
    for (const former of this.#gone) {
      this.tried += 1
      const keys = [...(this.#keys.get(former) ?? [])].flatMap((key) => this.given.get(key) ?? [])
      if (keys.some((key) => opens(key, from, Buffer.from(payload)))) this.read += 1
    }
  }
}

/** With this key, or any that follows from it. */
function opens(given: SenderKey, { instance }: SealedMember, record: Buffer): boolean {
  const step = record.readUInt16BE(5)
  if (given.epoch !== record.readUInt32BE(1) || given.step > step) return false
  let key = given
  while (key.step < step) key = nextStep(key)
  try {
    const cipher = groupKey(key, Buffer.from(instance, 'hex'), 'lobby')
    decrypt(cipher, record.subarray(0, 15), Number(record.readBigUInt64BE(7)), record.subarray(15))
    return true
  } catch {
    return false
  }
}
