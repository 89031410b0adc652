import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawOptions {
  readonly port: number
  /** Every address of 127.0.0.0/8 is this machine: who connects from another is somebody else to the server. */
  readonly from?: string
  /** Nothing is read, until `resume`. */
  readonly deaf?: boolean
}

/** Of what came, so much is kept: the beginning, where answers are, and the end, which patterns are looked for in. */
const KEPT = 65_536

/** A TCP connection whose bytes are the test's own. */
export class RawConnection {
  readonly socket: Socket
  /** When the other side ends it, however it does. */
  readonly closed: Promise<void>
  #over = false
  #received = ''
  #tail = ''
  #look: () => void = () => undefined

  private constructor(socket: Socket, deaf: boolean) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over = true
        this.#look()
        resolve()
      })
    })
    socket.on('error', () => undefined)
    if (deaf) socket.pause()
    else this.resume()
  }

  static async open({ port, from, deaf = false }: RawOptions): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port, ...(from === undefined ? {} : { localAddress: from }) })
    await once(socket, 'connect')
    return new RawConnection(socket, deaf)
  }

  /** What came first, one character a byte. */
  get received(): string {
    return this.#received
  }

  get over(): boolean {
    return this.#over
  }

  /** The status codes of the answers that have come. */
  get statuses(): number[] {
    return [...this.#received.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, code]) => Number(code))
  }

  resume(): void {
    this.socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      if (this.#received.length < KEPT) this.#received += text
      this.#tail = (this.#tail + text).slice(-KEPT)
      this.#look()
    })
  }

  write(bytes: string | Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** When what has come matches, or the connection is over. */
  until(pattern: RegExp): Promise<boolean> {
    return new Promise((resolve) => {
      this.#look = () => {
        const found = pattern.test(this.#tail)
        if (found || this.#over) resolve(found)
      }
      this.#look()
    })
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** ms until the server has closed it; Infinity when it has not within `mostMs`. */
export async function lifeOf(connection: RawConnection, mostMs: number): Promise<number> {
  const startedMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), mostMs)
  })
  const outcome = await Promise.race([connection.closed, late])
  clearTimeout(timer)
  return outcome === 'late' ? Number.POSITIVE_INFINITY : performance.now() - startedMs
}
