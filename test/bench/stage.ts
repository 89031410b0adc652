import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContext, Page } from 'playwright'
import { launchChromium } from '../support/browsers.ts'
import { pageScript } from '../support/rooms/page-script.ts'
import { ServerProcess } from '../support/server-process.ts'
import type { Addresses, ContestantName } from './page/contestant.ts'
import { PeerJsServer } from './servers/peerjs-server.ts'
import { PubSubServer } from './servers/pub-sub-server.ts'

/** Limits of the server that a benchmark alone reaches: many members enter from one address within seconds. */
const SERVER_ARGS = ['--turn', 'off']

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** The built server, the servers of the others, and two browsers. */
export class Stage {
  #rooms = 0

  private constructor(
    readonly browsers: readonly [Browser, Browser],
    private readonly server: ServerProcess,
    private readonly pubSub: PubSubServer,
    private readonly peerJs: PeerJsServer,
    private readonly script: string,
    private readonly client: string | undefined,
  ) {}

  /** `client`: a file to be used for the library's bundle, for profiles. */
  static async open({ client }: { readonly client?: string | undefined } = {}): Promise<Stage> {
    const script = await pageScript(new URL('page/guest.ts', import.meta.url), 'bench')
    return new Stage(
      [await launchChromium(), await launchChromium()],
      await ServerProcess.start({ args: SERVER_ARGS }),
      await PubSubServer.start(),
      await PeerJsServer.start(),
      script,
      client === undefined ? undefined : await readFile(client, 'utf8'),
    )
  }

  get addresses(): Addresses {
    return {
      client: '/client/partyline.js',
      pubSub: `ws://localhost:${this.pubSub.port}`,
      peerJs: { host: 'localhost', port: this.peerJs.port },
    }
  }

  /** An empty page of the server's origin with the benchmark's code in it. Every second one in the other browser. */
  async page(index: number): Promise<Page> {
    // A page whose content we gave has no address, and would have to ask before it may reach local ones.
    const context = await (this.browsers[index % 2] as Browser).newContext({ permissions: ['local-network-access'] })
    const page = await context.newPage()
    const { client } = this
    if (client !== undefined) {
      await page.route('**/client/partyline.js', (route) =>
        route.fulfill({ body: client, contentType: 'text/javascript' }),
      )
    }
    const address = `${this.server.address}healthz`
    // Isolated from other origins, a page has a clock of 5 µs; else one of 100 µs.
    await page.route(address, (route) => route.fulfill({ body: '', contentType: 'text/html', headers: ISOLATED }))
    await page.goto(address)
    await page.evaluate(this.script)
    return page
  }

  /** Pages ready to enter one new room. */
  async prepare(name: ContestantName, members: number): Promise<Company> {
    this.#rooms += 1
    const room = `bench-${this.#rooms}`
    const pages: Page[] = []
    for (let index = 0; index < members; index += 1) {
      const page = await this.page(index)
      await page.evaluate(([who, addresses, options]) => bench.Guest.prepare(who, addresses, options), [
        name,
        this.addresses,
        { room, index, others: members - 1 },
      ] as const)
      pages.push(page)
    }
    return new Company(pages)
  }

  /** Pages in a room of their own, each connected directly to all the others. */
  async gather(name: ContestantName, members: number): Promise<Company> {
    const company = await this.prepare(name, members)
    for (const page of company.pages) await page.evaluate(() => guest.enter())
    await Promise.all(company.pages.map((page) => page.evaluate(() => guest.connected())))
    return company
  }

  /** Processor time that both browsers have used so far, s. */
  async processorSeconds(): Promise<number> {
    let total = 0
    for (const browser of this.browsers) {
      const session = await browser.newBrowserCDPSession()
      const { processInfo } = await session.send('SystemInfo.getProcessInfo')
      for (const { cpuTime } of processInfo) total += cpuTime
      await session.detach()
    }
    return total
  }

  async close(): Promise<void> {
    await Promise.all(this.browsers.map((browser) => browser.close()))
    await Promise.all([this.server.dispose(), this.pubSub.close(), this.peerJs.close()])
  }
}

/** The pages of one room. */
export class Company {
  constructor(readonly pages: readonly Page[]) {}

  get first(): Page {
    return this.pages[0] as Page
  }

  /** Bytes of JavaScript heap in use over all pages, after a collection. */
  async heapBytes(): Promise<number> {
    let total = 0
    for (const page of this.pages) {
      const session = await page.context().newCDPSession(page)
      await session.send('HeapProfiler.collectGarbage')
      total += (await session.send('Runtime.getHeapUsage')).usedSize
      await session.detach()
    }
    return total
  }

  async leave(): Promise<void> {
    const contexts = new Set<BrowserContext>(this.pages.map((page) => page.context()))
    for (const context of contexts) await context.close()
  }
}
