import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright'
import { type RoomLock, roomAddress } from '../../../web/ui/room-link.ts'
import { launchChromium } from '../browsers.ts'
import { ServerProcess } from '../server-process.ts'
import { ChatVisitor } from './chat-visitor.ts'
import type { MemberOptions } from './page-member.ts'
import { pageMemberScript } from './page-script.ts'
import { Troubles } from './troubles.ts'

/** The same for everybody and every room, so that a room's name is enough to meet. */
const LOCK: RoomLock = { kind: 'secret', secret: 'AAECAwQFBgcICQoLDA0ODw' }

export interface SiteOptions {
  /** Arguments of the server. TURN is off unless they say otherwise. */
  readonly args?: readonly string[]
}

/** The built server with the built pages, and a Chromium: what most browser tests begin with. */
export class Site {
  readonly server: ServerProcess
  readonly browser: Browser
  readonly troubles = new Troubles()
  readonly #script: string
  readonly #contexts = new Set<BrowserContext>()

  private constructor(server: ServerProcess, browser: Browser, script: string) {
    this.server = server
    this.browser = browser
    this.#script = script
  }

  static async start({ args = ['--turn', 'off'] }: SiteOptions = {}): Promise<Site> {
    const script = await pageMemberScript()
    const server = await ServerProcess.start({ args })
    try {
      return new Site(server, await launchChromium(), script)
    } catch (error) {
      await server.dispose()
      throw error
    }
  }

  /** Another person: an empty profile of the browser, watched for troubles. */
  async person(name: string, options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.browser.newContext(options)
    this.#contexts.add(context)
    await this.troubles.watch(context, name)
    await context.addInitScript((own) => {
      try {
        if (localStorage.getItem('partyline.name') === null) localStorage.setItem('partyline.name', own)
      } catch {
        // about:blank has no storage.
      }
    }, name)
    return context
  }

  /** A page in which `member` is in the room, by the library alone. `ready` has resolved, unless told not to wait. `address`: of a proxy. */
  async member(options: MemberOptions, { ready = true, address = this.server.address } = {}): Promise<Page> {
    return this.memberIn(await this.person(options.name), options, { ready, address })
  }

  /** The same in a page of somebody who is there already. */
  async memberIn(
    context: BrowserContext,
    options: MemberOptions,
    { ready = true, address = this.server.address } = {},
  ): Promise<Page> {
    const page = await context.newPage()
    // A page of the site for its origin and its content security policy; what it shows is not used.
    await page.goto(address)
    await page.evaluate(this.#script)
    await page.evaluate((given) => pageMembers.PageMember.enter(given), options)
    if (ready) await page.evaluate(() => member.room.ready)
    return page
  }

  /** A person on the chat page. */
  async visitor(room: string, name: string, options: BrowserContextOptions = {}): Promise<ChatVisitor> {
    return this.visit(await this.person(name, options), room, name)
  }

  /** One more tab of a person on the chat page. */
  async visit(context: BrowserContext, room: string, name: string): Promise<ChatVisitor> {
    const page = await context.newPage()
    await page.goto(this.chatAddress(room))
    return new ChatVisitor(page, name)
  }

  /** A link as the pages make it, with a secret. */
  chatAddress(room: string, lock: RoomLock = LOCK): string {
    return roomAddress(new URL(this.server.address), { room, lock }).href
  }

  /** Everybody goes home. Returns what pages said that they ought not to. */
  async empty(): Promise<string[]> {
    for (const context of this.#contexts) await context.close()
    this.#contexts.clear()
    return this.troubles.take()
  }

  async close(): Promise<void> {
    await this.browser.close()
    await this.server.dispose()
  }
}
