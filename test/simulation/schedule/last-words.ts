import type { PeerId } from '../../../signaling/protocol/index.ts'
import type { Sent } from '../../../web/client/face.ts'
import type { Cast } from './cast.ts'
import type { Scene } from './scene.ts'
import { CHANNELS, type Talk } from './talk.ts'

/** For what is said when all is well; a slow reader has some to catch up with. */
const LAST_MS = 20_000

/** All is well for a while: whatever is said now reaches everyone who is here. */
export async function sayLast(scene: Scene, cast: Cast, talk: Talk): Promise<void> {
  const { violations } = scene
  const { here } = cast
  const ids = here.map(({ client }) => client.room.self?.id)
  const last: [string, Sent][] = []
  const positions = new Map<PeerId, number>()
  for (const { client } of here) {
    const { room, name } = client
    const self = room.self?.id
    if (room.peers.size !== here.length - 1) {
      violations.push(`${name} sees ${room.peers.size} peers of ${here.length - 1}`)
    }
    for (const channel of CHANNELS) {
      for (const to of [undefined, [...room.peers.keys()]]) {
        const { sending, sent } = talk.say(client, channel, 9, to)
        last.push([`${name} ${channel} ${sending.n} at last`, sent])
      }
    }
    if (self !== undefined) positions.set(self, talk.position)
    talk.move(client)
  }
  const outcomes = new Map<string, Awaited<Sent['delivered']>>()
  for (const [label, { delivered }] of last) void delivered.then((outcome) => outcomes.set(label, outcome))
  await scene.world.clock.run(LAST_MS)
  for (const [label] of last) {
    const outcome = outcomes.get(label)
    if (outcome === undefined) violations.push(`${label}: delivered never resolved`)
    else if (outcome.missed.size > 0) violations.push(`${label}: missed by ${[...outcome.missed.values()]}`)
    else if (
      ids.some((id) => id !== undefined && !label.startsWith(`${cast.nameOf(id)} `) && !outcome.to.includes(id))
    ) {
      violations.push(`${label}: not sent to everyone`)
    }
  }
  for (const { client, positions: heard } of here) {
    for (const [peer, position] of positions) {
      if (peer !== client.room.self?.id && heard.get(peer) !== position) {
        violations.push(`${client.name} does not know the last position of ${cast.nameOf(peer)}`)
      }
    }
  }
}
