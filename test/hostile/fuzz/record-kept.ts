import { setTimeout as after } from 'node:timers/promises'
import { SignJWT } from 'jose'
import type { ServerOptionsInput } from '../../../signaling/options/table.ts'
import { type JoinOptions, joinRoom } from '../../../web/client/index.ts'
import type { CarrierName } from '../../conformance/wire.ts'

const SECRET = 'a-secret-of-the-application-that-signs'

/** Of the server that sessions with access tokens and what is kept are recorded with. */
export const KEEPING: ServerOptionsInput = {
  ...{ access: 'token', accessSecret: [SECRET] },
  history: ['*;messages=50;age=1h;mail=10'],
}

/** With the 5 s that are given besides, the server warns after 3 s. */
const FIRST_S = 1

/** Tokens of a user: the first runs out soon, so that it is renewed. */
function tokensOf(sub: string): () => Promise<string> {
  let life = FIRST_S
  return () => {
    const exp = Math.floor(Date.now() / 1_000) + life
    life = 3_600
    return new SignJWT({ rooms: ['recorded'], sub, exp }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET))
  }
}

/** A little of what there is where messages are kept: records, mail, pages, read positions, and tokens that are renewed. */
export async function keptLife(server: string, uplink: CarrierName, options: Partial<JoinOptions>): Promise<string[]> {
  const enter = (name: string) =>
    joinRoom('recorded', {
      ...{ server, uplink, paths: ['relay'], profile: { name }, history: { last: 5 } },
      ...{ accessToken: tokensOf(name.toLowerCase()), ...options },
    })
  const rooms = [enter('Ada'), enter('Bo')] as const
  const [ada, bo] = rooms
  const chats = rooms.map((room) => room.channel<object>('chat'))
  for (const chat of chats) chat.on('message', () => undefined)
  await Promise.all(rooms.map(({ ready }) => ready))
  while (rooms.some(({ peers }) => peers.size === 0)) await after(20)
  for (let n = 0; n < 4; n += 1) {
    await Promise.all(chats.map((chat) => chat.send({ line: `line ${n} – ümläut`, n }, { store: true }).stored))
  }
  for (const user of ['bo', 'cy']) await chats[0]?.send({ line: `to ${user}` }, { user }).stored
  const page = await bo.history({ limit: 3 })
  if (page.before !== undefined) await bo.history({ limit: 3, before: page.before })
  if (page.newest !== undefined) await bo.markRead(page.newest, { share: true })
  const mail = await bo.history({ mail: true, limit: 5 })
  if (mail.newest !== undefined) await bo.markRead({ ...mail.newest, mail: true })
  await ada.readPositions()
  const late = enter('Cy')
  late.channel('chat').on('message', () => undefined)
  await late.ready
  await Promise.all(chats.map((chat) => chat.send({ line: 'and the last' }, { store: true }).stored))
  // Those who were told that their tokens run out have renewed them.
  await after(4_000)
  const ids = [...rooms, late].flatMap(({ self }) => self?.id ?? [])
  for (const room of [...rooms, late]) await room.leave()
  return ids
}
