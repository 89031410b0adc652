import { joinRoom } from 'partyline'
import { render } from 'preact'
import '../ui/styles/index.css'
import './chat.css'
import { ownName } from '../ui/own-name.ts'
import { readRoomName, siteRoot } from '../ui/site-address.ts'
import { FailedPage } from './components/FailedPage.tsx'
import { Visit } from './components/Visit.tsx'
import type { ChatProfile } from './model/member.ts'
import { ChatSession } from './session/chat-session.ts'
import { browserEnvironment } from './session/environment.ts'
import { browserChooseTarget } from './session/file-target.ts'
import { measurePicture } from './session/measure-picture.ts'

const root = siteRoot(location.href, '../')
const place = document.getElementById('app') ?? document.body
const roomName = readRoomName(new URL(location.href).searchParams.get('room'))

function enter(room: string): ChatSession {
  const name = ownName()
  return new ChatSession(joinRoom<ChatProfile>(room, { server: root, profile: { name } }), name, {
    environment: browserEnvironment,
    chooseTarget: browserChooseTarget(globalThis),
    measure: measurePicture,
  })
}

if (roomName === undefined) {
  location.replace(root)
} else {
  try {
    render(<Visit root={root} first={enter(roomName)} enter={() => enter(roomName)} />, place)
  } catch (error) {
    render(<FailedPage root={root} error={error} />, place)
  }
}
