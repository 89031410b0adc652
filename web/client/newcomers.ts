import type { MemberInfo, PeerId } from '../../signaling/protocol/index.ts'
import type { Clock, TimerHandle } from './clock.ts'
import type { Verification } from './sealing/sealing.ts'

/** For the application, to say whom it admits. */
const ADMIT_MS = 5_000
/** Kept of one newcomer's frames. More is dropped, and the streams send it again. */
const HELD_BYTES = 1_048_576
/** The same of all. */
const ALL_HELD_BYTES = 8_388_608
/** What a frame costs beside its bytes. */
const FRAME_BYTES = 128

interface Asked {
  /** As the server shows it now. */
  member: MemberInfo
  readonly verification: Verification
  readonly frames: Uint8Array[]
  heldBytes: number
  answer: boolean | undefined
  readonly timer: TimerHandle
  /** It is let in, or not, or gone. */
  readonly over: Promise<void>
  readonly end: () => void
}

/** Those of whom the application has not said yet whether they are let in, and what they have sent. */
export class Newcomers {
  readonly #asked = new Map<PeerId, Asked>()
  #heldBytes = 0

  /** `decided`: `answered` will tell. */
  constructor(
    private readonly clock: Clock,
    private readonly decided: (id: PeerId) => void,
  ) {}

  /** What it throws, too, is no, and so is its silence. */
  ask(member: MemberInfo, verification: Verification, answer: Promise<boolean>): void {
    const { id } = member
    const settle = (good: boolean): void => {
      if (this.#asked.get(id) !== asked || asked.answer !== undefined) return
      asked.answer = good
      this.decided(id)
    }
    const no = (): void => settle(false)
    let end = (): void => {}
    const over = new Promise<void>((resolve) => {
      end = resolve
    })
    const timer = this.clock.setTimeout(no, ADMIT_MS)
    const asked: Asked = { member, verification, frames: [], heldBytes: 0, answer: undefined, timer, over, end }
    this.#asked.set(id, asked)
    // What an application answers without a type is yes or no, too.
    answer.then((good) => settle(Boolean(good)), no)
  }

  get(id: PeerId): Asked | undefined {
    return this.#asked.get(id)
  }

  /** Resolves when those that are asked about now are let in, or not, or gone. `undefined`: there are none. */
  get over(): Promise<unknown> | undefined {
    return this.#asked.size === 0 ? undefined : Promise.all([...this.#asked.values()].map(({ over }) => over))
  }

  /** It has sent this: kept as long as there is room. */
  hold(id: PeerId, frame: Uint8Array): void {
    const asked = this.#asked.get(id)
    const bytes = frame.length + FRAME_BYTES
    if (!asked || asked.heldBytes + bytes > HELD_BYTES || this.#heldBytes + bytes > ALL_HELD_BYTES) return
    // Else it would keep the whole message that it came in.
    asked.frames.push(frame.slice())
    asked.heldBytes += bytes
    this.#heldBytes += bytes
  }

  /** Asked, and answered: no more of it here. `undefined`: it was gone, and another may be asked about by now. */
  answered(id: PeerId): Asked | undefined {
    const asked = this.#asked.get(id)
    if (asked?.answer === undefined) return undefined
    this.drop(id)
    return asked
  }

  /** No more of it here: whatever is answered later is about nobody. */
  drop(id: PeerId): void {
    const asked = this.#asked.get(id)
    if (asked === undefined) return
    this.#asked.delete(id)
    this.#heldBytes -= asked.heldBytes
    this.clock.clearTimeout(asked.timer)
    asked.end()
  }

  close(): void {
    for (const id of [...this.#asked.keys()]) this.drop(id)
  }
}
