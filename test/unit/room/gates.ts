/** Gates of one room, that seal and open for each other: what the tests of the gate share. */
import type { Address, MemberInfo, PeerId } from '../../../signaling/protocol/index.ts'
import type { PartylineError } from '../../../web/client/errors.ts'
import { Gate, type GateDeps, type GateOptions } from '../../../web/client/gate.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { nodePrimitives } from '../../support/node-primitives.ts'
import { instanceId, peerId, SECRET } from '../sealing/sealed-room.ts'

type Lock = Awaited<ReturnType<Gate['lock']>>

export interface Guarded {
  readonly gate: Gate
  readonly info: MemberInfo
  /** What was told, as `id code`. */
  readonly told: string[]
  readonly failed: PartylineError[]
  /** What the gate sent by itself. */
  readonly sent: { readonly to: PeerId; readonly payload: Uint8Array }[]
  readonly here: Set<PeerId>
  readonly lock: Lock | undefined
  /** What the gate opened of whom, when the application had answered later; `undefined`: of nobody. */
  readonly settles: (readonly [PeerId, readonly Uint8Array[] | undefined])[]
}

/** Some gates of one room, and one clock. */
export class Gates {
  readonly clock = new FakeClock()
  readonly #random = new SeededRandom(1)
  #made = 0

  async open(options: Partial<GateOptions> = {}, deps: Partial<GateDeps> = {}): Promise<Guarded> {
    this.#made += 1
    const [id, instance] = [peerId(this.#made), instanceId(this.#made)]
    const told: string[] = []
    const failed: PartylineError[] = []
    const sent: { to: PeerId; payload: Uint8Array }[] = []
    const here = new Set<PeerId>()
    const settles: Guarded['settles'] = []
    const wanted: GateOptions = {
      room: 'lobby',
      instance,
      sealing: 'secret',
      secret: SECRET,
      password: undefined,
      identity: undefined,
      admit: undefined,
      profile: null,
      sealProfile: false,
      ...options,
    }
    const gate = new Gate(wanted, {
      clock: this.clock,
      fillRandom: this.#random.fill,
      primitives: nodePrimitives(this.#random.fill),
      transmit: (to, payload) => sent.push({ to, payload }),
      here: () => here,
      refused: (of, { code }) => told.push(`${of} ${code}`),
      failed: (error) => failed.push(error),
      shown: () => {},
      decided: (of) => {
        const settled = gate.settle(of)
        Promise.resolve(settled).then((frames) => settles.push([of, frames]))
      },
      ...deps,
    })
    const lock = wanted.sealing === 'open' ? undefined : await gate.lock()
    const seal = lock === undefined ? {} : { seal: lock.announcement }
    const info: MemberInfo = { id, instance, profile: null, presence: 'here', ...seal }
    return { gate, info, told, failed, sent, here, lock, settles }
  }

  /** One that lists the others, and is listed by them. */
  async enter(others: readonly Guarded[], options: Partial<GateOptions> = {}): Promise<Guarded> {
    const entering = await this.open(options)
    await list(entering, others)
    for (const other of others) await list(other, [entering], false)
    return entering
  }
}

export async function list({ gate, info, here }: Guarded, others: readonly Guarded[], welcome = true): Promise<void> {
  const members = others.map((other) => other.info)
  await (welcome ? gate.welcomed(info.id, members) : gate.look(members))
  for (const member of members) if (gate.admits(member)) here.add(member.id)
}

export async function sealed({ lock }: Guarded, address: Address, frame: Uint8Array) {
  return (await lock?.sealer.seal(address, frame)) ?? []
}

/** What the receiver opens of what is sealed for it. */
export async function heard(from: Guarded, to: Guarded, frame: Uint8Array): Promise<readonly Uint8Array[]> {
  const frames: Uint8Array[] = []
  for (const { payload } of await sealed(from, { kind: 'one', id: to.info.id }, frame)) {
    frames.push(...(await to.gate.open(from.info.id, payload)))
  }
  return frames
}

export const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
