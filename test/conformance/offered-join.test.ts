import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { describeWire, freshRoom } from './target.ts'

const hex = (bytes: number): string => randomBytes(bytes).toString('hex')

const joinTo = (room: string, more: object = {}): object => ({
  ...{ t: 'join', id: 7, vMin: 1, vMax: 1, room, profile: { name: 'Çelik 🦊' } },
  ...{ instance: hex(16), joinKey: hex(16), ...more },
})
const asValue = (text: string): string => `join.${Buffer.from(text).toString('base64url')}`
const offer = (message: object): string[] => ['partyline', asValue(JSON.stringify(message))]

describeWire(
  'a join that rides in the upgrade',
  (target) => {
    it('is the first message: the welcome comes without being asked for', async () => {
      const server = await target.start()
      const room = freshRoom()
      const ada = await target.joined(server, { room })
      const bob = await target.connect(server, { protocols: offer(joinTo(room)) })
      expect(bob.protocol).toBe('partyline')
      const welcome = await bob.next('welcome')
      expect(welcome).toMatchObject({ re: 7, room, resumed: false, members: [{ id: ada.id }] })
      expect(await ada.next('joined')).toMatchObject({
        member: { id: welcome.peerId, profile: { name: 'Çelik 🦊' }, presence: 'here' },
      })
      bob.send({ kind: 'one', id: ada.id as typeof welcome.peerId }, 'hello')
      expect(await ada.nextFrame()).toMatchObject({ from: welcome.peerId, payload: 'hello' })
    })

    it('brings a session token along, and comes back as the same member', async () => {
      const server = await target.start()
      const room = freshRoom()
      const keys = { instance: hex(16), joinKey: hex(16) }
      const first = await target.connect(server, { protocols: offer(joinTo(room, keys)) })
      const { peerId, token } = await first.next('welcome')
      const second = await target.connect(server, { protocols: offer(joinTo(room, { ...keys, token })) })
      expect(await second.next('welcome')).toMatchObject({ peerId, resumed: true })
      expect(await first.closed).toMatchObject({ code: 4002 })
    })

    it('may be as large as a client offers, and larger', async () => {
      const server = await target.start()
      for (const letters of [1_800, 3_500]) {
        const large = joinTo(freshRoom(), { profile: 'x'.repeat(letters) })
        const ada = await target.connect(server, { protocols: offer(large) })
        expect((await ada.next('welcome')).re).toBe(7)
      }
    })

    it('is found among other subprotocols, which are not spoken', async () => {
      const server = await target.start()
      const protocols = ['chat', ...offer(joinTo(freshRoom())).reverse(), 'v1.other']
      const ada = await target.connect(server, { protocols })
      expect(ada.protocol).toBe('partyline')
      expect((await ada.next('welcome')).re).toBe(7)
    })

    it('is not needed: with the subprotocol alone, or with none, the first message is the join', async () => {
      const server = await target.start()
      for (const protocols of [['partyline'], []]) {
        const ada = await target.connect(server, { protocols })
        expect(ada.protocol).toBe(protocols[0] ?? '')
        expect((await ada.join({ room: freshRoom() })).v).toBe(1)
      }
    })

    it.each([
      ['no base64url', 'join.!'],
      ['no UTF-8', `join.${Buffer.from([0xff, 0xfe]).toString('base64url')}`],
      ['empty', 'join.'],
      ['no JSON', asValue('{')],
      ['no object', asValue('[]')],
      ['not complete', asValue('{"t":"join","id":1}')],
    ])('that is %s is answered as a malformed first message', async (_what, value) => {
      const server = await target.start()
      const ada = await target.connect(server, { protocols: ['partyline', value] })
      expect(await ada.next('error')).toMatchObject({ code: 'bad-message', fatal: true })
      expect(await ada.next('bye')).toMatchObject({ code: 4001 })
      expect(await ada.closed).toMatchObject({ code: 4001 })
    })

    it('must be a join: anything else there is answered as before a join', async () => {
      const server = await target.start()
      const ada = await target.connect(server, { protocols: offer({ t: 'ping', n: 1 }) })
      expect(await ada.next('error')).toMatchObject({ code: 'not-joined', fatal: true })
      expect(await ada.closed).toMatchObject({ code: 4001 })
    })

    it('that is refused gets its reason', async () => {
      const server = await target.start()
      const ada = await target.connect(server, {
        protocols: offer(joinTo(freshRoom(), { vMin: 60_000, vMax: 60_001 })),
      })
      expect(await ada.next('error')).toMatchObject({ code: 'version-unsupported', fatal: true })
      expect(await ada.closed).toMatchObject({ code: 4003 })
    })
  },
  ['websocket'],
)
