import type { MemberPlace, RelayName } from './contestants.ts'
import type { DropMember, Heard } from './drop-member.ts'
import { OwnMember } from './own-member.ts'
import { processorSeconds } from './processor-time.ts'
import { RawMember } from './raw-member.ts'
import type { ReadBuffer } from './raw-socket.ts'

export interface DropsOptions {
  readonly relay: RelayName
  readonly recovery: boolean
  /** Of ours. */
  readonly sealed: boolean
  readonly port: number
  readonly serverPid: number
  readonly members: number
  /** The first one's number: several generators may share a server. */
  readonly firstRoom: number
  readonly roomMembers: number
  /** Each member says something every so often. */
  readonly sendEveryMs: number
  readonly dropEveryMs: number
  readonly dropForMs: number
  readonly ms: number
}

export interface DropsResult {
  /** Messages, counted for each other member of the room. */
  readonly expected: number
  readonly once: number
  readonly twice: number
  /** Percentiles 0 to 100 would be too much to hand over for millions: a histogram, ms by number. */
  readonly delaysMs: readonly (readonly [ms: number, count: number])[]
  readonly seconds: number
  readonly serverSeconds: number
  readonly generatorSeconds: number
}

/** What was dropped in its last moments may take a drop and a back-off to come. */
const SETTLING_MS = 12_000
const JOINING_AT_A_TIME = 20
const TICK_MS = 10

/** Members send on while each loses its connection again and again; who heard what how often, and how late. */
export async function dropTest(options: DropsOptions, shared: ReadBuffer): Promise<DropsResult> {
  const { members: count, roomMembers, firstRoom, ms } = options
  const told = new Tally(count, roomMembers)
  const members: DropMember[] = Array.from({ length: count }, (_, index) => {
    const place: MemberPlace = {
      index: firstRoom * roomMembers + index,
      room: firstRoom + Math.floor(index / roomMembers),
    }
    const heard: Heard = (sender, number, atMs) => {
      told.heard(index, sender - firstRoom * roomMembers, number, performance.now() - atMs)
    }
    return options.relay === 'ours'
      ? new OwnMember(place, options, heard)
      : new RawMember(place, options, shared, heard)
  })
  const left = members[Symbol.iterator]()
  const join = async (): Promise<void> => {
    for (const member of left) await member.join()
  }
  await Promise.all(Array.from({ length: JOINING_AT_A_TIME }, join))
  for (const member of members) await member.complete(roomMembers - 1)

  const before = { server: processorSeconds(options.serverPid), own: process.cpuUsage(), atMs: performance.now() }
  await everyMemberInTurn(members, options, told)
  const seconds = (performance.now() - before.atMs) / 1_000
  const own = process.cpuUsage(before.own)
  const serverSeconds = processorSeconds(options.serverPid) - before.server
  const untilMs = performance.now() + SETTLING_MS
  while (!told.complete && performance.now() < untilMs) await pause(100)
  for (const member of members) member.close()
  return {
    ...told.result(),
    seconds: Math.max(seconds, ms / 1_000),
    serverSeconds,
    generatorSeconds: (own.user + own.system) / 1e6,
  }
}

/** Sends and drops are spread evenly over their periods, and over the members. */
async function everyMemberInTurn(members: readonly DropMember[], options: DropsOptions, told: Tally): Promise<void> {
  const { sendEveryMs, dropEveryMs, dropForMs, ms } = options
  const plan = members.map((_, index) => ({
    sendAtMs: (index * sendEveryMs) / members.length,
    dropAtMs: anyPart(index) * dropEveryMs,
    backAtMs: Number.POSITIVE_INFINITY,
    number: 0,
  }))
  const fromMs = performance.now()
  for (let atMs = 0; atMs < ms; atMs = performance.now() - fromMs) {
    for (const [index, member] of members.entries()) {
      const due = plan[index]
      if (due === undefined) continue
      if (due.backAtMs <= atMs) {
        due.backAtMs = Number.POSITIVE_INFINITY
        member.restore()
      }
      if (due.dropAtMs <= atMs) {
        due.dropAtMs += dropEveryMs
        due.backAtMs = atMs + dropForMs
        member.drop()
      }
      if (due.sendAtMs <= atMs) {
        due.sendAtMs += sendEveryMs
        told.sent()
        member.send(due.number, performance.now())
        due.number += 1
      }
    }
    await pause(TICK_MS)
  }
  for (const member of members) member.restore()
}

/** From 0 to 1, the same in every run and for every contestant (murmur3's last step): drops know nothing of each other. */
function anyPart(index: number): number {
  let mixed = (index + 1) * 0x9e37
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

class Tally {
  readonly #roomMembers: number
  /** Of each receiver, by the sender's place in the room: how often each number came. */
  readonly #heard: readonly (readonly number[][])[]
  readonly #delays = new Map<number, number>()
  #expected = 0
  #once = 0
  #twice = 0

  constructor(members: number, roomMembers: number) {
    this.#roomMembers = roomMembers
    this.#heard = Array.from({ length: members }, () => Array.from({ length: roomMembers }, () => []))
  }

  get complete(): boolean {
    return this.#once + this.#twice === this.#expected
  }

  sent(): void {
    this.#expected += this.#roomMembers - 1
  }

  heard(receiver: number, sender: number, number: number, delayMs: number): void {
    const counts = this.#heard[receiver]?.[sender % this.#roomMembers]
    if (counts === undefined) return
    const count = (counts[number] ?? 0) + 1
    counts[number] = count
    if (count === 1) {
      this.#once += 1
      const ms = Math.ceil(delayMs)
      this.#delays.set(ms, (this.#delays.get(ms) ?? 0) + 1)
    } else if (count === 2) {
      this.#once -= 1
      this.#twice += 1
    }
  }

  result(): Pick<DropsResult, 'expected' | 'once' | 'twice' | 'delaysMs'> {
    return { expected: this.#expected, once: this.#once, twice: this.#twice, delaysMs: [...this.#delays] }
  }
}
