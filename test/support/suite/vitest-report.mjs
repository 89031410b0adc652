/**
 * The parts of vitest's JSON report that are counted.
 * @typedef {object} VitestReport
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {TestFile[]} testResults
 *
 * @typedef {{ status: string, fullName: string, failureMessages?: string[] }} Assertion
 * @typedef {{ name: string, status: string, message?: string, assertionResults: Assertion[] }} TestFile
 *
 * @typedef {{ passed: number, failed: number, skipped: number, failures?: readonly string[] }} Count
 */

/** Lines of a failure's message that are shown once more at the end. */
const SHOWN_LINES = 6

/**
 * @param {string} name
 * @param {string | undefined} message
 */
const described = (name, message = '') => [name, ...message.split('\n').slice(0, SHOWN_LINES)].join('\n    ').trimEnd()

/**
 * What failed, and the beginning of why.
 * @param {readonly TestFile[]} files
 * @returns {string[]}
 */
function failuresOf(files) {
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((assertion) => assertion.status === 'failed')
    if (status === 'failed' && failed.length === 0) return [described(name, message)]
    return failed.map(({ fullName, failureMessages }) => described(`${name}: ${fullName}`, failureMessages?.[0]))
  })
}

/**
 * Counts a run of vitest. A file that could not be loaded, a run without any test, and a run that failed outside every
 * test each count as one failed test, so that nothing which went wrong adds up to zero.
 *
 * @param {VitestReport | undefined} report undefined when vitest wrote none
 * @param {number} exitCode
 * @returns {Count}
 */
export function countTests(report, exitCode) {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 }
  const passed = report.numPassedTests
  const skipped = report.numPendingTests + report.numTodoTests
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  ).length
  const failed = report.numFailedTests + brokenFiles
  const nothingRan = passed + failed + skipped === 0
  const count = { passed, failed: failed === 0 && (exitCode !== 0 || nothingRan) ? 1 : failed, skipped }
  return failed === 0 ? count : { ...count, failures: failuresOf(report.testResults) }
}
