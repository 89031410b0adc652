import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ROOT, runCommand } from '../../../signaling/setup/command.mjs'
import { chromiumPath } from '../chromium-path.mjs'

/**
 * What the tests need from the distribution: real browsers, the real coturn, and the kernel's tools for simulated NATs.
 * @typedef {object} SystemPackage
 * @property {string} name
 * @property {() => boolean | Promise<boolean>} isInstalled
 * @property {readonly [command: string, args: string[]]} [elsewhere] how to get it where the distribution has it not
 * @property {boolean} [optional] tests that need it say so and are skipped without it
 */

/** Debian keeps administrators' programs out of a user's PATH. */
const SYSTEM_FOLDERS = ['/usr/bin', '/usr/sbin', '/sbin']

/** @param {string} program */
function hasProgram(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @type {readonly SystemPackage[]} */
const SYSTEM_PACKAGES = [
  {
    name: 'chromium',
    isInstalled: async () => (await chromiumPath()) !== undefined,
    // Ubuntu has Chromium as a snap only.
    elsewhere: [process.execPath, [join(ROOT, 'node_modules/playwright/cli.js'), 'install', '--with-deps', 'chromium']],
  },
  // Ubuntu has Firefox as a snap only, too.
  { name: 'firefox-esr', isInstalled: () => hasProgram('firefox-esr'), optional: true },
  { name: 'coturn', isInstalled: () => hasProgram('turnserver') },
  { name: 'nginx', isInstalled: () => hasProgram('nginx') },
  { name: 'nftables', isInstalled: () => hasProgram('nft') },
  { name: 'iproute2', isInstalled: () => hasProgram('ip') },
  { name: 'conntrack', isInstalled: () => hasProgram('conntrack') },
]

async function missingPackages() {
  const installed = await Promise.all(SYSTEM_PACKAGES.map((wanted) => wanted.isInstalled()))
  return SYSTEM_PACKAGES.filter((_, index) => installed[index] !== true)
}

/**
 * What stands before a command to run it as root: nothing, sudo, or undefined when neither is possible.
 * @returns {readonly string[] | undefined}
 */
function asRoot() {
  if (process.getuid?.() === 0) return []
  if (!hasProgram('sudo')) return undefined
  if (process.stdin.isTTY === true && process.env.CI !== 'true') return ['sudo']
  // Nobody is there to type a password.
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

/** @param {string} name */
function distributionHas(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  return /Candidate: (?!\(none\))/.test(stdout)
}

/** @param {readonly SystemPackage[]} packages */
const list = (packages) => packages.map(({ name }) => name).join(', ')

/** Installs what is missing. Throws when that is not possible, with the command an administrator can run instead. */
export async function ensureSystemPackages() {
  const missing = await missingPackages()
  if (missing.every(({ name, optional }) => optional === true && !distributionHas(name))) return
  if (!hasProgram('apt-get'))
    throw new Error(`the tests need ${list(missing)}, and there is no apt-get here to install it`)
  const byHand = `apt-get install --no-install-recommends ${missing.map(({ name }) => name).join(' ')}`
  const root = asRoot()
  if (root === undefined) {
    throw new Error(`installing ${list(missing)} for the tests needs root or sudo; as an administrator, run: ${byHand}`)
  }
  console.log(`Installing from the distribution: ${list(missing)}`)
  /** @param {readonly string[]} args */
  const aptGet = (args) => {
    const [command = 'env', ...rest] = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...args]
    return runCommand(command, rest)
  }
  if ((await aptGet(['update'])) !== 0)
    console.error('apt-get update failed; going on with the package lists that are here')
  const here = missing.filter(({ name }) => distributionHas(name))
  if (here.length > 0) await aptGet(['install', '--yes', '--no-install-recommends', ...here.map(({ name }) => name)])
  for (const { name, elsewhere } of missing) {
    if (elsewhere === undefined || distributionHas(name)) continue
    console.log(`The distribution has no package ${name}; getting it elsewhere: ${elsewhere[1].slice(1).join(' ')}`)
    await runCommand(...elsewhere)
  }
  const stillMissing = await missingPackages()
  if (stillMissing.some(({ optional }) => optional !== true)) {
    throw new Error(`could not install ${list(stillMissing)}; the messages are above. By hand: ${byHand}`)
  }
  if (stillMissing.length > 0) console.log(`Going on without ${list(stillMissing)}: what needs it is skipped`)
  if (missing.some(({ name }) => name === 'coturn') && existsSync('/run/systemd/system')) {
    console.log(
      'The tests start a coturn of their own; to stop the service that came along: systemctl disable --now coturn',
    )
  }
}
