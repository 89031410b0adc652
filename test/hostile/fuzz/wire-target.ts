import { messageRecord } from '../../../signaling/protocol/batch.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { HonestProcess } from '../server/honest-process.ts'
import { HostileServer } from '../server/hostile-server.ts'
import { type HttpKind, openingRequest, openPolled, pollRequest, sendRequest } from '../server/http-bytes.ts'
import { joinText } from '../server/joining.ts'
import { RawConnection } from '../server/raw-connection.ts'
import { OPCODE, upgradeRequest, webSocketFrame } from '../server/web-socket-bytes.ts'
import { CHAPTER, type FuzzTarget, type FuzzWorld, must } from './fuzz-target.ts'
import { mutated } from './mutate.ts'
import { type Script, Scripts } from './scripts.ts'

const AT_ONCE = 48
const MOST_CHANGES = 4
const LIFE_MS = 30
const ROOMS = 50
const GROWN_BYTES = 300 * 1_048_576
/** So many for one address: what an address may have is tried elsewhere. */
const PER_ADDRESS = 200
const KINDS: readonly HttpKind[] = ['sse', 'long-poll', 'short-poll']

const frameOf = (spoken: Script[number]): Buffer =>
  typeof spoken === 'string'
    ? webSocketFrame({ opcode: OPCODE.text, body: spoken })
    : webSocketFrame({ opcode: OPCODE.binary, body: spoken })

const offered = (join: string): string =>
  upgradeRequest(`Sec-WebSocket-Protocol: partyline, join.${Buffer.from(join).toString('base64url')}\r\n`)

/** Recorded sessions as bytes of TCP, changed anywhere, to the real server as a process of its own. */
class WireWorld implements FuzzWorld {
  readonly #server: HostileServer
  readonly #honest: HonestProcess
  readonly #rssBytes: number
  readonly #scripts = new Scripts({ peers: ['00112233445566ff', '8899aabbccddeeff'] })
  readonly #running = new Set<Promise<void>>()

  private constructor(server: HostileServer, honest: HonestProcess, rssBytes: number) {
    this.#server = server
    this.#honest = honest
    this.#rssBytes = rssBytes
  }

  static async begin(engine: 'uws' | 'ws'): Promise<WireWorld> {
    const server = await HostileServer.start(engine, { history: ['*;mail=5'] })
    const honest = await HonestProcess.start(server.url)
    return new WireWorld(server, honest, (await server.memory()).rssBytes)
  }

  async feed(seed: number): Promise<void> {
    must(this.#server.ended === undefined, `the server ended (${this.#server.ended}): ${this.#server.output}`)
    const running = this.#session(seed).finally(() => this.#running.delete(running))
    this.#running.add(running)
    if (this.#running.size >= AT_ONCE) await Promise.race(this.#running)
  }

  async end(): Promise<void> {
    await Promise.all(this.#running)
    const report = await this.#honest.report()
    const { rssBytes } = await this.#server.memory()
    const { ended, output } = this.#server
    await this.#honest.close()
    await this.#server.close()
    must(ended === undefined && output === '', `the server said (${ended}): ${output}`)
    const fine = report.came === report.due && report.wrong === 0 && report.closed.length === 0
    must(fine, `the honest room noticed: ${JSON.stringify(report)}`)
    must(rssBytes - this.#rssBytes < GROWN_BYTES, `the server has grown by ${rssBytes - this.#rssBytes} bytes`)
  }

  async #session(seed: number): Promise<void> {
    const random = new SeededRandom(seed)
    const from = `127.0.5.${1 + Math.floor((seed % CHAPTER) / PER_ADDRESS)}`
    const connection = await RawConnection.open({ port: this.#server.port, from })
    try {
      const script = this.#scripts.next(random)
      // In rooms enough that none is full.
      const join = joinText({ room: `recorded-${seed % ROOMS}` })
      const bytes = random.chance(0.5)
        ? this.#webSocket(join, script, random)
        : await this.#http(join, script, random, connection)
      let changed = bytes
      for (let changes = random.integer(1, MOST_CHANGES + 1); changes > 0; changes -= 1) {
        changed = mutated(changed, random, bytes)
      }
      const cut = random.integer(0, changed.length + 1)
      connection.write(changed.subarray(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      connection.write(changed.subarray(cut))
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LIFE_MS)
      })
      await Promise.race([connection.closed, late])
      clearTimeout(timer)
    } finally {
      connection.destroy()
    }
  }

  #webSocket(join: string, script: Script, random: SeededRandom): Buffer {
    const opening = random.chance(0.5) ? [Buffer.from(offered(join))] : [Buffer.from(upgradeRequest()), frameOf(join)]
    return Buffer.concat([...opening, ...script.slice(1).map(frameOf)])
  }

  async #http(join: string, script: Script, random: SeededRandom, connection: RawConnection): Promise<Buffer> {
    const kind = random.pick(KINDS)
    const said = script.slice(1).map((spoken) => messageRecord(spoken))
    if (kind === 'sse' || random.chance(0.3)) return Buffer.concat([openingRequest(kind, join), ...said])
    const secret = await openPolled(connection, kind, join)
    const requests = said.flatMap((record, index) => [
      sendRequest(secret, index + 1, record),
      Buffer.from(pollRequest(secret, index + 1)),
    ])
    return Buffer.concat(requests)
  }
}

export const WIRE_TARGETS: readonly FuzzTarget[] = (['uws', 'ws'] as const).map((engine) => ({
  name: `wire-${engine}`,
  begin: () => WireWorld.begin(engine),
}))
