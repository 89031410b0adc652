import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's top folder: everything here runs from it, wherever it was called. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** The conventional exit code of a process that a signal ended. */
const EXIT_CODE = Object.freeze({ SIGINT: 130, SIGTERM: 143 })

/**
 * Runs a command in the foreground, from the repository's top folder, and resolves with its exit code.
 * A SIGINT or SIGTERM that arrives meanwhile is passed on, and ends this process once the command has ended.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} [environment] added to this process's own
 * @returns {Promise<number>}
 */
export function runCommand(command, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...environment } })
    /** @type {keyof typeof EXIT_CODE | undefined} */
    let interruptedBy
    /** @param {keyof typeof EXIT_CODE} signal */
    const interrupt = (signal) => {
      interruptedBy = signal
      child.kill(signal)
    }
    const onInterrupt = () => interrupt('SIGINT')
    const onTerminate = () => interrupt('SIGTERM')
    process.on('SIGINT', onInterrupt)
    process.on('SIGTERM', onTerminate)
    const stopListening = () => {
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
    }
    child.once('error', (error) => {
      stopListening()
      reject(error)
    })
    child.once('exit', (code) => {
      stopListening()
      if (interruptedBy !== undefined) process.exit(EXIT_CODE[interruptedBy])
      resolve(code ?? 1)
    })
  })
}

/**
 * The command line of a program that an npm package brought, without a shell and without npx.
 *
 * @param {'biome' | 'tsc' | 'vite' | 'vitest'} program
 * @param {readonly string[]} args
 * @returns {[command: string, args: string[]]}
 */
export function packageCommand(program, args) {
  const scripts = {
    biome: '@biomejs/biome/bin/biome',
    tsc: 'typescript/bin/tsc',
    vite: 'vite/bin/vite.js',
    vitest: 'vitest/vitest.mjs',
  }
  return [process.execPath, [join(ROOT, 'node_modules', scripts[program]), ...args]]
}
