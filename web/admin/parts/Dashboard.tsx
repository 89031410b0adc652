import { useEffect, useState } from 'preact/hooks'
import { testIds } from '../../ui/test-ids.ts'
import type { AdminApi, AdminError } from '../model/admin-api.ts'
import { type Live, LiveData } from '../model/live-data.ts'
import { Facts } from './Facts.tsx'
import { Plots } from './Plots.tsx'
import { Rooms } from './Rooms.tsx'

export interface DashboardProps {
  readonly api: AdminApi
  /** The key is not taken. */
  readonly onRefused: (error: AdminError) => void
}

const NOTHING: Live = { present: undefined, points: [], trouble: undefined }

export function Dashboard({ api, onRefused }: DashboardProps) {
  const [{ present, points, trouble }, setLive] = useState(NOTHING)
  useEffect(() => {
    const data = new LiveData((afterMs) => api.data(afterMs), onRefused)
    const unwatch = data.live.watch(() => setLive(data.live.value))
    return () => {
      unwatch()
      data.stop()
    }
  }, [api])

  return (
    <>
      {trouble !== undefined && (
        <p class="callout callout-warning" role="alert" data-testid={testIds.adminTrouble}>
          {trouble.code === 'unreachable'
            ? 'The server does not answer. What is shown is from before.'
            : trouble.message}
        </p>
      )}
      {present === undefined ? (
        trouble === undefined && (
          <p role="status">
            <span class="spinner" /> Asking the server…
          </p>
        )
      ) : (
        <>
          <Facts present={present} points={points} />
          <Plots points={points} />
          <Rooms api={api} />
        </>
      )}
    </>
  )
}
