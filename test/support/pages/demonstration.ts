/** Stands in for `partyline` when the pages are looked at without a server: a lively room of three. */
import type { JoinOptions, PeerId, Room } from 'partyline'
import type { ChatProfile } from '../../../web/chat/model/member.ts'
import { FakeOffer } from './fake-offer.ts'
import { type FakePeer, FakeRoom } from './fake-room.ts'

export * from '../../../web/client/errors.ts'
export { createIdentity, loadIdentity, newSecret } from '../../../web/client/identity.ts'

const ADA = '17f00000000000aa' as PeerId
const BO = '2c400000000000bb' as PeerId
const CY = '93b00000000000cc' as PeerId

const person = (id: PeerId, name: string, path: FakePeer['path'], rttMs: number, why: string): FakePeer => ({
  id,
  profile: { name },
  presence: 'here',
  path,
  why,
  rttMs,
})

async function drawing(): Promise<Blob> {
  const canvas = new OffscreenCanvas(640, 400)
  const brush = canvas.getContext('2d')
  if (brush === null) return new Blob()
  const sky = brush.createLinearGradient(0, 0, 0, 400)
  sky.addColorStop(0, '#5561c9')
  sky.addColorStop(1, '#ffc48a')
  brush.fillStyle = sky
  brush.fillRect(0, 0, 640, 400)
  brush.fillStyle = '#2b2a4d'
  brush.fillRect(0, 300, 640, 100)
  return canvas.convertToBlob({ type: 'image/png' })
}

async function play(room: FakeRoom): Promise<void> {
  const now = room.now()
  room.welcome([
    person(ADA, 'Ada Lovelace', 'direct', 3.4, 'A direct path answered its ping'),
    person(BO, 'Bo', 'relay', 48, 'The direct path is being tried'),
  ])
  room.say(ADA, { text: 'Morning! Did the night run finish?' }, now - 400_000)
  room.say(
    ADA,
    { text: 'The report is at https://example.org/runs/2026-11-21?tab=delivery (second table).' },
    now - 395_000,
  )
  room.say(
    BO,
    { text: 'It did: nothing lost, nothing twice.\nI killed the server in the middle, and nobody noticed.' },
    now - 90_000,
  )
  room.join(person(CY, 'Cyrus', 'turn', 71, 'Through turn:turn.example.org over TCP, since UDP is blocked'))
  room.say(CY, { text: 'Hi all 👋' }, now - 30_000)
  room.offer(new FakeOffer('o1', BO, 'night-run.tar.gz', 'application/gzip', 18_400_000, now - 20_000))
  const picture = await drawing()
  const offer = new FakeOffer('o2', ADA, 'sunset.png', 'image/png', picture.size, now - 10_000, {
    width: 640,
    height: 400,
  })
  room.offer(offer)
  offer.bring(new Uint8Array(await picture.arrayBuffer()))
  offer.end()
  room.type(CY, true)
  setInterval(() => {
    room.change(ADA, { rttMs: 3 + Math.random() * 2 })
    room.change(BO, { rttMs: 40 + Math.random() * 30 })
    room.type(CY, true)
    for (const { outcome } of room.sent) {
      outcome.accepted?.()
      outcome.delivered?.()
    }
    for (const own of room.ownOffers) {
      const bytes = Math.min(own.data.size, (own.transfers.size === 0 ? 0.4 : 0.8) * own.data.size)
      own.transfers.set(ADA, 'running')
      own.options?.onProgress?.({ peer: ADA, bytes, totalBytes: own.data.size })
    }
  }, 1_000)
}

export function joinRoom(name: string, options: JoinOptions<ChatProfile>): Room<ChatProfile> {
  const room = new FakeRoom(name, options.profile ?? { name: 'Somebody' }, () => Date.now())
  room.sealing = options.secret === undefined && options.password === undefined ? 'link' : 'secret'
  Object.assign(globalThis, { fakeRoom: room })
  queueMicrotask(() => void play(room))
  return room.room
}
