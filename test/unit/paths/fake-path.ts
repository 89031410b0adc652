import type {
  ConnectOptions,
  DirectKind,
  NegotiatedPath,
  PathLane,
  PathSignal,
  PathStatistics,
} from '../../../web/client/paths/path.ts'

export interface FakePathHooks {
  /** The offering side has its answer: ICE would begin. */
  answered?(path: FakePath): void
  closed?(path: FakePath): void
}

/** A peer connection that does what its test says. It offers and answers by itself, as simple-peer does. */
export class FakePath implements NegotiatedPath {
  readonly attempt: number
  kind: DirectKind = 'direct'
  readonly accepted: PathSignal[] = []
  closed = false
  /** Of bulk. */
  bytes = { written: 0, buffered: 0 }

  constructor(
    readonly options: ConnectOptions,
    readonly hooks: FakePathHooks = {},
  ) {
    this.attempt = options.attempt
    const { attempt, turn } = options
    if (options.initiator) this.#later(() => options.say({ t: 'offer', attempt, turn, sdp: `offer ${attempt}` }))
  }

  get candidates(): string[] {
    return this.accepted.flatMap((signal) => (signal.t === 'candidate' ? [signal.candidate.candidate] : []))
  }

  accept(signal: PathSignal): void {
    this.accepted.push(signal)
    const { attempt } = this
    if (signal.t === 'offer') {
      this.#later(() => this.options.say({ t: 'answer', attempt, sdp: `answer ${attempt}` }))
    }
    if (signal.t === 'answer') this.hooks.answered?.(this)
  }

  open(kind: DirectKind = 'direct'): void {
    if (this.closed) return
    this.kind = kind
    this.options.events.opened(this)
  }

  fail(reason = 'ICE failed'): void {
    if (this.closed) return
    this.closed = true
    this.hooks.closed?.(this)
    this.options.events.closed(this, reason)
  }

  close(): void {
    this.fail('closed here')
  }

  send(_lane: PathLane, _frame: Uint8Array): boolean {
    return !this.closed
  }

  bufferedBytes(): number {
    return this.bytes.buffered
  }

  writtenBytes(): number {
    return this.bytes.written
  }

  statistics(): Promise<PathStatistics> {
    return Promise.reject(new Error('not needed'))
  }

  #later(run: () => void): void {
    this.options.clock.setTimeout(() => {
      if (!this.closed) run()
    }, 0)
  }
}
