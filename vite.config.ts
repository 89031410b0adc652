import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'vite'
import { defineProject, type TestProjectInlineConfiguration } from 'vitest/config'
import { lessSimplePeer, smallest } from './signaling/setup/bundle/plugins.mjs'

const top = fileURLToPath(new URL('.', import.meta.url))
const at = (path: string): string => join(top, path)

/**
 * simple-peer's own imports, pointed at what the client brings: the WebRTC of the place it runs in (a browser's, or
 * node-datachannel's polyfill), events without a stream around them, and small stand-ins for the rest.
 */
const clientAliases = [
  { find: /^streamx$/, replacement: at('web/client/paths/event-duplex.ts') },
  { find: /^webrtc-polyfill$/, replacement: at('web/client/paths/webrtc.ts') },
  { find: /^uint8-util$/, replacement: at('web/client/paths/peer-bytes.ts') },
  { find: /^err-code$/, replacement: at('web/client/paths/coded-error.ts') },
  { find: /^debug$/, replacement: at('web/client/paths/silent-debug.ts') },
]

/** Pages and tests import the client by its public name, and get its source. */
const publicName = { find: /^partyline$/, replacement: at('web/client/index.ts') }

/** What the client loads under Node only, when it is needed: never part of the bundle. */
const loadedUnderNode = ['ws', /^node-datachannel(\/.*)?$/]

/**
 * Chromium then compiles every function while it loads the file. Joining runs most of them once: compiled one by one
 * when they are called, they cost 3 ms between the welcome and the first message, and 1 ms at its receiver.
 */
const COMPILED_AT_ONCE = '//# allFunctionsCalledOnLoad'

/**
 * `vite build --mode client`: the library as ESM, one file to join with and others that follow, simple-peer in one of
 * them. Its users install nothing of that.
 */
const clientLibrary: UserConfig = {
  plugins: [lessSimplePeer, ...smallest()],
  resolve: { alias: clientAliases },
  publicDir: false,
  build: {
    outDir: at('dist/client'),
    emptyOutDir: false,
    target: 'es2022',
    sourcemap: true,
    minify: 'oxc',
    reportCompressedSize: false,
    lib: { entry: at('web/client/index.ts'), formats: ['es'], fileName: () => 'partyline.js' },
    rolldownOptions: {
      external: loadedUnderNode,
      // What the files loaded later share with the first is in the first.
      preserveEntrySignatures: 'allow-extension',
      output: { chunkFileNames: '[name].js', minify: true, postBanner: COMPILED_AT_ONCE },
      // Nearly all its time goes into making it small.
      checks: { pluginTimings: false },
    },
  },
}

/** Every folder of web/ with an index.html is a page, and so is web/ itself. */
function pageEntries(): string[] {
  const folders = [
    '.',
    ...readdirSync(at('web'), { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? e.name : [])),
  ]
  return folders.map((folder) => at(join('web', folder, 'index.html'))).filter(existsSync)
}

/** Where `npm run dev` runs the server. */
const developmentServer = `http://localhost:${process.env.PORT ?? 8080}`

/** `vite build`: the pages. Addresses in them are relative, so that they can be served below any base path. */
const pages: UserConfig = {
  root: at('web'),
  base: './',
  plugins: [lessSimplePeer],
  resolve: { alias: [publicName, ...clientAliases] },
  server: { proxy: { '/ws': { target: developmentServer, ws: true }, '/uplink': developmentServer } },
  build: {
    outDir: at('dist/pages'),
    emptyOutDir: false,
    target: 'es2022',
    sourcemap: true,
    reportCompressedSize: false,
    rolldownOptions: { input: pageEntries(), external: loadedUnderNode },
  },
}

interface TestGroup {
  readonly name: string
  readonly folders: readonly string[]
  /** Longer by far than a test takes anywhere: what it waits for has ends of its own, and tells what was missing. */
  readonly timeoutMs: number
  /** Files run one after another: their browsers and servers would only wait for each other's processor. */
  readonly serial?: boolean
  /** Files run beside each other. Default: 2; more where most of the time is waiting. */
  readonly workers?: number
}

/** `vitest run --project NAME` runs one; test/support/suite/steps.mjs lists the order in `npm test`. */
const testGroups: readonly TestGroup[] = [
  { name: 'unit', folders: ['unit', 'simulation', 'sealing'], timeoutMs: 60_000 },
  { name: 'conformance', folders: ['conformance'], timeoutMs: 60_000 },
  { name: 'hostile', folders: ['hostile'], timeoutMs: 240_000, workers: 4 },
  { name: 'integration', folders: ['integration'], timeoutMs: 90_000, serial: true },
  { name: 'turn', folders: ['turn'], timeoutMs: 60_000, serial: true },
  { name: 'repository', folders: ['repository'], timeoutMs: 240_000, serial: true },
  { name: 'browser', folders: ['browser'], timeoutMs: 120_000, serial: true },
  { name: 'nat', folders: ['nat'], timeoutMs: 240_000, serial: true },
]

const testProject = (
  { name, folders, timeoutMs, serial = false, workers = 2 }: TestGroup,
  order: number,
): TestProjectInlineConfiguration =>
  defineProject({
    plugins: [lessSimplePeer],
    resolve: { alias: [publicName, ...clientAliases] },
    test: {
      name,
      root: top,
      include: folders.map((folder) => `test/${folder}/**/*.test.{ts,tsx}`),
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      // The default of 1 s is what a shared machine may stand still for. Waiting costs nothing when it is green.
      expect: { poll: { timeout: 10_000 } },
      fileParallelism: !serial,
      maxWorkers: serial ? 1 : workers,
      // Only what vite transforms gets the aliases.
      server: { deps: { inline: ['simple-peer'] } },
      sequence: { groupOrder: order },
    },
  })

const tests: UserConfig & { test: object } = { test: { projects: testGroups.map(testProject) } }

export default defineConfig(({ mode }) => (mode === 'test' ? tests : mode === 'client' ? clientLibrary : pages))
