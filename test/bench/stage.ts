import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContext, Page } from 'playwright'
import { pageScript } from '../support/rooms/page-script.ts'
import type { Addresses, ContestantName } from './page/contestant.ts'
import { nearVenue, type Venue } from './venue.ts'

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** How often those who did not all meet try again. */
const ATTEMPTS = 2

export interface StageOptions {
  /** Default: near. */
  readonly venue?: Venue
  readonly client?: string | undefined
}

/** Pages, at a venue, that meet. */
export class Stage {
  #rooms = 0

  private constructor(
    private readonly venue: Venue,
    private readonly script: string,
    private readonly client: string | undefined,
  ) {}

  /** `client`: a file to be used for the library's bundle, for profiles. The venue is closed with the stage. */
  static async open({ venue, client }: StageOptions = {}): Promise<Stage> {
    const script = await pageScript(new URL('page/guest.ts', import.meta.url), 'bench')
    const bundle = client === undefined ? undefined : await readFile(client, 'utf8')
    return new Stage(venue ?? (await nearVenue()), script, bundle)
  }

  get browsers(): Venue['browsers'] {
    return this.venue.browsers
  }

  get addresses(): Addresses {
    return this.venue.addresses
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
    const address = `${this.venue.origin}healthz`
    // Isolated from other origins, a page has a clock of 5 µs; else one of 100 µs.
    await page.route(address, (route) => route.fulfill({ body: '', contentType: 'text/html', headers: ISOLATED }))
    await page.goto(address)
    // While anything is routed, every request of the page asks us first.
    if (client === undefined) await page.unroute(address)
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

  /**
   * Pages in a room of their own, each connected directly to all the others. Others than ours, which have no way to ask
   * again for what got lost while they met, meet anew where they did not manage it.
   */
  async gather(name: ContestantName, members: number): Promise<Company> {
    for (let attempt = 1; ; attempt += 1) {
      const company = await this.prepare(name, members)
      for (const page of company.pages) await page.evaluate(() => guest.enter())
      try {
        await Promise.all(company.pages.map((page) => page.evaluate(() => guest.connected())))
        return company
      } catch (error) {
        await company.leave()
        if (name === 'ours' || attempt === ATTEMPTS) throw new Error(`${name}: ${String(error)}`, { cause: error })
      }
    }
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

  close(): Promise<void> {
    return this.venue.close()
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
