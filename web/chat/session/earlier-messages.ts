import type { HistoryPage, PeerId, Room, StoredMessage } from 'partyline'
import { Cell, type Watchable } from '../../ui/cell.ts'
import type { MessageEntry } from '../model/entry.ts'
import { readLine } from '../model/line.ts'
import { type ChatProfile, nameFrom } from '../model/member.ts'
import type { TimelineStore } from './timeline-store.ts'

export interface EarlierMessagesDependencies {
  readonly room: Pick<Room<ChatProfile>, 'history' | 'self'>
  /** Of the channel whose messages are shown. */
  readonly channel: string
  readonly timeline: Pick<TimelineStore, 'addEarlier'>
  /** Whether it is known already, as one's own. */
  isShown(key: string): boolean
  failed(error: unknown): void
}

/** Whether there is more to be had from before this visit. */
export type Earlier = 'none' | 'some' | 'loading'

const PAGE = 50

/** What was said in the room before, a page at a time, when the person asks for it. */
export class EarlierMessages {
  readonly #deps: EarlierMessagesDependencies
  readonly #state = new Cell<Earlier>('none')
  #before: HistoryPage['before']

  constructor(deps: EarlierMessagesDependencies) {
    this.#deps = deps
  }

  get state(): Watchable<Earlier> {
    return this.#state
  }

  /** The server keeps this room: is there anything? */
  async look(): Promise<void> {
    try {
      const { newest } = await this.#deps.room.history({ limit: 0 })
      if (newest !== undefined) this.#state.value = 'some'
    } catch {
      // It may not be for us: nothing is offered.
    }
  }

  async load(): Promise<void> {
    if (this.#state.value !== 'some') return
    this.#state.value = 'loading'
    try {
      const before = this.#before
      const page = await this.#deps.room.history({ limit: PAGE, ...(before === undefined ? {} : { before }) })
      this.#before = page.before
      this.#deps.timeline.addEarlier(page.messages.flatMap((message) => this.#entriesOf(message)))
      this.#state.value = page.before === undefined ? 'none' : 'some'
    } catch (error) {
      this.#state.value = 'some'
      this.#deps.failed(error)
    }
  }

  #entriesOf({ id, from, channel, data, sentAtMs, stored }: StoredMessage): readonly MessageEntry[] {
    const text = channel === this.#deps.channel ? readLine(data) : undefined
    if (text === undefined || this.#deps.isShown(id)) return []
    const name = from === ('server' as PeerId) ? 'Server' : nameFrom(stored.profile, from)
    return [{ kind: 'message', key: `${from}/${id}`, atMs: sentAtMs, from, own: false, name, text }]
  }
}
