import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe from 'axe-core'
import type { Page } from 'playwright'
import { beforeAll, describe, expect, it } from 'vitest'
import { testIds } from '../../web/ui/test-ids.ts'
import { WireClient } from '../conformance/wire-client.ts'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

const KEY = 'an-api-key-of-thirty-two-letters'
/** Pictures for people to look at; not compared. */
const PICTURES = fileURLToPath(new URL('../results/pages', import.meta.url))

let site: Site
useSite(
  (started) => {
    site = started
  },
  { args: ['--turn', 'off', '--api-key', KEY] },
)
beforeAll(async () => {
  await mkdir(PICTURES, { recursive: true })
})

/** Breaches of WCAG 2.2 A and AA, each with where it is. */
async function breaches(page: Page): Promise<string[]> {
  await page.evaluate(`${axe.source}; globalThis.axe = axe; undefined`)
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`),
    )
  })
}

const fits = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)

async function enter(page: Page, key = KEY): Promise<void> {
  await page.getByTestId(testIds.adminKey).fill(key)
  await page.getByTestId(testIds.adminEnter).click()
}

async function joined(room: string, name: string): Promise<{ readonly client: WireClient; readonly id: string }> {
  const client = await WireClient.connect(site.server.address.replace(/\/$/, ''))
  const { peerId } = await client.join({ room, profile: { name } })
  return { client, id: peerId }
}

const SCREENS = [
  ['desktop', 'light', { width: 1280, height: 800 }],
  ['phone', 'dark', { width: 390, height: 844 }],
] as const

describe.each(SCREENS)('on a %s, %s', (screen, colorScheme, viewport) => {
  it('shows the server to whoever has the key, fits and is accessible', async () => {
    const members = await Promise.all(
      Array.from({ length: 12 }, (_, index) => joined(`looks ${index % 3}`, `Member ${index}`)),
    )
    const page = await (await site.person('Ada', { viewport, colorScheme, reducedMotion: 'reduce' })).newPage()
    await page.goto(`${site.server.address}admin/`)
    expect(await breaches(page)).toEqual([])
    await enter(page)
    await page.getByTestId(testIds.adminFacts).getByText('12', { exact: true }).first().waitFor()
    expect(await page.getByTestId(testIds.adminPlot).count()).toBe(8)
    // A plot is a line from its second point on, 5 s after the first.
    await page.locator('.plot-line').first().waitFor({ state: 'attached' })
    await page.screenshot({ path: join(PICTURES, `admin-${screen}-${colorScheme}.png`), fullPage: true })
    expect(await breaches(page)).toEqual([])
    expect(await fits(page)).toBe(true)
    await page.locator(`[data-room="looks 1"]`).getByRole('button').click()
    await page.getByTestId(testIds.adminMember).first().waitFor()
    await page.screenshot({ path: join(PICTURES, `admin-room-${screen}-${colorScheme}.png`) })
    expect(await breaches(page)).toEqual([])
    expect(await fits(page)).toBe(true)
    for (const { client } of members) client.close()
  })
})

it('removes a member and closes a room, at the second click', async () => {
  const [ada, bob, cy] = [await joined('to do', 'Ada'), await joined('to do', 'Bob'), await joined('other', 'Cy')]
  const page = await (await site.person('Operator')).newPage()
  await page.goto(`${site.server.address}admin/`)
  await enter(page)
  await page.locator(`[data-room="to do"]`).getByRole('button').click()
  const row = page.locator(`[data-testid=${testIds.adminMember}][data-peer="${ada.id}"]`)
  await row.getByTestId(testIds.adminRemove).click()
  await ada.client.settle()
  await row.getByTestId(testIds.adminRemove).click()
  expect(await ada.client.closed).toMatchObject({ code: 4005 })
  await row.waitFor({ state: 'detached' })
  await page.getByTestId(testIds.adminCloseRoom).click()
  await page.getByTestId(testIds.adminCloseRoom).click()
  expect(await bob.client.closed).toMatchObject({ code: 4005 })
  await page.getByTestId(testIds.adminRoomDialog).waitFor({ state: 'detached' })
  await page.locator(`[data-room="to do"]`).waitFor({ state: 'detached' })
  await cy.client.settle()
  cy.client.close()
})

it('keeps the key in the tab, never in an address, and forgets it when told', async () => {
  const context = await site.person('Operator')
  const page = await context.newPage()
  const addresses: string[] = []
  page.on('request', (request) => addresses.push(request.url()))
  await page.goto(`${site.server.address}admin/`)
  await enter(page)
  await page.getByTestId(testIds.adminFacts).waitFor()
  await page.reload()
  await page.getByTestId(testIds.adminFacts).waitFor()
  expect(addresses.join('\n')).not.toContain(KEY)
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie)).not.toContain(KEY)
  const otherTab = await context.newPage()
  await otherTab.goto(`${site.server.address}admin/`)
  await otherTab.getByTestId(testIds.adminKey).waitFor()
  await page.getByTestId(testIds.adminLeave).click()
  await page.reload()
  await page.getByTestId(testIds.adminKey).waitFor()
})

it('says so when the key is wrong', async () => {
  const page = await (await site.person('Mallory')).newPage()
  await page.goto(`${site.server.address}admin/`)
  await enter(page, 'not-the-key')
  expect(await page.getByTestId(testIds.adminRefused).textContent()).toBe('The server does not take this key.')
  // The browser itself notes the refusal.
  expect(site.troubles.take().filter((trouble) => !/401/.test(trouble))).toEqual([])
})

it('counts the links of browsers by the path they say they take', async () => {
  const [ada, bo] = [await site.visitor('links', 'Ada'), await site.visitor('links', 'Bo')]
  await ada.seesPath('Bo', 'direct')
  await bo.seesPath('Ada', 'direct')
  // Told with the next ping, within 5 s.
  await expect
    .poll(async () => (await fetch(`${site.server.address}metrics`)).text(), { timeout: 15_000, interval: 500 })
    .toMatch(/^partyline_links\{path="direct"\} 2$/m)
})
