import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildTargets } from '../../../signaling/setup/build.mjs'
import { packageCommand, ROOT, runCommand } from '../../../signaling/setup/command.mjs'
import { countTests } from './vitest-report.mjs'

/**
 * One line of the summary: a check that passes or fails as a whole counts as one test.
 * @typedef {{ name: string, run: () => Promise<import('./vitest-report.mjs').Count> }} Step
 */

const PASSED = Object.freeze({ passed: 1, failed: 0, skipped: 0 })
const FAILED = Object.freeze({ passed: 0, failed: 1, skipped: 0 })

/** vitest's reports, one file for each project. */
const REPORTS = 'test/results'

/**
 * @param {string} name
 * @param {readonly [command: string, args: readonly string[]]} command
 * @returns {Step}
 */
const check = (name, [command, args]) => ({
  name,
  run: async () => ((await runCommand(command, args)) === 0 ? PASSED : FAILED),
})

/** @type {Step} */
const build = {
  name: 'build',
  run: async () => {
    try {
      await buildTargets({ force: true })
      return PASSED
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      return FAILED
    }
  },
}

/**
 * @param {string} project a test project of vite.config.ts
 * @returns {Step}
 */
const tests = (project) => ({
  name: project,
  run: async () => {
    const report = join(ROOT, REPORTS, `${project}.json`)
    await mkdir(join(ROOT, REPORTS), { recursive: true })
    await rm(report, { force: true })
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const exitCode = await runCommand(...packageCommand('vitest', ['run', '--project', project, ...reporters]))
    return countTests(existsSync(report) ? JSON.parse(await readFile(report, 'utf8')) : undefined, exitCode)
  },
})

/** All that `npm test` does, in this order: what fails soonest comes first, the browsers last. @type {readonly Step[]} */
export const STEPS = [
  check('types', ['npm', ['run', '--silent', 'typecheck']]),
  check('lint and format', packageCommand('biome', ['check', '--error-on-warnings', '.'])),
  build,
  tests('unit'),
  tests('conformance'),
  tests('hostile'),
  tests('integration'),
  tests('turn'),
  tests('repository'),
  tests('browser'),
  tests('nat'),
]
