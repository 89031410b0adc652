import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Page } from 'playwright'
import { offeredJoin } from '../../../signaling/protocol/index.ts'

/** Somebody at the server's door, who hears all that browsers say to it: requests, and what is in their WebSockets. */
export class Overheard {
  readonly #heard: Buffer[] = []
  readonly #sockets = new Set<Socket>()
  readonly #door: Server
  #address = ''

  private constructor(server: string) {
    const { hostname, port } = new URL(server)
    this.#door = createServer((browser) => {
      const onward = connect(Number(port), hostname)
      browser.on('data', (bytes) => this.#heard.push(bytes))
      browser.pipe(onward).pipe(browser)
      for (const socket of [browser, onward]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          browser.destroy()
          onward.destroy()
        })
      }
    })
  }

  static async at(server: string): Promise<Overheard> {
    const overheard = new Overheard(server)
    await new Promise<void>((resolve) => overheard.#door.listen(0, 'localhost', resolve))
    overheard.#address = `http://localhost:${(overheard.#door.address() as AddressInfo).port}/`
    return overheard
  }

  /** The server's address through this door. */
  get address(): string {
    return this.#address
  }

  /** Browsers mask what they send in WebSockets: the browser itself says what it was. */
  listenTo(page: Page): void {
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => this.#heard.push(Buffer.from(payload)))
    })
  }

  has(text: string): boolean {
    return Buffer.concat(this.#heard).includes(text)
  }

  /** The joins, which ride in requests for WebSockets. */
  joins(): readonly string[] {
    const requests = Buffer.concat(this.#heard).toString('latin1')
    return [...requests.matchAll(/^Sec-WebSocket-Protocol: (.*)\r$/gim)].map((match) => offeredJoin(match[1]) ?? '')
  }

  close(): void {
    this.#door.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
