/**
 * `npm run dev`: the server from its source, started again at each change, and the pages from vite with live reload,
 * which passes the uplinks on to the server. PORT (default 8080) is the server's; vite prints the address to open.
 * Everything after `--` goes to the server.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { packageCommand, ROOT } from './command.mjs'
import { requireNode } from './node-version.mjs'
import { ensurePackages } from './packages.mjs'

requireNode()
await ensurePackages()

const PORT = process.env.PORT ?? '8080'
const watcher = join(ROOT, 'node_modules/tsx/dist/cli.mjs')

/** @type {readonly (readonly [command: string, args: readonly string[]])[]} */
const commands = [
  [process.execPath, [watcher, 'watch', '--clear-screen=false', 'signaling/cli.ts', ...process.argv.slice(2)]],
  packageCommand('vite', []),
]
const children = commands.map(([command, args]) =>
  spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PORT } }),
)

let stopping = false
/** @param {NodeJS.Signals} signal */
const stop = (signal) => {
  stopping = true
  for (const child of children) child.kill(signal)
}
process.on('SIGINT', () => stop('SIGINT'))
process.on('SIGTERM', () => stop('SIGTERM'))
for (const child of children) {
  child.once('exit', (code) => {
    // What ends unasked takes the other along, and its exit code is ours.
    if (!stopping) process.exitCode = code ?? 1
    stop('SIGTERM')
  })
}
