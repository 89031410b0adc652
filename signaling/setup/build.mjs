import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageCommand, ROOT, runCommand } from './command.mjs'

/**
 * What is built, from what, and into what. A target is out of date when the content of its inputs is not the content
 * it was last built from; times of files say nothing after a checkout.
 *
 * @typedef {'server' | 'client' | 'pages'} TargetName
 * @typedef {object} Target
 * @property {TargetName} name
 * @property {string} says what the target is, for the one line that is printed
 * @property {readonly string[]} inputs files and folders
 * @property {readonly string[]} outputs files that are there after a build
 * @property {readonly string[]} clears folders that are the target's alone, emptied before a build
 * @property {readonly [command: string, args: string[]][]} commands
 */

const SHARED_INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json']
const BUNDLER_INPUTS = ['vite.config.ts', 'signaling/setup/bundle']

/** @type {readonly Target[]} */
export const TARGETS = [
  {
    name: 'server',
    says: 'the server',
    inputs: [...SHARED_INPUTS, 'signaling', 'turn'],
    outputs: ['dist/signaling/cli.js', 'dist/signaling/index.js', 'dist/turn/index.js'],
    clears: ['dist/signaling', 'dist/turn'],
    commands: [packageCommand('tsc', ['-p', 'signaling/tsconfig.json'])],
  },
  {
    name: 'client',
    says: 'the client library',
    inputs: [...SHARED_INPUTS, ...BUNDLER_INPUTS, 'web/client', 'signaling/protocol'],
    outputs: ['dist/client/partyline.js', 'dist/types/web/client/index.d.ts'],
    clears: ['dist/client', 'dist/types'],
    commands: [
      packageCommand('vite', ['build', '--mode', 'client', '--logLevel', 'warn']),
      packageCommand('tsc', ['-p', 'web/client/tsconfig.json']),
    ],
  },
  {
    name: 'pages',
    says: 'the pages',
    inputs: [...SHARED_INPUTS, ...BUNDLER_INPUTS, 'web', 'signaling/protocol'],
    outputs: ['dist/pages/index.html'],
    clears: ['dist/pages'],
    commands: [packageCommand('vite', ['build', '--logLevel', 'warn'])],
  },
]

const RECORDS = 'dist/.built'

/** @param {string} path relative to the top folder; a file, a folder, or nothing yet */
async function filesBelow(path) {
  const absolute = join(ROOT, path)
  if (!existsSync(absolute)) return []
  /** @type {string[]} */
  const files = []
  /** @param {string} folder */
  const walk = async (folder) => {
    for (const entry of await readdir(join(ROOT, folder), { withFileTypes: true })) {
      const child = `${folder}/${entry.name}`
      if (entry.isDirectory()) await walk(child)
      else files.push(child)
    }
  }
  try {
    await walk(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return [path]
    throw error
  }
  return files
}

/** @param {Target} target */
async function inputDigest(target) {
  const digest = createHash('sha256')
  const files = (await Promise.all(target.inputs.map(filesBelow))).flat().sort()
  for (const file of files) {
    const content = await readFile(join(ROOT, file))
    digest.update(`${file}\0${content.length}\0`).update(content)
  }
  return digest.digest('hex')
}

/**
 * @param {Target} target
 * @param {string} digest
 */
async function isUpToDate(target, digest) {
  if (!target.outputs.every((output) => existsSync(join(ROOT, output)))) return false
  const record = join(ROOT, RECORDS, target.name)
  return existsSync(record) && (await readFile(record, 'utf8')) === digest
}

/** @param {Target} target */
async function build(target) {
  for (const folder of target.clears) await rm(join(ROOT, folder), { recursive: true, force: true })
  for (const [command, args] of target.commands) {
    const code = await runCommand(command, args)
    if (code !== 0) throw new Error(`building ${target.says} failed; the messages are above`)
  }
  const missing = target.outputs.filter((output) => !existsSync(join(ROOT, output)))
  if (missing.length > 0) throw new Error(`building ${target.says} did not write ${missing.join(', ')}`)
}

/**
 * Builds the named targets, one after another. Throws at the first that fails.
 *
 * @param {object} options
 * @param {readonly string[]} [options.only] names of targets; all when absent or empty
 * @param {boolean} [options.force] also build what is up to date
 */
export async function buildTargets({ only = [], force = false } = {}) {
  const unknown = only.filter((name) => !TARGETS.some((target) => target.name === name))
  if (unknown.length > 0) {
    throw new Error(`no such target: ${unknown.join(', ')}; there are ${TARGETS.map(({ name }) => name).join(', ')}`)
  }
  for (const target of TARGETS) {
    if (only.length > 0 && !only.includes(target.name)) continue
    const digest = await inputDigest(target)
    if (!force && (await isUpToDate(target, digest))) continue
    console.log(`Building ${target.says}`)
    const record = join(ROOT, RECORDS, target.name)
    await rm(record, { force: true })
    await build(target)
    await mkdir(join(ROOT, RECORDS), { recursive: true })
    await writeFile(record, digest)
  }
}
