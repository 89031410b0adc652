import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, runCommand } from './command.mjs'

/**
 * One package as a lock file describes it.
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} LockFile
 */

/**
 * Why what is installed is not what the lock file asks for, or undefined when it is. Reads npm's own record of what
 * it installed, so that a plain `npm install` counts as well as our own.
 *
 * @param {LockFile} lock package-lock.json
 * @param {LockFile | undefined} installed node_modules/.package-lock.json
 * @returns {string | undefined}
 */
export function missingPackages(lock, installed) {
  if (installed === undefined) return 'no packages are installed yet'
  for (const [path, wanted] of Object.entries(lock.packages)) {
    if (path === '') continue
    const found = installed.packages[path]
    // Optional packages are for other machines when they are absent.
    if (found === undefined && wanted.optional !== true) return `${path} is not installed`
    if (found !== undefined && (found.version !== wanted.version || found.integrity !== wanted.integrity)) {
      return `${path} should be ${wanted.version}`
    }
  }
  return undefined
}

/**
 * @param {string} path
 * @returns {Promise<LockFile | undefined>}
 */
async function readLock(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Installs the npm packages of the lock file unless exactly those are there. Throws when npm fails. */
export async function ensurePackages() {
  const lock = await readLock(join(ROOT, 'package-lock.json'))
  if (lock === undefined) throw new Error('package-lock.json is missing: this is not a complete checkout')
  const reason = missingPackages(lock, await readLock(join(ROOT, 'node_modules', '.package-lock.json')))
  if (reason === undefined) return
  console.log(`Installing npm packages (${reason}): npm ci`)
  // --include=dev: NODE_ENV=production in the environment would leave out what the build needs.
  const code = await runCommand('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
  if (code !== 0) throw new Error(`npm ci failed with exit code ${code}; its messages are above`)
}
