import { joinRoom } from 'partyline'
import { render } from 'preact'
import '../ui/styles/index.css'
import './chat.css'
import { ownName } from '../ui/own-name.ts'
import { type RoomLink, readRoomLink } from '../ui/room-link.ts'
import { siteRoot } from '../ui/site-address.ts'
import { Visit } from './components/Visit.tsx'
import type { ChatProfile } from './model/member.ts'
import { ChatSession } from './session/chat-session.ts'
import { browserEnvironment } from './session/environment.ts'
import { browserChooseTarget } from './session/file-target.ts'
import { measurePicture } from './session/measure-picture.ts'
import { OwnIdentity } from './session/own-identity.ts'

const root = siteRoot(location.href, '../')
const place = document.getElementById('app') ?? document.body
const link = readRoomLink(new URL(location.href))
const identity = await OwnIdentity.load()

function enter({ room, lock }: RoomLink, password: string | undefined): ChatSession {
  const name = ownName()
  const pair = identity.pair.value
  return new ChatSession(
    joinRoom<ChatProfile>(room, {
      server: root,
      profile: { name },
      ...(lock.kind === 'secret' && { secret: lock.secret }),
      ...(lock.kind === 'password' && password !== undefined && { password }),
      ...(pair !== undefined && { identity: pair }),
    }),
    name,
    {
      environment: browserEnvironment,
      chooseTarget: browserChooseTarget(globalThis),
      measure: measurePicture,
      showsIdentity: pair !== undefined,
    },
  )
}

// Another link pasted into the address bar changes no more than the fragment: browsers stay on the page.
addEventListener('hashchange', () => location.reload())

if (link === undefined) location.replace(root)
else render(<Visit root={root} link={link} identity={identity} enter={enter} />, place)
