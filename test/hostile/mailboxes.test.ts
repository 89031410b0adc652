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
const PER_HOUR = 25
const PER_ROOM = 40
const SHARE = PER_ROOM / 4
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
        expect(await flooded(first, FLOOD)).toEqual({ stored: SHARE, 'mailboxes-full': FLOOD - SHARE })
        // Another device gives it no more of the room, nor other rooms more within an hour.
        const device = await entered(eve, room, carrier)
        expect(await flooded(device, 8)).toEqual({ 'mailboxes-full': 8 })
        const second = await entered(eve, hex(8), carrier)
        expect(await flooded(second, 16)).toEqual({ stored: SHARE, 'mailboxes-full': 16 - SHARE })
        const third = await entered(eve, hex(8), carrier)
        const rest = PER_HOUR - 2 * SHARE
        expect(await flooded(third, 16)).toEqual({ stored: rest, 'rate-limited': 16 - rest })
        // Users that act together are held to what the room may have.
        const accomplices = []
        for (let share = 1; share < PER_ROOM / SHARE; share += 1) {
          const accomplice = await entered(`mallory-${share}-${hex(4)}`, room, carrier)
          accomplices.push(accomplice)
          expect(await flooded(accomplice, 16)).toEqual({ stored: SHARE, 'mailboxes-full': 16 - SHARE })
        }
        const last = await entered(`trudy-${hex(4)}`, room, carrier)
        expect(await flooded(last, 8)).toEqual({ 'mailboxes-full': 8 })
        // Others write to each other in other rooms.
        const elsewhere = hex(8)
        const ada = await entered(`ada-${hex(4)}`, elsewhere, carrier)
        ada.store(mail(1, 'bo'))
        expect(await ada.next('stored')).toEqual({ t: 'stored', of: [{ n: 1 }] })
        const bo = await entered('bo', elsewhere, carrier)
        bo.say({ t: 'history', id: 7, limit: 9, mail: true })
        expect(await bo.next('history')).toMatchObject({ entries: [{ offset: 1 }] })
        for (const client of [first, device, second, third, ...accomplices, last, ada, bo]) client.drop()
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
