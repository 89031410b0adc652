import type { SealingMode } from 'partyline'
import type { RoomLock } from '../../ui/room-link.ts'

/** What the lock of a room means, for people who never heard of cryptography. */
export interface LockMeaning {
  /** Beside the lock. */
  readonly word: string
  readonly title: string
  readonly text: readonly string[]
  readonly isClosed: boolean
}

const DIRECT =
  'What goes straight from browser to browser passes no server at all, and is encrypted on its way in every room.'
/** Whoever serves the page can serve another one, which reads all that the page can. */
const PAGE = 'All this goes for the page as it is: whoever serves it to you has to be trusted to send this one.'
const NOT_HIDDEN =
  'The server always sees the room’s name, who is here, and when and how much is sent. It sees the names of members too, and could show others.'

export function meaningOf(sealing: SealingMode, lock: RoomLock['kind']): LockMeaning {
  if (sealing === 'open') {
    return {
      word: 'Not sealed',
      title: 'The server can read along',
      text: ['This room is not sealed: what goes through the server can be read there.', DIRECT],
      isClosed: false,
    }
  }
  if (sealing === 'link') {
    return {
      word: 'No secret',
      title: 'Sealed, but without a secret',
      text: [
        'What goes through the server is sealed, and a server that only looks cannot read it.',
        'But whoever knows the room’s name can come in, and a server that lies could put itself between you and listen. Equal safety numbers show that it does not: click a member to see yours.',
        'A private link prevents it altogether.',
        NOT_HIDDEN,
        PAGE,
      ],
      isClosed: false,
    }
  }
  const isPassword = lock === 'password'
  return {
    word: 'Private',
    title: isPassword ? 'Only who knows the password can read along' : 'Only who has the link can read along',
    text: [
      isPassword
        ? 'Everything that goes through the server is sealed with the password, which is never sent to it. It can neither read nor change what you write and send, nor put itself between you, unless it guesses the password: whoever runs it can try many. Several words are hard to guess.'
        : 'The link carries a secret that browsers never send to the server. So the server can neither read nor change what you write and send, nor put itself between you, even if it lies. Whoever gets the link can come in: pass it on with care.',
      NOT_HIDDEN,
      PAGE,
    ],
    isClosed: true,
  }
}
