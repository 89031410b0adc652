/** `npx vite --config test/support/pages/vite.config.ts`: the pages over a room that is played, for work on their looks. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: at('../../../web'),
  cacheDir: at('../../../node_modules/.vite-pages'),
  resolve: { alias: [{ find: /^partyline$/, replacement: at('demonstration.ts') }] },
})
