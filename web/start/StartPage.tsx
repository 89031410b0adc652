import { InsecureNotice } from '../ui/InsecureNotice.tsx'
import { SiteHeader } from '../ui/SiteHeader.tsx'
import { EnterRoom } from './EnterRoom.tsx'
import { HowItWorks } from './HowItWorks.tsx'

export function StartPage({ root }: { readonly root: URL }) {
  return (
    <div class="page">
      <SiteHeader root={root}>
        <a href={new URL('diagnostics/', root).href}>Diagnostics</a>
      </SiteHeader>
      <main class="page-main start">
        <div class="start-words">
          <h1>Rooms where browsers talk to each other.</h1>
          <p class="start-lead">
            Open a room, share its link, and talk at once. Messages and files go straight from browser to browser. Where
            that is impossible they go through the server, sealed: it cannot read them. Nothing to install, no account.
          </p>
          <HowItWorks />
        </div>
        <div class="start-form">
          <InsecureNotice />
          <EnterRoom root={root} />
        </div>
      </main>
    </div>
  )
}
