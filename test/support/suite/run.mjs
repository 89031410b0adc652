/**
 * `npm test`: installs what is missing, runs every check, and ends with the line `N passed, N failed`.
 * `npm test -- unit lint` runs the steps whose names begin so. With CI=true a skipped test counts as a failed one:
 * there, everything a test may be skipped for is expected to be present.
 */
import { requireNode } from '../../../signaling/setup/node-version.mjs'
import { ensurePackages } from '../../../signaling/setup/packages.mjs'
import { STEPS } from './steps.mjs'
import { ensureSystemPackages } from './system-packages.mjs'

/** @typedef {import('./vitest-report.mjs').Count & { name: string, seconds: number }} Line */

/**
 * @param {string} name
 * @param {() => Promise<import('./vitest-report.mjs').Count>} step
 * @returns {Promise<Line>}
 */
async function timed(name, step) {
  console.log(`\n── ${name} ──`)
  const startedAtMs = performance.now()
  const count = await step()
  return { name, ...count, seconds: (performance.now() - startedAtMs) / 1_000 }
}

/** @param {readonly Line[]} lines */
function summarize(lines) {
  console.log('\n── summary ──')
  for (const { name, passed, failed, skipped, seconds } of lines) {
    const mark = failed === 0 ? 'ok  ' : 'FAIL'
    const parts = [`${passed} passed`, `${failed} failed`, ...(skipped > 0 ? [`${skipped} skipped`] : [])]
    console.log(`${mark}  ${name.padEnd(18)} ${parts.join(', ')}  (${seconds.toFixed(1)} s)`)
  }
  // Once more, where whoever reads only the end finds it.
  for (const failure of lines.flatMap(({ failures = [] }) => failures)) console.log(`FAILED ${failure}`)
  /** @param {'passed' | 'failed' | 'skipped'} what */
  const sum = (what) => lines.reduce((total, line) => total + line[what], 0)
  const skipsFail = process.env.CI === 'true' && sum('skipped') > 0
  if (skipsFail) console.log(`CI=true: ${sum('skipped')} skipped tests count as failed`)
  const failed = sum('failed') + (skipsFail ? sum('skipped') : 0)
  console.log(`${sum('passed')} passed, ${failed} failed`)
  process.exitCode = failed === 0 && sum('passed') > 0 ? 0 : 1
}

requireNode()
/** @type {Line[]} */
const lines = []
const wanted = process.argv.slice(2)
try {
  const unknown = wanted.filter((start) => !STEPS.some(({ name }) => name.startsWith(start)))
  if (unknown.length > 0) {
    throw new Error(`no step begins with ${unknown.join(', ')}; there are ${STEPS.map(({ name }) => name).join(', ')}`)
  }
  await ensurePackages()
  await ensureSystemPackages()
  for (const { name, run } of STEPS) {
    if (wanted.length === 0 || wanted.some((start) => name.startsWith(start))) lines.push(await timed(name, run))
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  lines.push({ name: 'setup', passed: 0, failed: 1, skipped: 0, seconds: 0 })
}
summarize(lines)
