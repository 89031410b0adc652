/** Topics on a WebSocket: all the signaling that the bare contestant and Trystero need. */
export class PubSub {
  readonly opened: Promise<unknown>
  readonly #socket: WebSocket
  readonly #topics = new Map<string, Set<(text: string) => void>>()

  constructor(address: string) {
    this.#socket = new WebSocket(address)
    this.opened = new Promise((resolve) => this.#socket.addEventListener('open', resolve, { once: true }))
    this.#socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const [topic, text] = JSON.parse(data) as [string, string]
      for (const heard of this.#topics.get(topic) ?? []) heard(text)
    })
  }

  /** What others publish, and what we publish ourselves. */
  async subscribe(topic: string, heard: (text: string) => void): Promise<() => void> {
    await this.opened
    const known = this.#topics.get(topic) ?? new Set()
    this.#topics.set(topic, known.add(heard))
    this.#socket.send(JSON.stringify([topic]))
    return () => known.delete(heard)
  }

  async publish(topic: string, text: string): Promise<void> {
    await this.opened
    this.#socket.send(JSON.stringify([topic, text]))
  }

  close(): void {
    this.#socket.close()
  }
}
