import { useState } from 'preact/hooks'
import { Icon } from '../ui/Icon.tsx'
import { ownName } from '../ui/own-name.ts'
import { passPassword } from '../ui/passed-password.ts'
import { PERSON_NAME_CHARACTERS, readPersonName } from '../ui/person-name.ts'
import { browserRandomBelow, suggestRoomName } from '../ui/random-words.ts'
import { remember } from '../ui/remembered.ts'
import { newRoomSecret, type RoomLink, readPastedLink, roomAddress } from '../ui/room-link.ts'
import { faultOfNewPassword } from '../ui/room-password.ts'
import { ShareLink } from '../ui/ShareLink.tsx'
import { readRoomName } from '../ui/site-address.ts'
import { testIds } from '../ui/test-ids.ts'
import { ChooseLock, type LockChoice } from './ChooseLock.tsx'

const WORDS_OF_LINK: Readonly<Record<RoomLink['lock']['kind'], string>> = Object.freeze({
  secret: 'This link carries its room’s secret: only who has it can read along.',
  password: 'This room has a password: you are asked for it next.',
  none: 'This link has no secret: whoever knows the room’s name can come in, and a server that lies could listen.',
  damaged: 'This link has lost a part of its secret: you are asked for the rest next.',
})

/** Make a room or enter one: there is no difference, a room is there when somebody is in it. */
export function EnterRoom({ root }: { readonly root: URL }) {
  const [name, setName] = useState(ownName)
  const [typedRoom, setTypedRoom] = useState(() => suggestRoomName(browserRandomBelow))
  const [choice, choose] = useState<LockChoice>('secret')
  const [secret] = useState(() => newRoomSecret())
  const [password, setPassword] = useState('')
  const pasted = readPastedLink(typedRoom)
  const room = pasted?.room ?? readRoomName(typedRoom)
  // A link that was pasted says itself how its room is protected.
  const lock = pasted?.lock ?? (choice === 'secret' ? { kind: choice, secret } : { kind: choice })
  const link: RoomLink | undefined = room === undefined ? undefined : { room, lock }
  const fault = pasted === undefined && choice === 'password' ? faultOfNewPassword(password) : undefined
  const canEnter = link !== undefined && fault === undefined
  return (
    <form
      class="card enter"
      onSubmit={(event) => {
        event.preventDefault()
        if (!canEnter) return
        const chosen = readPersonName(name)
        if (chosen !== undefined) remember('name', chosen)
        if (pasted === undefined && choice === 'password') passPassword(link.room, password)
        location.assign(roomAddress(root, link))
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
            : 'A new name makes a room. A link to a room works here too.'}
        </p>
      </div>
      {pasted === undefined ? (
        <ChooseLock
          choice={choice}
          choose={choose}
          password={password}
          setPassword={setPassword}
          fault={password === '' ? undefined : fault}
        />
      ) : (
        <p class="field-hint" data-testid={testIds.startLockHint}>
          {WORDS_OF_LINK[pasted.lock.kind]}
        </p>
      )}
      <button
        type="submit"
        class="button button-primary button-large"
        disabled={!canEnter}
        data-testid={testIds.startEnter}
      >
        Go in
      </button>
      <div class="field">
        <span>Link to share</span>
        <ShareLink address={link === undefined ? root : roomAddress(root, link)} room={room ?? ''} />
      </div>
    </form>
  )
}
