/** `npx tsx test/sealing/measure.ts`: what sealing costs in Node and in Chromium, as one JSON object. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { webCrypto } from '../../web/client/sealing/web-crypto.ts'
import { launchChromium } from '../support/browsers.ts'
import { type Costs, costs } from './work.ts'

async function inChromium(): Promise<Costs> {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
  const { outputFiles } = await build({
    stdin: {
      contents: `import { costs } from './work.ts'
        import { webCrypto } from '../../web/client/sealing/web-crypto.ts'
        window.measure = () => costs(webCrypto())`,
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
console.log(JSON.stringify({ node: await costs(primitives), chromium: await inChromium() }, undefined, 2))
