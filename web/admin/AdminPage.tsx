import { useState } from 'preact/hooks'
import { SiteHeader } from '../ui/SiteHeader.tsx'
import { testIds } from '../ui/test-ids.ts'
import { AdminApi, type AdminError } from './model/admin-api.ts'
import { keepKey, keptKey } from './model/kept-key.ts'
import { Dashboard } from './parts/Dashboard.tsx'
import { KeyForm } from './parts/KeyForm.tsx'

/** Asks for the API key, once in a tab, and shows the server to whoever has it. */
export function AdminPage({ root }: { readonly root: URL }) {
  const [api, setApi] = useState(() => {
    const key = keptKey()
    return key === undefined ? undefined : new AdminApi(root, key)
  })
  const [refused, setRefused] = useState<AdminError | undefined>(undefined)

  const leave = (error?: AdminError): void => {
    keepKey(undefined)
    setRefused(error)
    setApi(undefined)
  }

  return (
    <div class="page">
      <SiteHeader root={root}>
        {api === undefined ? (
          <a href={root.href}>Rooms</a>
        ) : (
          <button type="button" class="button button-small" data-testid={testIds.adminLeave} onClick={() => leave()}>
            Forget key
          </button>
        )}
      </SiteHeader>
      <main class="page-main admin">
        <h1>Administration</h1>
        {api === undefined ? (
          <KeyForm
            refused={refused}
            onKey={(key) => {
              keepKey(key)
              setRefused(undefined)
              setApi(new AdminApi(root, key))
            }}
          />
        ) : (
          <Dashboard api={api} onRefused={leave} />
        )}
      </main>
    </div>
  )
}
