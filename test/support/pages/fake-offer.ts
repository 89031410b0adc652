import type { FileOffer, Json, PeerId } from 'partyline'

/** A file that somebody offers; its bytes come when the test says so. */
export class FakeOffer implements FileOffer {
  readonly withdrawal = new AbortController()
  readonly withdrawn = this.withdrawal.signal
  isDeclined = false
  isAccepted = false
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor(
    readonly id: string,
    readonly from: PeerId,
    readonly name: string,
    readonly type: string,
    readonly sizeBytes: number,
    readonly sentAtMs: number,
    readonly meta: Json = null,
  ) {}

  accept(options?: Parameters<FileOffer['accept']>[0]): ReadableStream<Uint8Array> {
    this.isAccepted = true
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller
        options?.signal?.addEventListener('abort', () => this.fail('aborted'))
      },
    })
  }

  decline(): void {
    this.isDeclined = true
  }

  bring(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes)
  }

  end(): void {
    this.#controller?.close()
  }

  fail(code: string): void {
    this.#controller?.error(Object.assign(new Error(code), { name: 'PartylineError', code }))
  }
}
