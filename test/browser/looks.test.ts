import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright'
import { beforeAll, describe, expect, it } from 'vitest'
import { testIds } from '../../web/ui/test-ids.ts'
import { picturePath } from '../support/rooms/picture.ts'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

/** Pictures of the pages for people to look at; not compared. */
const PICTURES = fileURLToPath(new URL('../results/pages', import.meta.url))

const SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
} as const satisfies Record<string, BrowserContextOptions>

let site: Site
useSite((started) => {
  site = started
})
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

/** The page does not scroll sideways. */
const fits = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)

const variants = (['desktop', 'phone'] as const).flatMap((screen) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ screen, colorScheme })),
)

describe.each(variants)('on a $screen, $colorScheme', ({ screen, colorScheme }) => {
  const options: BrowserContextOptions = { ...SCREENS[screen], colorScheme, reducedMotion: 'reduce' }
  const picture = (page: Page, name: string): Promise<unknown> =>
    page.screenshot({ path: join(PICTURES, `${name}-${screen}-${colorScheme}.png`) })

  it('the start page fits and is accessible', async () => {
    const page = await (await site.person('Ada', options)).newPage()
    await page.goto(site.server.address)
    await page.getByTestId(testIds.startEnter).waitFor()
    await picture(page, 'start')
    expect(await breaches(page)).toEqual([])
    expect(await fits(page)).toBe(true)
  })

  it('what the pages say about secrets fits and is accessible', async () => {
    const room = `lock ${screen} ${colorScheme}`
    const ada = await site.visitor(room, 'Ada', options)
    await ada.online()
    const look = async (page: Page, name: string): Promise<void> => {
      await picture(page, name)
      expect(await breaches(page)).toEqual([])
      expect(await fits(page)).toBe(true)
    }
    const context = await site.person('Bo', options)
    const bo = await context.newPage()
    await bo.goto(site.chatAddress(room, { kind: 'secret', secret: '_____________________w' }))
    await bo.getByTestId(testIds.secretForm).waitFor()
    await look(bo, 'secret')
    await ada.seesNotice('kept out')
    await ada.page.getByTestId(testIds.lock).click()
    await ada.page.getByTestId(testIds.refusal).waitFor()
    await look(ada.page, 'lock')
    const cy = await site.person('Cy', options)
    const without = await cy.newPage()
    await without.goto(site.chatAddress(`${room} open`, { kind: 'none' }))
    await without.getByTestId(testIds.openRoomWarning).waitFor()
    await look(without, 'no-secret')
    await without.getByTestId(testIds.makePrivate).click()
    await without.getByTestId(testIds.goPrivate).waitFor()
    await look(without, 'make-private')
  })

  it('the chat page in use, its members and its connection panel fit and are accessible', async () => {
    const room = `looks ${screen} ${colorScheme}`
    const ada = await site.visitor(room, 'Ada Lovelace', options)
    const bo = await site.visitor(room, 'Bo')
    await bo.seesPath('Ada Lovelace', 'direct')
    for (const text of ['Hello!', 'Nobody told me that there would be a party: https://example.org/party'])
      await bo.say(text)
    await ada.say('There is always a party on this line. Bring cake, if you have any, and somebody to eat it with.')
    await bo.page.getByTestId(testIds.fileInput).setInputFiles([
      { name: 'cake.png', mimeType: 'image/png', buffer: await readFile(picturePath) },
      { name: 'recipe for a rather long cake.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(2_345_678) },
    ])
    await ada.page.getByTestId(testIds.filePreview).waitFor()
    await ada.page.getByTestId(testIds.fileAccept).waitFor()
    await ada.seesAllDelivered()
    await picture(ada.page, 'chat')
    expect(await breaches(ada.page)).toEqual([])
    expect(await fits(ada.page)).toBe(true)
    if (screen === 'phone') {
      await ada.page.getByTestId(testIds.openMembers).click()
      await ada.member('Bo').waitFor()
      await picture(ada.page, 'members')
      expect(await breaches(ada.page)).toEqual([])
    }
    await ada.member('Bo').getByRole('button').click()
    await ada.page.getByTestId(testIds.roundTripPlot).waitFor()
    await ada.page.getByTestId(testIds.safetyVerify).check()
    await picture(ada.page, 'connection')
    expect(await breaches(ada.page)).toEqual([])
    expect(await fits(ada.page)).toBe(true)
  })
})

it('the diagnostics page finds that all is well, and is accessible', async () => {
  const page = await (await site.person('Ada', SCREENS.desktop)).newPage()
  await page.goto(`${site.server.address}diagnostics/`)
  const verdict = page.locator(`[data-testid=${testIds.diagnosticsVerdict}]:not([data-verdict=running])`)
  await verdict.waitFor({ timeout: 90_000 })
  await page.screenshot({ path: join(PICTURES, 'diagnostics-desktop-light.png'), fullPage: true })
  expect(await verdict.getAttribute('data-verdict')).toMatch(/^(?:good|poor)$/)
  expect(await breaches(page)).toEqual([])
})

it('the chat page is usable by keyboard alone', async () => {
  const ada = await site.visitor('keyboard', 'Ada')
  const bo = await site.visitor('keyboard', 'Bo')
  await ada.seesMembers(1)
  // Whoever comes in can write at once.
  await ada.page.keyboard.type('typed without a mouse')
  await ada.page.keyboard.press('Enter')
  expect(await bo.sees('typed without a mouse')).toBe(1)
  const reached = new Set<string>()
  for (let step = 0; step < 30; step += 1) {
    await ada.page.keyboard.press('Tab')
    reached.add(
      await ada.page.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
      ),
    )
  }
  expect([...reached].join('\n')).toMatch(/Bo/)
  expect([...reached].join('\n')).toMatch(/Offer files/)
})
