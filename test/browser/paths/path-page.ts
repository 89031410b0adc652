import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** connect-in-page.ts as one script that puts its functions into the global `paths`, built as the library is. */
export async function pageScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./connect-in-page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'paths',
    target: 'es2022',
    external: ['node-datachannel'],
    alias: {
      'webrtc-polyfill': source('web/client/paths/webrtc.ts'),
      debug: source('web/client/paths/silent-debug.ts'),
      'uint8-util': source('web/client/paths/peer-bytes.ts'),
    },
  })
  const script = outputFiles[0]?.text
  if (script === undefined) throw new Error('esbuild wrote nothing')
  return script
}
