import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { testIds } from '../../web/ui/test-ids.ts'
import type { ChatVisitor } from '../support/rooms/chat-visitor.ts'
import { picturePath } from '../support/rooms/picture.ts'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite((started) => {
  site = started
})

const seeEachOther = (...visitors: readonly ChatVisitor[]): Promise<unknown> =>
  Promise.all(visitors.map((visitor) => visitor.seesMembers(visitors.length - 1)))

it('two members talk at once, by the relay first and directly soon after', async () => {
  const room = 'two'
  const ada = await site.visitor(room, 'Ada')
  await ada.online()
  const bo = await site.visitor(room, 'Bo')
  // The page may still be joining: what is written goes out as soon as there is a room.
  await bo.say('hello from Bo')
  expect(await ada.sees('hello from Bo')).toBe(1)
  await ada.say('hello from Ada')
  expect(await bo.sees('hello from Ada')).toBe(1)
  await ada.seesPath('Bo', 'direct')
  await bo.seesPath('Ada', 'direct')
  await ada.say('directly now')
  expect(await bo.sees('directly now')).toBe(1)
  await ada.seesAllDelivered()
  await bo.seesAllDelivered()
})

it('what is written before the room is ready is delivered when it is', async () => {
  const room = 'before ready'
  const ada = await site.visitor(room, 'Ada')
  await ada.online()
  const context = await site.person('Bo')
  // Every way to the server is held up: the page is up, and the room is not.
  let letGo: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  await context.routeWebSocket(/\/ws$/, async (socket) => {
    await held
    socket.connectToServer()
  })
  await context.route('**/uplink/**', async (route) => {
    await held
    await route.continue()
  })
  const bo = await site.visit(context, room, 'Bo')
  await bo.statusIs('joining')
  await bo.say('written early')
  await bo.sees('written early')
  letGo()
  expect(await ada.sees('written early')).toBe(1)
  await bo.seesAllDelivered()
})

it('three members: everybody gets everything once, and a direct path to everybody', async () => {
  const visitors = [
    await site.visitor('three', 'Ada'),
    await site.visitor('three', 'Bo'),
    await site.visitor('three', 'Cy'),
  ]
  await seeEachOther(...visitors)
  await Promise.all(visitors.map((visitor) => visitor.say(`I am ${visitor.name}`)))
  for (const visitor of visitors) {
    for (const { name } of visitors) expect(await visitor.sees(`I am ${name}`)).toBe(1)
    for (const { name } of visitors) if (name !== visitor.name) await visitor.seesPath(name, 'direct')
  }
  for (const visitor of visitors) await visitor.seesAllDelivered()
})

it('shows who is typing, and a new name', async () => {
  const ada = await site.visitor('typing', 'Ada')
  const bo = await site.visitor('typing', 'Bo')
  await seeEachOther(ada, bo)
  await bo.page.getByTestId(testIds.messageInput).pressSequentially('I am thin')
  await ada.page.getByTestId(testIds.typing).filter({ hasText: 'Bo' }).waitFor()
  await bo.page.getByTestId(testIds.rename).click()
  await bo.page.getByTestId(testIds.renameInput).fill('Beatrice')
  await bo.page.getByTestId(testIds.renameSave).click()
  await ada.member('Beatrice').waitFor()
  await ada.seesNotice('Bo is now called Beatrice')
})

it('the connection panel shows the path in detail', async () => {
  const ada = await site.visitor('panel', 'Ada')
  const bo = await site.visitor('panel', 'Bo')
  await seeEachOther(ada, bo)
  await ada.seesPath('Bo', 'direct')
  await ada.member('Bo').getByRole('button').click()
  const panel = ada.page.getByTestId(testIds.connectionPanel)
  await panel.getByText('host', { exact: false }).first().waitFor()
  await panel.getByTestId(testIds.roundTripPlot).waitFor()
  await ada.page.keyboard.press('Escape')
  await panel.waitFor({ state: 'detached' })
})

it('a reload is a leave and a join, and talk goes on', async () => {
  const ada = await site.visitor('reload', 'Ada')
  const bo = await site.visitor('reload', 'Bo')
  await seeEachOther(ada, bo)
  await bo.seesPath('Ada', 'direct')
  const before = await ada.member('Bo').getAttribute('data-peer')
  await bo.page.reload()
  await ada.page.locator(`[data-testid=${testIds.member}]:not([data-peer="${before}"])`).waitFor()
  await bo.say('back again')
  expect(await ada.sees('back again')).toBe(1)
  await ada.seesNotice(/Bo came in/)
  await ada.seesMembers(1)
  await ada.seesNotice(/Bo (?:left|did not come back|could not be reached)|An earlier visit of Bo ended/)
  await ada.say('welcome back')
  expect(await bo.sees('welcome back')).toBe(1)
  await ada.seesPath('Bo', 'direct')
})

it('two tabs of one person are two members', async () => {
  const context = await site.person('Ada')
  const first = await site.visit(context, 'tabs', 'Ada')
  const second = await site.visit(context, 'tabs', 'Ada')
  await seeEachOther(first, second)
  await first.say('from the first')
  expect(await second.sees('from the first')).toBe(1)
  await second.say('from the second')
  expect(await first.sees('from the second')).toBe(1)
  await second.page.getByTestId(testIds.leave).click()
  await first.seesMembers(0)
  await first.say('alone')
  await first.sees('alone')
})

it('leaving says so, and one can come in again', async () => {
  const ada = await site.visitor('leaving', 'Ada')
  const bo = await site.visitor('leaving', 'Bo')
  await seeEachOther(ada, bo)
  await bo.page.getByTestId(testIds.leave).click()
  await bo.page.getByTestId(testIds.closedNotice).waitFor()
  await ada.seesNotice('Bo left')
  await bo.page.getByTestId(testIds.joinAgain).click()
  await bo.online()
  await bo.say('here again')
  expect(await ada.sees('here again')).toBe(1)
})

it('a picture that is dropped on the page is shown at the other side, the same to the last byte', async () => {
  const ada = await site.visitor('picture', 'Ada')
  const bo = await site.visitor('picture', 'Bo')
  await seeEachOther(ada, bo)
  const base64 = (await readFile(picturePath)).toString('base64')
  const transfer = await ada.page.evaluateHandle(async (content) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))
    const data = new DataTransfer()
    data.items.add(new File([bytes], 'drawing.png', { type: 'image/png' }))
    return data
  }, base64)
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await ada.page.getByTestId(testIds.dropZone).dispatchEvent(event, { dataTransfer: transfer })
  }
  const preview = bo.page.getByTestId(testIds.filePreview)
  await preview.waitFor()
  const shown = await preview.evaluate(async (image: HTMLImageElement) => {
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = image.naturalWidth
    canvas.height = image.naturalHeight
    const context = canvas.getContext('2d')
    context?.drawImage(image, 0, 0)
    const pixel = [...(context?.getImageData(1, 1, 1, 1).data ?? [])]
    return { width: image.naturalWidth, height: image.naturalHeight, alt: image.alt, pixel }
  })
  expect(shown).toEqual({ width: 64, height: 40, alt: 'drawing.png', pixel: [200, 60, 30, 255] })
  await ada.page.locator(`[data-testid=${testIds.fileReceiver}][data-state=done]`).waitFor()
})

it('a file is asked for, taken and saved with the same bytes', async () => {
  const ada = await site.visitor('file', 'Ada')
  // As in browsers without a save dialog: what was taken is offered as a download.
  const context = await site.person('Bo')
  await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'showSaveFilePicker'))
  const bo = await site.visit(context, 'file', 'Bo')
  await seeEachOther(ada, bo)
  const content = Buffer.alloc(3_000_000, 'all work and no play ')
  await ada.page
    .getByTestId(testIds.fileInput)
    .setInputFiles({ name: 'manuscript.txt', mimeType: 'text/plain', buffer: content })
  await bo.page.getByTestId(testIds.fileAccept).click()
  const [download] = await Promise.all([
    bo.page.waitForEvent('download'),
    bo.page.getByTestId(testIds.fileDownload).click(),
  ])
  expect(download.suggestedFilename()).toBe('manuscript.txt')
  expect((await readFile(await download.path())).equals(content)).toBe(true)
})

it('several files are offered in the order in which they were chosen', async () => {
  const ada = await site.visitor('files', 'Ada')
  const bo = await site.visitor('files', 'Bo')
  await seeEachOther(ada, bo)
  const picture = { name: '1.png', mimeType: 'image/png', buffer: await readFile(picturePath) }
  const text = { name: '2.txt', mimeType: 'text/plain', buffer: Buffer.from('two') }
  await ada.page.getByTestId(testIds.fileInput).setInputFiles([picture, text, { ...picture, name: '3.png' }])
  const names = bo.page.getByTestId(testIds.fileName)
  await names.getByText('3.png').waitFor()
  expect(await names.allInnerTexts()).toEqual(['1.png', '2.txt', '3.png'])
})

it('text of others is text, and their links are safe', async () => {
  const ada = await site.visitor('text', 'Ada')
  const bo = await site.visitor('text', 'Bo <b>')
  await seeEachOther(ada, bo)
  await bo.say('<img src=x onerror=alert(1)> javascript:alert(1) https://example.org/a?b=c')
  const text = ada.page.getByTestId(testIds.messageText).last()
  await text.getByRole('link').waitFor()
  expect(await text.innerText()).toBe('<img src=x onerror=alert(1)> javascript:alert(1) https://example.org/a?b=c')
  expect(await text.locator('img').count()).toBe(0)
  expect(await text.getByRole('link').count()).toBe(1)
  expect(await text.getByRole('link').getAttribute('rel')).toContain('noopener')
})
