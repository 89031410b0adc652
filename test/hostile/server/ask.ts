import { Agent, type OutgoingHttpHeaders, request } from 'node:http'

export interface Asked {
  readonly method: string
  /** As it goes onto the wire, with its query. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body?: Uint8Array | undefined
}

export interface Answered {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly text: string
}

const PATIENCE_MS = 30_000

/** Asks by HTTP, over connections that are kept; neither path nor method is put right on the way. */
export class Asker {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })

  constructor(port: number) {
    this.#port = port
  }

  /** Once more over a connection of its own when a kept one ended: the server may have been about to end it. */
  async ask(asked: Asked): Promise<Answered> {
    const answered = await this.#by(this.#agent, asked)
    return answered.status === 0 ? this.#by(false, asked) : answered
  }

  close(): void {
    this.#agent.destroy()
  }

  #by(agent: Agent | false, { method, path, headers, body }: Asked): Promise<Answered> {
    return new Promise((resolve, reject) => {
      let status = 0
      const parts: Buffer[] = []
      const over = (): void => resolve({ status, text: Buffer.concat(parts).toString() })
      const asked = request(
        { host: '127.0.0.1', port: this.#port, agent, method, path, headers, timeout: PATIENCE_MS },
        (answer) => {
          status = answer.statusCode ?? 0
          answer.on('data', (part: Buffer) => parts.push(part))
          answer.on('close', over)
          answer.on('error', over)
        },
      )
      asked.on('error', over)
      asked.on('timeout', () => {
        reject(new Error(`${method} ${path} was not answered`))
        asked.destroy()
      })
      asked.end(body)
    })
  }
}
