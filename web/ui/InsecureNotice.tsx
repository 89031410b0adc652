import { Icon } from './Icon.tsx'
import { adviceForInsecurePage, securityOfThisPage } from './secure-page.ts'
import { testIds } from './test-ids.ts'

/** Says what to do where browsers withhold cryptography from the page; nothing elsewhere. */
export function InsecureNotice() {
  const advice = adviceForInsecurePage(securityOfThisPage())
  if (advice === undefined) return null
  return (
    <section class="callout callout-warning" role="alert" data-testid={testIds.insecureNotice}>
      <Icon name="warning" />
      <div>
        <strong>No room can be entered from this page.</strong> Rooms are sealed end to end, and the browser withholds
        the cryptography for it from a page that is not secure.
        <ul>
          {advice.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </div>
    </section>
  )
}
