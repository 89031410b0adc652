import type { joinRoom } from 'partyline'
import { useEffect, useState } from 'preact/hooks'
import { CopyButton } from '../ui/CopyButton.tsx'
import { InsecureNotice } from '../ui/InsecureNotice.tsx'
import { browserRandomBelow, suggestRoomName } from '../ui/random-words.ts'
import { SiteHeader } from '../ui/SiteHeader.tsx'
import { testIds } from '../ui/test-ids.ts'
import { CheckRow } from './CheckRow.tsx'
import type { Finding } from './check.ts'
import { CHECKS } from './checks/index.ts'
import { conclude } from './conclusion.ts'
import type { ObservedIceServers } from './ice-observer.ts'
import { writeReport } from './report.ts'
import { runChecks } from './run-checks.ts'

export interface DiagnosticsPageProps {
  readonly root: URL
  readonly iceServers: ObservedIceServers
  readonly load: () => Promise<{ readonly joinRoom: typeof joinRoom }>
}

export function DiagnosticsPage({ root, iceServers, load }: DiagnosticsPageProps) {
  const [round, setRound] = useState(1)
  const [running, setRunning] = useState<string | undefined>(undefined)
  const [findings, setFindings] = useState<ReadonlyMap<string, Finding>>(new Map())
  const isDone = findings.size === CHECKS.length
  const conclusion = isDone ? conclude(findings) : undefined

  useEffect(() => {
    const abort = new AbortController()
    setFindings(new Map())
    void load().then(({ joinRoom }) => {
      const room = `diagnostics-${suggestRoomName(browserRandomBelow)}-${browserRandomBelow(1_000_000)}`
      const context = { root, joinRoom, room, iceServers: iceServers.list, signal: abort.signal }
      return runChecks(CHECKS, context, {
        started: setRunning,
        found: (id, finding) => setFindings((before) => new Map(before).set(id, finding)),
      })
    })
    return () => abort.abort()
  }, [round, root, iceServers, load])

  return (
    <div class="page">
      <SiteHeader root={root}>
        <a href={root.href}>Rooms</a>
      </SiteHeader>
      <main class="page-main diagnostics">
        <h1>Diagnostics</h1>
        <p>Checks what this browser and this network allow. Takes up to a minute where something is blocked.</p>
        <InsecureNotice />
        <p
          class={`conclusion conclusion-${conclusion?.verdict ?? 'running'}`}
          role="status"
          data-testid={testIds.diagnosticsVerdict}
          data-verdict={conclusion?.verdict ?? 'running'}
        >
          {conclusion?.text ?? `Checking: ${findings.size} of ${CHECKS.length} done`}
        </p>
        <ol class="checks">
          {CHECKS.map((check) => (
            <CheckRow key={check.id} check={check} finding={findings.get(check.id)} isRunning={running === check.id} />
          ))}
        </ol>
        <div class="diagnostics-actions">
          <CopyButton
            text={() =>
              writeReport(CHECKS, findings, { server: root.href, browser: navigator.userAgent, at: new Date() })
            }
            label="Copy report"
            testId={testIds.copyReport}
          />
          <button
            type="button"
            class="button"
            disabled={!isDone}
            data-testid={testIds.runAgain}
            onClick={() => setRound(round + 1)}
          >
            Check again
          </button>
        </div>
        <details class="report">
          <summary>Report as text</summary>
          <pre data-testid={testIds.report}>
            {writeReport(CHECKS, findings, { server: root.href, browser: navigator.userAgent, at: new Date() })}
          </pre>
        </details>
      </main>
    </div>
  )
}
