import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const source = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

async function bundle(format: 'iife' | 'esm'): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        export { loadWebRtc } from './web/client/paths/webrtc.ts'
        export * from './test/browser/paths/connect-in-page.ts'`,
      resolveDir: source('.'),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format,
    globalName: 'paths',
    target: 'es2022',
    conditions: ['browser'],
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

/** connect-in-page.ts as one script that puts its functions into the global `paths`, built as the library is. */
export const pageScript = (): Promise<string> => bundle('iife')

export type PathModule = typeof import('./connect-in-page.ts') & typeof import('../../../web/client/paths/webrtc.ts')

/** The same as a module for Node, which finds node-datachannel where the repository has it. */
export async function nodeModule(): Promise<PathModule> {
  const folder = await mkdtemp(join(tmpdir(), 'partyline-paths-'))
  const polyfill = import.meta.resolve('node-datachannel/polyfill')
  const script = (await bundle('esm')).replaceAll('"node-datachannel/polyfill"', JSON.stringify(polyfill))
  const file = join(folder, 'paths.mjs')
  await writeFile(file, script)
  try {
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as PathModule
  } finally {
    await rm(folder, { recursive: true })
  }
}
