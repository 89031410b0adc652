import type { Page as ChromiumPage } from 'playwright'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { testIds } from '../../web/ui/test-ids.ts'
import { firefoxPath, launchFirefox } from '../support/firefox.ts'
import type { MemberOptions } from '../support/rooms/page-member.ts'
import { pageMemberScript } from '../support/rooms/page-script.ts'
import { Site } from '../support/rooms/site.ts'
import { allOf } from '../support/rooms/tally.ts'

/** Firefox starts more slowly than Chromium, and the first time it lays out a profile. */
const TIMEOUT_MS = 90_000

const executable = firefoxPath()
if (executable === undefined) console.log('No Firefox here, so nothing is tested in it: install firefox-esr.')

describe.skipIf(executable === undefined)("the distribution's Firefox", { timeout: TIMEOUT_MS }, () => {
  let site: Site
  let firefox: Browser
  let script: string
  const said: string[] = []

  beforeAll(async () => {
    site = await Site.start()
    firefox = await launchFirefox(executable ?? '')
    script = await pageMemberScript()
  }, TIMEOUT_MS)
  afterEach(async () => {
    expect([...said.splice(0), ...(await site.empty())]).toEqual([])
  })
  afterAll(async () => {
    await firefox?.close()
    await site?.close()
  }, TIMEOUT_MS)

  async function page(address: string): Promise<Page> {
    const context = await firefox.createBrowserContext()
    const opened = await context.newPage()
    opened.on('pageerror', (error) => said.push(String(error)))
    opened.on('console', (message) => {
      if (message.type() === 'error') said.push(message.text())
    })
    await opened.goto(address)
    return opened
  }

  async function inFirefox(options: MemberOptions): Promise<Page> {
    const opened = await page(site.server.address)
    await opened.evaluate(script)
    await opened.evaluate((given) => pageMembers.PageMember.enter(given), options)
    await opened.evaluate(() => member.room.ready)
    return opened
  }

  /** Both have the path, and say 300 numbers to each other. */
  async function talk(ada: Page, bo: Page | ChromiumPage, path: 'direct' | 'relay'): Promise<void> {
    const boDoes = bo as Page
    await ada.evaluate((wanted) => member.until(wanted, () => member.pathTo('Bo') === wanted), path)
    await boDoes.evaluate((wanted) => member.until(wanted, () => member.pathTo('Ada') === wanted), path)
    const missed = await Promise.all([
      ada.evaluate(() => member.sendNumbers({ count: 300 })),
      boDoes.evaluate(() => member.sendNumbers({ count: 300 })),
    ])
    expect(missed).toEqual([[], []])
    expect(await boDoes.evaluate(() => member.tally('Ada'))).toEqual(allOf(300))
    expect(await ada.evaluate(() => member.tally('Bo'))).toEqual(allOf(300))
  }

  it('talks to Firefox by the relay', async () => {
    const options = { room: 'relay', paths: ['relay'] } as const
    await talk(await inFirefox({ ...options, name: 'Ada' }), await inFirefox({ ...options, name: 'Bo' }), 'relay')
  })

  it('talks to Firefox directly', async () => {
    const room = 'Firefox to Firefox'
    await talk(await inFirefox({ room, name: 'Ada' }), await inFirefox({ room, name: 'Bo' }), 'direct')
  })

  it('talks to Chromium directly, and a file comes through whole', async () => {
    const room = 'Firefox to Chromium'
    const ada = await inFirefox({ room, name: 'Ada' })
    const bo = await site.member({ room, name: 'Bo' })
    await talk(ada, bo, 'direct')
    const sent = await ada.evaluate(() => member.offer(3_000_000))
    await bo.evaluate(() => member.until('the file', () => member.taken.length === 1))
    expect(await bo.evaluate(() => member.taken[0]?.sha256)).toBe(sent)
    const back = await bo.evaluate(() => member.offer(3_000_000))
    await ada.evaluate(() => member.until('the file', () => member.taken.length === 1))
    expect(await ada.evaluate(() => member.taken[0]?.sha256)).toBe(back)
    await ada.evaluate(() => member.room.leave())
    await bo.evaluate(() => member.until('left', () => member.events.includes('leave Ada left')))
  })

  it('shows the chat page', async () => {
    const room = 'Firefox on the page'
    const bo = await site.visitor(room, 'Bo')
    const ada = await page(site.chatAddress(room))
    await ada.waitForSelector(`[data-testid=${testIds.roomStatus}][data-status=online]`)
    await ada.type(`[data-testid=${testIds.messageInput}]`, 'from Firefox')
    await ada.keyboard.press('Enter')
    expect(await bo.sees('from Firefox')).toBe(1)
    await bo.say('to Firefox')
    await ada.waitForFunction(() => document.body.innerText.includes('to Firefox'))
    await ada.waitForSelector(`[data-testid=${testIds.pathBadge}][data-path=direct]`)
  })
})
