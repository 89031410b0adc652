import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** page-member.ts as one script, which puts its exports into the global `pageMembers`. */
export const pageMemberScript = (): Promise<string> =>
  pageScript(new URL('page-member.ts', import.meta.url), 'pageMembers')

/** A module for the page as one script, which puts its exports into the global of this name. */
export async function pageScript(module: URL, globalName: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(module)],
    bundle: true,
    write: false,
    format: 'iife',
    globalName,
    // Evaluated strictly, a `var` would stay inside.
    footer: { js: `globalThis.${globalName} = ${globalName}` },
    target: 'es2022',
  })
  const script = outputFiles[0]?.text
  if (script === undefined) throw new Error('esbuild wrote nothing')
  return script
}
