import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { pageScript } from '../support/rooms/page-script.ts'
import { SERVER_NAME } from './lab/addresses.ts'
import { type Certificate, makeCertificate } from './lab/certificate.ts'
import { Lab, type SiteSizes } from './lab/lab.ts'
import { launchHideable, launchInside } from './lab/lab-browser.ts'
import type { NatKind } from './lab/nat-kinds.ts'
import { makeServices, type Services } from './lab/services.ts'
import type { Client } from './lab/site.ts'
import type { Run, TalkPage } from './talk-page.ts'

const LOADING_MS = 15_000
const HIDING_MS = 15_000
/** Small, and of the server's origin. */
const PAGE = `https://${SERVER_NAME}/healthz`

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A lab with everything running: the server, coturn, and a browser at each client. */
export class Stage {
  private constructor(
    readonly lab: Lab,
    readonly services: Services,
    readonly browsers: readonly Browser[],
    private readonly folder: string,
    private readonly certificate: Certificate,
    private readonly script: string,
  ) {}

  /** @param sizes clients of each site */
  static async create(sizes: SiteSizes): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'partyline-nat-'))
    const lab = await Lab.create(sizes)
    const browsers: Browser[] = []
    try {
      const certificate: Certificate = await makeCertificate(folder, SERVER_NAME)
      const services = await makeServices(lab, folder, certificate)
      await Promise.all([services.server.start(), services.turn.start()])
      for (const { namespace } of lab.clients) browsers.push(await launchInside(namespace, folder, certificate))
      const script = await pageScript(new URL('page/talker.ts', import.meta.url), 'talkers')
      return new Stage(lab, services, browsers, folder, certificate, script)
    } catch (error) {
      await Promise.all(browsers.map((browser) => browser.close()))
      await lab.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.browsers.map((browser) => browser.close()))
    await Promise.all([this.services.server.kill(), this.services.turn.kill()])
    await this.lab.close()
    await rm(this.folder, { recursive: true, force: true })
  }

  /** Each site gets this kind of NAT, and its clients the addresses that go with it. */
  async setKinds(kinds: readonly NatKind[]): Promise<void> {
    for (const [index, kind] of kinds.entries()) await this.lab.sites[index]?.become(kind)
    for (const client of this.lab.clients) await client.readdress()
  }

  /** A page of the server's origin at this client, in which talkers can join, in a context of its own. */
  async page(client: Client): Promise<TalkPage> {
    const browser = this.browsers[this.lab.clients.indexOf(client)]
    if (browser === undefined) throw new Error('no such client')
    const page = await (await browser.newContext()).newPage()
    const open = (): Promise<void> =>
      this.#open({ goto: () => page.goto(PAGE), run: (script) => page.evaluate(script) })
    await open()
    return {
      evaluate: (run: Run, argument?: unknown) => page.evaluate(run, argument),
      reload: open,
      hide: () => Promise.reject(new Error('ask for a hideable page')),
      show: () => Promise.resolve(),
      close: () => page.context().close(),
    }
  }

  /** One that can be hidden, in a browser of its own. */
  async hideablePage(client: Client): Promise<TalkPage> {
    const browser = await launchHideable(client.namespace, this.folder, this.certificate)
    const page = await browser.newPage()
    const open = (): Promise<void> =>
      this.#open({ goto: () => page.goto(PAGE), run: (script) => page.evaluate(script) })
    await open()
    return {
      evaluate: (run: Run, argument?: unknown) => page.evaluate(run, argument),
      reload: open,
      hide: async () => {
        await (await browser.newPage()).bringToFront()
        // The page learns of it a moment later.
        const untilMs = performance.now() + HIDING_MS
        while (await page.evaluate(() => !document.hidden)) {
          if (performance.now() > untilMs) throw new Error('the page cannot be hidden')
          await pause(20)
        }
      },
      show: () => page.bringToFront(),
      close: () => browser.close(),
    }
  }

  /** Again, when the network changed meanwhile: loading is not what is tested here. */
  async #open({ goto, run }: { goto(): Promise<unknown>; run(script: string): Promise<unknown> }): Promise<void> {
    const untilMs = performance.now() + LOADING_MS
    for (;;) {
      try {
        await goto()
        break
      } catch (error) {
        if (performance.now() > untilMs) throw error
        await pause(100)
      }
    }
    await run(this.script)
  }
}
