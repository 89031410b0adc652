import type { BrowserContext, Page } from 'playwright'
import { expect, it } from 'vitest'
import type { RoomLock } from '../../web/ui/room-link.ts'
import { testIds } from '../../web/ui/test-ids.ts'
import { ChatVisitor } from '../support/rooms/chat-visitor.ts'
import { Overheard } from '../support/rooms/overheard.ts'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite((started) => {
  site = started
})

const OTHER: RoomLock = { kind: 'secret', secret: '_____________________w' }
const NONE: RoomLock = { kind: 'none' }

async function come(name: string, address: string, context?: BrowserContext): Promise<ChatVisitor> {
  const page = await (context ?? (await site.person(name))).newPage()
  await page.goto(address)
  return new ChatVisitor(page, name)
}

const linkOnStartPage = (page: Page): Promise<string> => page.getByTestId(testIds.shareLink).inputValue()

const lockIs = (visitor: ChatVisitor, sealing: 'secret' | 'link'): Promise<void> =>
  visitor.page.locator(`[data-testid=${testIds.lock}][data-sealing=${sealing}]`).waitFor()

/** Opens the panel of a member, and leaves it open. */
async function safetyNumber(visitor: ChatVisitor, of: string): Promise<string> {
  await visitor.member(of).getByRole('button').click()
  const digits = visitor.page.getByTestId(testIds.safetyNumber).getByText(/^\d{5}( \d{5}){11}$/)
  return digits.innerText()
}

const closeDialog = async ({ page }: ChatVisitor): Promise<void> => {
  const dialog = page.locator('dialog[open]')
  await dialog.press('Escape')
  await dialog.waitFor({ state: 'detached' })
}

/** `other` came later. Whom `one` shows may be an earlier visit of it: whoever hears it, has it. */
async function talk(one: ChatVisitor, other: ChatVisitor, about = 'the weather'): Promise<void> {
  await other.member(one.name).first().waitFor()
  await other.say(`${other.name} on ${about}`)
  expect(await one.sees(`${other.name} on ${about}`)).toBe(1)
  await one.say(`${one.name} on ${about}`)
  expect(await other.sees(`${one.name} on ${about}`)).toBe(1)
}

it('a private link from the start page: two people talk, the lock is closed, and their safety numbers are equal', async () => {
  const start = await (await site.person('Ada')).newPage()
  await start.goto(site.server.address)
  const link = await linkOnStartPage(start)
  expect(link).toMatch(/\/chat\/#room=[\w-]+&secret=[\w-]{22}$/)
  await start.getByTestId(testIds.startEnter).click()
  await start.waitForURL(link)
  const ada = new ChatVisitor(start, 'Ada')
  await ada.online()
  const bo = await come('Bo', link)
  await talk(ada, bo)
  for (const visitor of [ada, bo]) {
    await lockIs(visitor, 'secret')
    expect(await visitor.page.getByTestId(testIds.openRoomWarning).count()).toBe(0)
  }
  expect(await safetyNumber(ada, 'Bo')).toBe(await safetyNumber(bo, 'Ada'))
  await closeDialog(ada)
  await ada.page.getByTestId(testIds.openShare).click()
  expect(await linkOnStartPage(ada.page)).toBe(link)
  await closeDialog(ada)
  await ada.page.getByTestId(testIds.lock).click()
  await ada.page.getByTestId(testIds.lockDialog).getByText('Only who has the link can read along').waitFor()
})

it('the server hears neither the secret nor what is said', async () => {
  const door = await Overheard.at(site.server.address)
  try {
    const address = site.chatAddress('overheard').replace(site.server.address, door.address)
    const enter = async (name: string): Promise<ChatVisitor> => {
      const context = await site.person(name)
      // All that is said goes through the server.
      await context.addInitScript(() => Object.assign(globalThis, { RTCPeerConnection: undefined }))
      const page = await context.newPage()
      door.listenTo(page)
      await page.goto(address)
      return new ChatVisitor(page, name)
    }
    const ada = await enter('Ada')
    const bo = await enter('Bo')
    await bo.seesPath('Ada', 'relay')
    await ada.say('the cake is in the cellar')
    expect(await bo.sees('the cake is in the cellar')).toBe(1)
    await ada.seesAllDelivered()
    // What it may know shows that it was heard at all.
    expect(door.joins().join()).toContain('"overheard"')
    expect(door.has('GET /chat/ HTTP/1.1')).toBe(true)
    expect(door.has('the cake')).toBe(false)
    expect(door.has(new URL(address).hash.slice(-22))).toBe(false)
    expect(door.has('room=')).toBe(false)
  } finally {
    await site.empty()
    door.close()
  }
})

it('with another secret nothing is read, both sides are told at once, and the whole link helps', async () => {
  const room = 'two secrets'
  const ada = await site.visitor(room, 'Ada')
  await ada.online()
  const bo = await come('Bo', site.chatAddress(room, OTHER))
  await bo.page.locator(`[data-testid=${testIds.secretForm}][data-reason=wrong]`).waitFor()
  await ada.seesNotice(/^Somebody was kept out: with another secret/)
  await ada.seesMembers(0)
  await ada.page.getByTestId(testIds.lock).click()
  await ada.page.locator(`[data-testid=${testIds.refusal}][data-code=wrong-secret]`).waitFor()
  await closeDialog(ada)
  const input = bo.page.getByTestId(testIds.secretInput)
  await input.fill('no secret at all')
  await input.press('Enter')
  await bo.page.getByText('That is no whole link').waitFor()
  await input.fill(site.chatAddress(room))
  await input.press('Enter')
  await bo.online()
  await talk(ada, bo)
  expect(bo.page.url()).toBe(site.chatAddress(room))
})

it('a link that lost a part of its secret asks for it, and never opens a room without one', async () => {
  const whole = site.chatAddress('cut')
  const page = await (await site.person('Ada')).newPage()
  await page.goto(whole.slice(0, -3))
  await page.locator(`[data-testid=${testIds.secretForm}][data-reason=damaged]`).waitFor()
  await page.getByTestId(testIds.secretInput).fill(whole.slice(-22))
  await page.getByTestId(testIds.secretEnter).click()
  await new ChatVisitor(page, 'Ada').online()
  await lockIs(new ChatVisitor(page, 'Ada'), 'secret')
})

it('a room without a secret says so, and makes a private link with one click', async () => {
  const address = site.chatAddress('everybody', NONE)
  const ada = await come('Ada', address)
  const bo = await come('Bo', address)
  await talk(ada, bo)
  await lockIs(ada, 'link')
  const warning = ada.page.getByTestId(testIds.openRoomWarning)
  expect(await warning.innerText()).toMatch(/no secret: a server that lies could listen/)
  expect(await safetyNumber(ada, 'Bo')).toBe(await safetyNumber(bo, 'Ada'))
  await closeDialog(ada)
  await warning.getByTestId(testIds.makePrivate).click()
  const link = await linkOnStartPage(ada.page)
  expect(link).toMatch(/#room=everybody\+[0-9a-f]{6}&secret=[\w-]{22}$/)
  await ada.page.getByTestId(testIds.goPrivate).click()
  await lockIs(ada, 'secret')
  const cy = await come('Cy', link)
  await talk(ada, cy)
  await warning.waitFor({ state: 'detached' })
})

it('a password is asked for, and the wrong one is told', async () => {
  const page = await (await site.person('Ada')).newPage()
  await page.goto(site.server.address)
  await page.getByTestId(testIds.startRoom).fill('with a password')
  await page.getByRole('radio', { name: 'Password' }).check()
  await page.getByTestId(testIds.startPassword).fill('short')
  expect(await page.getByTestId(testIds.startEnter).isDisabled()).toBe(true)
  await page.getByTestId(testIds.startPassword).fill('seven otters at noon')
  const link = await linkOnStartPage(page)
  expect(link).not.toMatch(/otters|secret=/)
  await page.getByTestId(testIds.startEnter).click()
  const ada = new ChatVisitor(page, 'Ada')
  await ada.online()
  const bo = await come('Bo', link)
  const form = (reason: string) => bo.page.locator(`[data-testid=${testIds.secretForm}][data-reason=${reason}]`)
  await form('password').waitFor()
  const answer = async (password: string): Promise<void> => {
    await bo.page.getByTestId(testIds.secretInput).fill(password)
    await bo.page.keyboard.press('Enter')
  }
  await answer('eight otters at noon')
  await form('wrong').waitFor()
  await answer('seven otters at noon')
  await bo.online()
  await talk(ada, bo)
  await lockIs(bo, 'secret')
  // Kept in this tab.
  await bo.page.reload()
  await bo.online()
  await talk(ada, bo, 'reloads')
})

it('an identity kept in the browser is recognized on the next visit', async () => {
  const room = 'identity'
  const ada = await site.visitor(room, 'Ada')
  const bo = await site.visitor(room, 'Bo')
  await ada.seesMembers(1)
  await ada.page.getByTestId(testIds.lock).click()
  await ada.page.getByTestId(testIds.keepIdentity).check()
  await ada.page.getByRole('button', { name: 'Go in again now' }).click()
  const withIdentity = bo.page.locator(`[data-testid=${testIds.member}][data-identity]`)
  await withIdentity.waitFor()
  await withIdentity.getByRole('button').click()
  // Bo has none, so the number of the two is another next time.
  await bo.page.getByText(/Keeps an identity, which is verified: [0-9a-f]{16}… You show none on this visit/).waitFor()
  await bo.page.getByTestId(testIds.safetyVerify).check()
  await closeDialog(bo)
  await withIdentity.getByTestId(testIds.verifiedMark).waitFor()
  const firstVisit = await withIdentity.getAttribute('data-peer')
  await ada.page.reload()
  await bo.page.reload()
  // Beside this visit of Ada's, her earlier one and Bo's own may still be shown.
  const rowOfAda = bo.page
    .locator(`[data-testid=${testIds.member}][data-identity]:not([data-peer="${firstVisit}"])`)
    .filter({ hasText: 'Ada' })
  await rowOfAda.getByTestId(testIds.verifiedMark).waitFor()
  await talk(ada, bo)
  // Now Bo keeps one, too: the number stays.
  await bo.page.getByTestId(testIds.lock).click()
  await bo.page.getByTestId(testIds.keepIdentity).check()
  await bo.page.getByRole('button', { name: 'Go in again now' }).click()
  await rowOfAda.getByRole('button').click()
  await bo.page.getByText('The number is the same on every visit').waitFor()
  const digits = bo.page.getByTestId(testIds.safetyNumber).getByText(/^\d{5}( \d{5}){11}$/)
  const number = await digits.innerText()
  await bo.page.reload()
  await rowOfAda.getByRole('button').click()
  await digits.waitFor()
  expect(await digits.innerText()).toBe(number)
})

it('a page without cryptography says what to do, and enters no room', async () => {
  const context = await site.person('Ada')
  await context.addInitScript(() => {
    Object.defineProperty(globalThis, 'isSecureContext', { value: false })
    Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })
  })
  const page = await context.newPage()
  await page.goto(site.chatAddress('insecure'))
  await page.getByTestId(testIds.insecureNotice).getByText('No room can be entered').waitFor()
  await page.getByTestId(testIds.closedNotice).getByText('This page cannot enter a room').waitFor()
})
