import { SignJWT } from 'jose'
import { expect, it } from 'vitest'
import { encodeText } from '../../signaling/protocol/bytes.ts'
import { encodePlainBody, type StoreRecord } from '../../signaling/protocol/record.ts'
import { CARRIERS } from '../conformance/wire.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { hex } from './server/joining.ts'
import { describeUnderAttack } from './server/under-attack.ts'

const SECRET = 'a-secret-of-the-application-that-signs'
const access = (sub: string): Promise<string> =>
  new SignJWT({ rooms: ['*'], sub, exp: Math.floor(Date.now() / 1_000) + 600 })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(Buffer.from(SECRET))

const mail = (n: number, user: string): StoreRecord => ({
  ...{ n, channel: 1, ordinal: n - 1, name: 'chat', user },
  body: encodePlainBody({ content: 1, sentAtMs: 1_750_000_000_000, data: encodeText(`letter ${n}`) }),
})

/** Of one user: another one would be given it after 2 min, which is longer than a test may take. */
const PER_HOUR = 30
const PER_ROOM = 40
const FLOOD = 600

describeUnderAttack(
  'mailboxes',
  (scene) => {
    const entered = async (sub: string, room: string, carrier: (typeof CARRIERS)[number] = 'websocket') => {
      const client = await WireClient.connect(scene.server.url, { carrier })
      await client.join({ room, access: await access(sub) })
      return client
    }
    /** What became of so many letters to users that there are not, by code. */
    const flooded = async (client: WireClient, many: number): Promise<Record<string, number>> => {
      const outcomes: Record<string, number> = {}
      for (let sent = 0; sent < many; ) {
        const together = Math.min(64, many - sent)
        for (let one = 0; one < together; one += 1) client.store(mail(sent + one + 1, `nobody-${hex(8)}`))
        sent += together
        for (let answered = 0; answered < together; ) {
          const { of } = await client.next('stored')
          answered += of.length
          for (const { code = 'stored' } of of) outcomes[code] = (outcomes[code] ?? 0) + 1
        }
      }
      return outcomes
    }

    it.each(CARRIERS)(
      'of users that there are not are held to what one user may begin and a room may have, and others go on (%s)',
      async (carrier) => {
        const room = hex(8)
        const eve = `eve-${hex(4)}`
        const first = await entered(eve, room, carrier)
        expect(await flooded(first, FLOOD)).toEqual({ stored: PER_HOUR, 'rate-limited': FLOOD - PER_HOUR })
        // Neither another room nor another device gives it more.
        const second = await entered(eve, hex(8), carrier)
        expect(await flooded(second, 8)).toEqual({ 'rate-limited': 8 })
        // Another user is held to what the room may have.
        const accomplice = await entered(`mallory-${hex(4)}`, room, carrier)
        const rest = PER_ROOM - PER_HOUR
        expect(await flooded(accomplice, FLOOD / 2)).toEqual({ stored: rest, 'mailboxes-full': FLOOD / 2 - rest })
        // Others write to each other in other rooms.
        const elsewhere = hex(8)
        const ada = await entered(`ada-${hex(4)}`, elsewhere, carrier)
        ada.store(mail(1, 'bo'))
        expect(await ada.next('stored')).toEqual({ t: 'stored', of: [{ n: 1 }] })
        const bo = await entered('bo', elsewhere, carrier)
        bo.say({ t: 'history', id: 7, limit: 9, mail: true })
        expect(await bo.next('history')).toMatchObject({ entries: [{ offset: 1 }] })
        for (const client of [first, second, accomplice, ada, bo]) client.drop()
      },
      60_000,
    )
  },
  {
    options: {
      ...{ access: 'token', accessSecret: [SECRET] },
      ...{ history: ['*;mail=20;age=1h'], mailboxesPerRoom: PER_ROOM, newLogsPerHour: PER_HOUR },
    },
    access: () => access('honest'),
  },
)
