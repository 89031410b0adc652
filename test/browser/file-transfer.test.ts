import type { Page } from 'playwright'
import { expect, it } from 'vitest'
import type { Site } from '../support/rooms/site.ts'
import { useSite } from '../support/rooms/use-site.ts'

let site: Site
useSite((started) => {
  site = started
})

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN

async function chatTimes(page: Page): Promise<number> {
  return median(await page.evaluate(() => member.deliveryTimes(60)))
}

/** A machine that is busy with the file is slower at everything; a message in the file's queue would wait for seconds. */
const beside = (quietMs: number): number => 20 * quietMs + 250

it.each([
  ['directly', 50_000_000, undefined],
  ['by the relay', 12_000_000, ['relay']],
] as const)('a file %s: %i bytes, the same at the other side, and chat passes it by', async (how, sizeBytes, paths) => {
  const room = `file ${how}`
  const options = { room, ...(paths === undefined ? {} : { paths }) }
  const ada = await site.member({ ...options, name: 'Ada' })
  const bo = await site.member({ ...options, name: 'Bo' })
  const path = paths === undefined ? 'direct' : 'relay'
  await ada.evaluate((wanted) => member.until(wanted, () => member.pathTo('Bo') === wanted), path)
  await bo.evaluate((wanted) => member.until(wanted, () => member.pathTo('Ada') === wanted), path)
  const quietMs = await chatTimes(bo)
  const sent = await ada.evaluate((size) => member.offer(size), sizeBytes)
  // From the receiver, and from the sender: beside the file, and against it.
  const times = await Promise.all(
    [ada, bo]
      .map((page) =>
        page.evaluate(
          ([size, isReceiver]) => {
            const moved = (): number =>
              isReceiver ? member.taken.length : Number(member.texts.some((text) => text.endsWith(`has ${size}`)))
            return member.deliveryTimes(1, () => moved() === 0)
          },
          [sizeBytes, page === bo] as const,
        ),
      )
      .concat([
        bo.evaluate(async (size) => {
          await member.until('the file is here', () => member.taken.length > 0)
          member.say(`has ${size}`)
          return []
        }, sizeBytes),
      ]),
  )
  expect(await bo.evaluate(() => member.taken)).toEqual([
    { name: `${sizeBytes} bytes of noise`, sizeBytes, sha256: sent },
  ])
  const [besideMs, againstMs] = [median(times[0] ?? []), median(times[1] ?? [])]
  expect(besideMs).toBeLessThan(beside(quietMs))
  expect(againstMs).toBeLessThan(beside(quietMs))
  expect(times[0]?.length).toBeGreaterThan(3)
})
