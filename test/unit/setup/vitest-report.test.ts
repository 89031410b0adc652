import { describe, expect, it } from 'vitest'
import { countTests } from '../../support/suite/vitest-report.mjs'

const report = (passed: number, failed: number, testResults: { status: string; statuses: string[] }[] = []) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: testResults.map(({ status, statuses }, index) => ({
    name: `${index}.test.ts`,
    status,
    message: 'SyntaxError',
    assertionResults: statuses.map((one, at) => ({ status: one, fullName: `test ${at}`, failureMessages: ['not 7'] })),
  })),
})

describe('the count of a test run', () => {
  it('is what the report says', () => {
    const file = { status: 'failed', statuses: ['passed', 'passed', 'failed'] }
    expect(countTests(report(2, 1, [file]), 1)).toEqual({
      passed: 2,
      failed: 1,
      skipped: 0,
      failures: ['0.test.ts: test 2\n    not 7'],
    })
  })

  it('counts a file that could not be loaded as one failed test', () => {
    const files = [
      { status: 'passed', statuses: ['passed'] },
      { status: 'failed', statuses: [] },
    ]
    expect(countTests(report(1, 0, files), 1)).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
      failures: ['1.test.ts\n    SyntaxError'],
    })
  })

  it('is never all good when vitest says that something failed', () => {
    expect(countTests(report(3, 0), 1)).toEqual({ passed: 3, failed: 1, skipped: 0 })
  })

  it('takes a run without tests, and one without a report, for a failure', () => {
    expect(countTests(report(0, 0), 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('tells skipped tests apart', () => {
    expect(countTests({ ...report(1, 0), numPendingTests: 2, numTodoTests: 1 }, 0)).toMatchObject({ skipped: 3 })
  })
})
