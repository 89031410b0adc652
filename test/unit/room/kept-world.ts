import { MemoryCells } from '../../../signaling/history/cells.ts'
import { LogStore } from '../../../signaling/history/log-store.ts'
import { type HistoryRule, parseHistoryRule, ruleFor } from '../../../signaling/history/rules.ts'
import type { LogName, StoredEntry } from '../../../signaling/history/store.ts'
import { encodePlainBody, encodeText, type Json, type PeerId } from '../../../signaling/protocol/index.ts'
import type { JoinOptions, Message, Payload, Room } from '../../../web/client/face.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { type SimClient, SimWorld } from '../../simulation/sim-world.ts'

export const LOG: LogName = { room: 'lobby', user: undefined }
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

type WorldOptions = NonNullable<ConstructorParameters<typeof SimWorld>[1]>

/** A server that keeps what is stored, in memory, over its restarts. */
export class KeptWorld extends SimWorld {
  readonly store: LogStore

  constructor(seed: number, rule = 'lobby;messages=1000;channels=chat|notes|quiet', more: WorldOptions = {}) {
    const rules = [parseHistoryRule(rule) as HistoryRule]
    const random = new SeededRandom(seed)
    let nowMs = (): number => 0
    const store = new LogStore({
      cells: new MemoryCells(),
      nowMs: () => nowMs(),
      random: random.fill,
      bounds: ({ room }) => ruleFor(rules, room),
      mostBytes: 1e9,
      failed: (error) => {
        throw error
      },
    })
    super(seed, { ...more, history: { rules, store } })
    this.store = store
    nowMs = () => this.clock.now()
  }

  async entered(name: string, options: JoinOptions = {}): Promise<SimClient> {
    const client = this.join('lobby', name, { sealing: 'open', paths: ['relay'], ...options })
    await this.clock.run(500)
    return client
  }

  async entries(): Promise<readonly StoredEntry[]> {
    return (await this.store.read(LOG, { limit: 10_000, after: 0, mostBytes: 1e9 })).entries
  }

  /** Stored by a member that is gone, one after the other: nobody is told, and nobody got them. */
  async putNumbers(numbers: readonly number[]): Promise<void> {
    for (const n of numbers) {
      const body = encodePlainBody({ content: 0, sentAtMs: 1_000, data: encodeText(`${n}`) })
      await this.put({ id: `${'cd'.repeat(16)}-1-${n}`, from: '00000000000000aa' as PeerId, body })
    }
  }

  /** Whoever runs the server puts this into the log. */
  async put(entry: Partial<StoredEntry> & Pick<StoredEntry, 'body'>): Promise<void> {
    const usual = { id: `${'ab'.repeat(16)}-1-0`, channel: 'chat', from: undefined, userId: undefined }
    await this.store.append(LOG, { profile: undefined, ...usual, ...entry })
  }
}

export const heard = (room: Room<Json>, name = 'chat'): Message<Payload>[] => {
  const messages: Message<Payload>[] = []
  room.channel<Payload>(name).on('message', (message) => messages.push(message))
  return messages
}
export const dataOf = (messages: readonly Message<unknown>[]): unknown[] => messages.map(({ data }) => data)
