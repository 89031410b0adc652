/** Where the server keeps rooms, the chat page shows what was said before one came. */
import { expect, it } from 'vitest'
import { testIds } from '../../web/ui/test-ids.ts'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite(
  (started) => {
    site = started
  },
  { args: ['--turn', 'off', '--history', 'kept*;messages=500'] },
)

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

it('who comes later can have earlier messages, a page at a time, each once and in order', async () => {
  const ada = await site.visitor('kept', 'Ada')
  await ada.online()
  for (const n of upTo(70)) await ada.say(`line ${n}`)
  await ada.page.locator(`[data-testid=${testIds.message}][data-delivery=kept]`).nth(69).waitFor()
  await ada.page.context().close()
  const bo = await site.visitor('kept', 'Bo')
  await bo.online()
  const earlier = bo.page.getByTestId(testIds.earlierMessages)
  await earlier.waitFor()
  await bo.say('said now')
  await bo.sees('said now')
  expect(await bo.messages.count()).toBe(1)
  await earlier.click()
  await bo.sees('line 22')
  expect(await bo.sees('line 70')).toBe(1)
  if (process.env.PARTYLINE_SCREENSHOT !== undefined) {
    await bo.page.getByTestId(testIds.messageText).getByText('line 22', { exact: true }).scrollIntoViewIfNeeded()
    await bo.page.screenshot({ path: process.env.PARTYLINE_SCREENSHOT })
  }
  await earlier.click()
  await bo.sees('line 1')
  await earlier.waitFor({ state: 'detached' })
  const shown = await bo.page.getByTestId(testIds.messageText).allInnerTexts()
  expect(shown).toEqual([...upTo(70).map((n) => `line ${n}`), 'said now'])
  expect(await bo.page.getByTestId(testIds.messageAuthor).first().innerText()).toContain('Ada')
})

it('where the server keeps nothing, nothing is offered', async () => {
  const ada = await site.visitor('forgetful', 'Ada')
  await ada.online()
  const bo = await site.visitor('forgetful', 'Bo')
  await ada.seesMembers(1)
  await ada.say('hello')
  await bo.sees('hello')
  await ada.seesAllDelivered()
  expect(await bo.page.getByTestId(testIds.earlierMessages).count()).toBe(0)
  await ada.page.context().close()
})
