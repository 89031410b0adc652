import type { Check, CheckContext, Finding } from './check.ts'

/** Runs one check after another, so that they do not disturb each other's figures; a check that throws has found that. */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  report: { readonly started: (id: string) => void; readonly found: (id: string, finding: Finding) => void },
): Promise<void> {
  for (const { id, run } of checks) {
    if (context.signal.aborted) return
    report.started(id)
    const finding = await run(context).catch(
      (error: unknown): Finding => ({
        verdict: 'bad',
        text: 'The check itself failed.',
        details: [error instanceof Error ? error.message : String(error)],
      }),
    )
    if (!context.signal.aborted) report.found(id, finding)
  }
}
