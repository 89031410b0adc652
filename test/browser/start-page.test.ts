import { expect, it } from 'vitest'
import { testIds } from '../../web/ui/test-ids.ts'
import { ChatVisitor } from '../support/rooms/chat-visitor.ts'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite((started) => {
  site = started
})

it('makes a room with one key, and its link leads others there', async () => {
  const context = await site.person('Ada')
  const page = await context.newPage()
  await page.goto(site.server.address)
  const room = await page.getByTestId(testIds.startRoom).inputValue()
  expect(room).not.toBe('')
  const link = await page
    .getByTestId(testIds.shareLink)
    .evaluate((element) => (element instanceof HTMLInputElement ? element.value : element.textContent))
  await page.getByTestId(testIds.startRoom).press('Enter')
  await page.waitForURL(/\/chat\//)
  const ada = new ChatVisitor(page, 'Ada')
  await ada.online()
  const other = await (await site.person('Bo')).newPage()
  await other.goto(link ?? '')
  const bo = new ChatVisitor(other, 'Bo')
  await bo.online()
  expect(await other.getByTestId(testIds.roomName).innerText()).toContain(room)
  await bo.say('found you')
  expect(await ada.sees('found you')).toBe(1)
})

it('takes a name and a room of any script, and remembers the name', async () => {
  const page = await (await site.person('')).newPage()
  await page.goto(site.server.address)
  await page.getByTestId(testIds.startName).fill('Ægir Ñandú')
  await page.getByTestId(testIds.startRoom).fill('Küche & Co. 日本 #1/2')
  await page.getByTestId(testIds.startEnter).click()
  const visitor = new ChatVisitor(page, 'Ægir Ñandú')
  await visitor.online()
  expect(await page.getByTestId(testIds.roomName).innerText()).toContain('Küche & Co. 日本 #1/2')
  expect(await page.getByTestId(testIds.selfRow).innerText()).toContain('Ægir Ñandú')
  expect(await page.evaluate(() => localStorage.getItem('partyline.name'))).toBe('Ægir Ñandú')
})

it('the chat page without a room leads to the start page', async () => {
  const page = await (await site.person('Ada')).newPage()
  await page.goto(`${site.server.address}chat/`)
  await page.getByTestId(testIds.startRoom).waitFor()
})
