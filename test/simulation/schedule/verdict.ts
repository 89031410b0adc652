import type { Actor, Cast } from './cast.ts'
import type { Scene } from './scene.ts'
import type { Sending, Talk } from './talk.ts'

/** Whether what was said in troubled times came to what was promised. */
export function judge(scene: Scene, cast: Cast, talk: Talk): void {
  for (const actor of cast.actors) {
    const { self } = actor.client.room
    if (self !== undefined) actor.peerIds.add(self.id)
  }
  for (const sending of talk.sendings) checkOutcome(sending, scene, cast)
  for (const actor of cast.actors) checkHeard(actor, scene, talk)
}

/** `delivered` resolved, and said the truth. */
function checkOutcome(sending: Sending, { violations, mayCut }: Scene, cast: Cast): void {
  const { outcome, id, from } = sending
  const label = `${from} ${sending.channel} ${sending.n} (${id})`
  if (outcome === undefined) {
    violations.push(`${label}: delivered never resolved`)
    return
  }
  for (const peer of outcome.to) {
    const receiver = cast.actors.find(({ peerIds }) => peerIds.has(peer))
    if (receiver === undefined) continue
    const times = receiver.times.get(id) ?? 0
    const missed = outcome.missed.get(peer)
    if (missed === undefined && times !== 1) {
      violations.push(`${label}: said to be delivered to ${receiver.client.name}, who heard it ${times} times`)
    }
    if (missed === 'left' && receiver.here && !cast.of(from).leaves.has(peer)) {
      violations.push(`${label}: said to be missed by ${receiver.client.name}, who never left`)
    }
    if (missed === 'lagging' && !mayCut) {
      violations.push(`${label}: ${receiver.client.name} was cut off for nothing`)
    }
    if (
      missed === 'lagging' &&
      cast.of(from).here &&
      !receiver.client.room.peers.has(peer) &&
      receiver.here &&
      receiver.gaps.size === 0
    ) {
      violations.push(`${label}: ${receiver.client.name} was cut off and not told`)
    }
    if (times > 1) violations.push(`${label}: heard ${times} times by ${receiver.client.name}`)
  }
}

/** Once each, and in the order sent, within a channel to one audience. */
function checkHeard(actor: Actor, { violations }: Scene, talk: Talk): void {
  const last = new Map<string, number>()
  const ids = new Set<string>()
  for (const { id, n, channel } of actor.heard) {
    const sending = talk.find(id)
    if (sending === undefined) continue
    if (ids.has(id)) violations.push(`${actor.client.name} heard ${id} twice`)
    ids.add(id)
    const key = `${sending.from} ${channel} ${sending.direct}`
    if (n <= (last.get(key) ?? -1)) violations.push(`${actor.client.name} heard ${sending.from} ${channel} ${n} late`)
    last.set(key, n)
  }
}
