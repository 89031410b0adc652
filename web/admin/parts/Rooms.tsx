import { useState } from 'preact/hooks'
import { testIds } from '../../ui/test-ids.ts'
import type { AdminApi } from '../model/admin-api.ts'
import { formatCount } from '../model/numbers.ts'
import type { RoomRow } from '../model/server-data.ts'
import { shownText } from '../model/shown-text.ts'
import { Pager } from './Pager.tsx'
import { RoomDialog } from './RoomDialog.tsx'
import { usePages } from './use-pages.ts'

/** A room begins and ends all the time: the list is as it was when it was asked for. */
export function Rooms({ api }: { readonly api: AdminApi }) {
  const [typed, setTyped] = useState('')
  const [open, setOpen] = useState<string | undefined>(undefined)
  const pages = usePages<RoomRow>((after) => api.rooms(after), 'rooms')

  return (
    <section class="rooms" aria-labelledby="rooms-title">
      <header class="rooms-head">
        <h2 id="rooms-title">Rooms</h2>
        <form
          class="rooms-search"
          onSubmit={(event) => {
            event.preventDefault()
            if (typed !== '') setOpen(typed)
          }}
        >
          <input
            class="input"
            aria-label="Name of a room"
            placeholder="Name of a room"
            value={typed}
            data-testid={testIds.adminRoomSearch}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <button type="submit" class="button">
            Open
          </button>
        </form>
        <button type="button" class="button" data-testid={testIds.adminRefresh} onClick={pages.again}>
          Look again
        </button>
      </header>
      {pages.trouble !== undefined && (
        <p class="callout callout-warning" role="alert">
          {pages.trouble}
        </p>
      )}
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Room</th>
            <th scope="col" class="number">
              Members
            </th>
            <th scope="col" class="number">
              Away
            </th>
          </tr>
        </thead>
        <tbody>
          {pages.rows.map(({ name, members, away }) => (
            <tr key={name} data-testid={testIds.adminRoom} data-room={name}>
              <td>
                <button type="button" class="link-button" onClick={() => setOpen(name)}>
                  {shownText(name)}
                </button>
              </td>
              <td class="number">{formatCount(members)}</td>
              <td class="number">{formatCount(away)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {pages.rows.length === 0 && pages.trouble === undefined && (
        <p class="empty">{pages.isAsking ? 'Asking…' : 'Nobody is in any room.'}</p>
      )}
      <Pager pages={pages} of="rooms" />
      {open !== undefined && (
        <RoomDialog
          api={api}
          room={open}
          onClose={() => {
            setOpen(undefined)
            pages.again()
          }}
        />
      )}
    </section>
  )
}
