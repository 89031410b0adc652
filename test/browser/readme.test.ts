/** The example of the README does what the README says, when pasted. */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite((started) => {
  site = started
})
let folder: Server
let address: string

beforeAll(async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const example = /```html\n(.*?)```/s.exec(readme)?.[1]
  if (example === undefined) throw new Error('README.md has no example')
  const html = example.replaceAll('http://localhost:8080', site.server.address.replace(/\/$/, ''))
  expect(html).not.toBe(example)
  expect(
    example
      .match(/<script type="module">\n(.*)<\/script>/s)?.[1]
      ?.trim()
      .split('\n').length,
  ).toBeLessThanOrEqual(20)
  // As `npx vite` or `python3 -m http.server` would: another origin than the server's.
  folder = createServer(({ url }, response) => {
    if (url === '/hello.html') response.setHeader('content-type', 'text/html').end(html)
    else response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => folder.listen(0, 'localhost', resolve))
  address = `http://localhost:${(folder.address() as AddressInfo).port}/hello.html`
})
afterAll(() => {
  folder?.close()
})

const say = async (page: Page, text: string): Promise<void> => {
  await page.locator('#line').fill(text)
  await page.keyboard.press('Enter')
}

it('two pages with the example talk at once, and directly a moment later', async () => {
  const ada = await (await site.person('Ada')).newPage()
  const bo = await (await site.person('Bo')).newPage()
  await ada.goto(address)
  await bo.goto(address)
  await ada.getByText(/^[0-9a-f]{4} came in$/).waitFor()
  await say(ada, 'hello')
  await bo.getByText(/^[0-9a-f]{4}: hello \((relay|direct)\)$/).waitFor()
  await ada.getByText('me: hello').waitFor()
  for (let n = 0; (await bo.getByText(/: \d+ \(direct\)$/).count()) === 0; n += 1) {
    await say(ada, String(n))
    await bo.getByText(new RegExp(`: ${n} \\(`)).waitFor()
  }
  expect(await ada.getByText('did not get it').count()).toBe(0)
  expect(await ada.locator('#lines li').allTextContents()).toEqual(expect.arrayContaining(['me: hello', 'me: 0']))
})
