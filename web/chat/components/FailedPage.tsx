import { InsecureNotice } from '../../ui/InsecureNotice.tsx'
import { SiteHeader } from '../../ui/SiteHeader.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { describeProblem } from '../model/problem.ts'

/** Shown when the room cannot even be tried, for instance because the browser lacks something. */
export function FailedPage({ root, error }: { readonly root: URL; readonly error: unknown }) {
  return (
    <div class="page">
      <SiteHeader root={root} />
      <main class="page-main">
        <InsecureNotice />
        <section class="callout callout-warning" role="alert" data-testid={testIds.closedNotice}>
          <div>
            <strong>The room cannot be entered.</strong> {describeProblem(error)}
          </div>
        </section>
      </main>
    </div>
  )
}
