/**
 * `npm start`: installs what is missing, builds what is out of date, and serves. Everything after `--` goes to the
 * server (`npm start -- --port 9000`; `npm start -- --help` lists its options).
 *
 * The server runs in this very process, so that a signal and an exit code need no forwarding. package.json starts this
 * file by `exec`, because npm runs scripts under a shell that would die of the SIGTERM which npm passes on, and leave
 * the server running without a parent.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildTargets } from './build.mjs'
import { ROOT } from './command.mjs'
import { requireNode } from './node-version.mjs'
import { ensurePackages } from './packages.mjs'

requireNode()
try {
  await ensurePackages()
  await buildTargets()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
const commandLine = join(ROOT, 'dist/signaling/cli.js')
process.argv[1] = commandLine
await import(pathToFileURL(commandLine).href)
