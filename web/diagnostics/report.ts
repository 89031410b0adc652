import type { Check } from './check.ts'
import { conclude, type Findings } from './conclusion.ts'

export interface ReportSubject {
  readonly server: string
  readonly browser: string
  readonly at: Date
}

/** The findings as plain text, to be pasted where help is asked for. Holds no credentials and no addresses of the network. */
export function writeReport(checks: readonly Check[], findings: Findings, subject: ReportSubject): string {
  const lines = checks.flatMap(({ id, title }) => {
    const finding = findings.get(id)
    if (finding === undefined) return [`[not run] ${title}`]
    return [`[${finding.verdict}] ${title}: ${finding.text}`, ...(finding.details ?? []).map((line) => `    ${line}`)]
  })
  return [
    'Partyline diagnostics',
    `Server: ${subject.server}`,
    `Browser: ${subject.browser}`,
    `Time: ${subject.at.toISOString()}`,
    `Conclusion: ${conclude(findings).text}`,
    '',
    ...lines,
    '',
  ].join('\n')
}
