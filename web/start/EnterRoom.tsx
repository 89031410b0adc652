import { useState } from 'preact/hooks'
import { Icon } from '../ui/Icon.tsx'
import { ownName } from '../ui/own-name.ts'
import { PERSON_NAME_CHARACTERS, readPersonName } from '../ui/person-name.ts'
import { browserRandomBelow, suggestRoomName } from '../ui/random-words.ts'
import { remember } from '../ui/remembered.ts'
import { ShareLink } from '../ui/ShareLink.tsx'
import { readRoomNameOrLink, roomAddress } from '../ui/site-address.ts'
import { testIds } from '../ui/test-ids.ts'

/** Make a room or enter one: there is no difference, a room is there when somebody is in it. */
export function EnterRoom({ root }: { readonly root: URL }) {
  const [name, setName] = useState(ownName)
  const [typedRoom, setTypedRoom] = useState(() => suggestRoomName(browserRandomBelow))
  const room = readRoomNameOrLink(typedRoom)
  return (
    <form
      class="card enter"
      onSubmit={(event) => {
        event.preventDefault()
        if (room === undefined) return
        const chosen = readPersonName(name)
        if (chosen !== undefined) remember('name', chosen)
        location.assign(roomAddress(root, room))
      }}
    >
      <label class="field">
        <span>Your name</span>
        <input
          class="input"
          autocomplete="nickname"
          maxLength={PERSON_NAME_CHARACTERS}
          data-testid={testIds.startName}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <div class="field">
        <label for="room">Room</label>
        <div class="field-row">
          <input
            id="room"
            class="input"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            required
            aria-describedby="room-hint"
            aria-invalid={room === undefined}
            data-testid={testIds.startRoom}
            value={typedRoom}
            onInput={(event) => setTypedRoom(event.currentTarget.value)}
          />
          <button
            type="button"
            class="button button-icon"
            aria-label="Suggest another room name"
            title="Suggest another room name"
            data-testid={testIds.startSuggest}
            onClick={() => setTypedRoom(suggestRoomName(browserRandomBelow))}
          >
            <Icon name="dice" />
          </button>
        </div>
        <p id="room-hint" class="field-hint">
          {room === undefined && typedRoom.trim() !== ''
            ? 'That name is too long: at most 128 bytes.'
            : 'A new name makes a room; whoever knows the name can come in. A link to a room works here too.'}
        </p>
      </div>
      <button
        type="submit"
        class="button button-primary button-large"
        disabled={room === undefined}
        data-testid={testIds.startEnter}
      >
        Go in
      </button>
      <div class="field">
        <span>Link to share</span>
        <ShareLink address={roomAddress(root, room ?? '')} room={room ?? ''} />
      </div>
    </form>
  )
}
