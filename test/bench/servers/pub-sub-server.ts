import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** Topics on a WebSocket: `[topic]` subscribes, `[topic, text]` is for all subscribers, the sender among them. */
export class PubSubServer {
  readonly #server: WebSocketServer
  readonly #topics = new Map<string, Set<WebSocket>>()

  private constructor(server: WebSocketServer) {
    this.#server = server
    server.on('connection', (socket) => {
      socket.on('message', (data) => this.#take(socket, data.toString()))
      socket.on('close', () => this.#forget(socket))
      socket.on('error', () => socket.terminate())
    })
  }

  /** `port` 0: a free one. */
  static async start(host = 'localhost', port = 0): Promise<PubSubServer> {
    const server = new WebSocketServer({ port, host, perMessageDeflate: false })
    await once(server, 'listening')
    return new PubSubServer(server)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #take(socket: WebSocket, text: string): void {
    const [topic, message] = JSON.parse(text) as [string, string?]
    const subscribers = this.#topics.get(topic) ?? new Set()
    if (message === undefined) this.#topics.set(topic, subscribers.add(socket))
    else for (const subscriber of subscribers) subscriber.send(text)
  }

  #forget(socket: WebSocket): void {
    for (const [topic, subscribers] of this.#topics) {
      if (subscribers.delete(socket) && subscribers.size === 0) this.#topics.delete(topic)
    }
  }
}
