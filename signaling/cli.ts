#!/usr/bin/env node
import { turnserverConfig } from '../turn/index.ts'
import { DataFolder, DataFolderError } from './data-folder.ts'
import { HistoryFileError } from './history/file-cells.ts'
import { createLog, type Log } from './log.ts'
import { NetworkError } from './net/network.ts'
import { OptionsError } from './options/errors.ts'
import { helpText } from './options/help.ts'
import { type CommandLine, parseCommandLine } from './options/parse.ts'
import type { ServerOptions } from './options/table.ts'
import { packageVersion } from './package-root.ts'
import { type RunningServer, startServer } from './server.ts'
import { turnOptions } from './turn-service.ts'
import { watchFiles } from './watch-files.ts'

/** What the person who started the server wants to know: where to open it. */
function banner(server: RunningServer): string {
  const [, ...others] = server.urls
  const lines = [`Partyline is ready: ${server.url}`]
  if (server.secure) lines.push(...others.map((url) => `              also at: ${url}`))
  else if (others.length > 0)
    lines.push('For other machines, start it with --tls self-signed: browsers give encryption to secure pages only.')
  if (!server.hasPages) lines.push('The pages are not built (npm run build); rooms work.')
  return lines.join('\n')
}

/** The first signal closes in order, a second one at once. */
function closeOnSignals(server: RunningServer, log: Log, signals: readonly NodeJS.Signals[]): void {
  let closing = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closing) process.exit(1)
    closing = true
    log.info({ signal }, 'closing')
    // A service manager stops with SIGTERM, mostly to start again.
    server.close({ restart: signal === 'SIGTERM' }).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'closing failed')
        process.exit(1)
      },
    )
  }
  for (const signal of signals) process.on(signal, onSignal)
}

/** With a configuration file, SIGHUP and a change of the file have it read again. Without one SIGHUP closes. */
function reloadOnChange(server: RunningServer, line: CommandLine): void {
  const { configFile } = line
  if (configFile === undefined) return
  const reload = (): void => void server.reload(line.options)
  process.on('SIGHUP', reload)
  watchFiles([configFile], reload)
}

async function serve(line: CommandLine): Promise<void> {
  const options = line.options()
  const log = createLog(options)
  const server = await startServer(options, { log })
  closeOnSignals(server, log, line.configFile === undefined ? ['SIGTERM', 'SIGINT', 'SIGHUP'] : ['SIGTERM', 'SIGINT'])
  reloadOnChange(server, line)
  process.stdout.write(`${banner(server)}\n`)
}

function printTurnConfig(options: ServerOptions): void {
  const warn = (_: object, message: string): void => void process.stderr.write(`${message}\n`)
  process.stdout.write(turnserverConfig(turnOptions(options, new DataFolder(options.dataFolder), { warn })))
}

async function run(line: CommandLine): Promise<void> {
  if (line.version) process.stdout.write(`${packageVersion()}\n`)
  else if (line.help || line.command === 'help') process.stdout.write(helpText())
  else if (line.command === undefined || line.command === 'serve') await serve(line)
  else if (line.command === 'turn-config') printTurnConfig(line.options())
  else throw new OptionsError(line.command, line.command, 'no such command; there are serve and turn-config')
}

try {
  await run(parseCommandLine(process.argv.slice(2), process.env))
} catch (error) {
  const known = [OptionsError, NetworkError, DataFolderError, HistoryFileError]
  const expected = error instanceof Error && known.some((kind) => error instanceof kind)
  process.stderr.write(expected ? `partyline: ${error.message}\n` : `${error instanceof Error ? error.stack : error}\n`)
  if (error instanceof OptionsError) process.stderr.write('See partyline --help.\n')
  process.exit(1)
}
