/**
 * `npm run bench:sealing`: what sealing costs, as one JSON object: in Node (processor time, too), in whole rooms under a
 * simulated clock, and, unless `--no-browser` is given, in Chromium.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { webCrypto } from '../../web/client/sealing/web-crypto.ts'
import { launchChromium } from '../support/browsers.ts'
import { stopwatchWith } from './stopwatch.ts'
import { oneToAnother, roomOf } from './whole-rooms.ts'
import { type Costs, costs } from './work.ts'

async function inChromium(): Promise<Costs> {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
  const { outputFiles } = await build({
    stdin: {
      contents: `import { costs } from './work.ts'
        import { webCrypto } from '../../web/client/sealing/web-crypto.ts'
        import { stopwatchWith } from './stopwatch.ts'
        window.measure = () => costs(webCrypto(), stopwatchWith(undefined))`,
      resolveDir: at('.'),
      loader: 'ts',
    },
    bundle: true,
    format: 'iife',
    write: false,
  })
  // A page of localhost is secure: it has WebCrypto.
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<p>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.addScriptTag({ content: outputFiles[0]?.text ?? '' })
    return (await page.evaluate('measure()')) as Costs
  } finally {
    await browser.close()
    server.close()
  }
}

const primitives = webCrypto()
if (primitives === undefined) throw new Error('this Node has no WebCrypto')
/** All threads: what WebCrypto does beside this one counts, too. */
const stopwatch = stopwatchWith(() => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
})
const load = (): readonly number[] => loadavg().map((value) => Number(value.toFixed(1)))
const before = load()
const node = await costs(primitives, stopwatch)
const wholeRooms = {
  oneToAnother: await oneToAnother(stopwatch),
  roomOfFifty: await roomOf(50, 'secret'),
  openRoomOfFifty: await roomOf(50, 'open'),
}
const chromium = process.argv.includes('--no-browser') ? undefined : await inChromium()
const machine = { processors: cpus().length, node: process.version, load: { before, after: load() } }
console.log(JSON.stringify({ machine, node, wholeRooms, chromium }, undefined, 2))
process.exit(0)
