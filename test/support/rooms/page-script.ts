import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** page-member.ts as one script, which puts its exports into the global `pageMembers`. */
export async function pageMemberScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page-member.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'pageMembers',
    // Evaluated strictly, a `var` would stay inside.
    footer: { js: 'globalThis.pageMembers = pageMembers' },
    target: 'es2022',
  })
  const script = outputFiles[0]?.text
  if (script === undefined) throw new Error('esbuild wrote nothing')
  return script
}
