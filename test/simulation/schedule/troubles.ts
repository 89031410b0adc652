import type { Actor } from './cast.ts'
import type { Scene } from './scene.ts'
import type { Talk } from './talk.ts'

const TROUBLES = [
  'carrier drops',
  'uplink goes dark',
  'uplink is dark for long',
  'frames are unruly',
  'a trickle is lossy',
  'uplink is refused',
  'uplink is slow',
  'server restarts',
  'path goes dark',
  'path closes',
  'paths are hollow',
  'paths are impossible',
  'path is lossy',
  'path is slow',
  'one path goes dark',
  'network changes',
] as const

/** What goes wrong in a schedule. */
export class Troubles {
  readonly #scene: Scene
  readonly #talk: Talk

  constructor(scene: Scene, talk: Talk) {
    this.#scene = scene
    this.#talk = talk
  }

  /** One of them befalls this member, alone or with another. */
  strike(actor: Actor, actors: readonly Actor[]): void {
    const random = this.#scene.random
    const { uplink, name } = actor.client
    const other = random.pick(actors)
    const pair = this.#scene.world.paths.conditions(name, other.client.name)
    const pipe = [...pair.from.values()][random.integer(0, pair.from.size)]
    const later = (undo: () => void, mostMs = 8_000): void => {
      this.#scene.world.clock.setTimeout(undo, random.between(100, mostMs))
    }
    const kind = random.pick(TROUBLES)
    this.#scene.trace(`${kind}: ${name}${other === actor ? '' : ` and ${other.client.name}`}`)
    switch (kind) {
      case 'carrier drops':
        this.#scene.world.server.drop(uplink)
        return
      case 'uplink goes dark': {
        const pipes = random.pick([[uplink.up], [uplink.down], [uplink.up, uplink.down]])
        for (const each of pipes) each.blackhole = true
        later(() => {
          for (const each of pipes) each.blackhole = false
        })
        return
      }
      case 'uplink is dark for long':
        this.#scene.mayCut = true
        // Longer than the grace period.
        for (const each of [uplink.up, uplink.down]) each.blackhole = true
        this.#scene.world.clock.setTimeout(
          () => {
            for (const each of [uplink.up, uplink.down]) each.blackhole = false
          },
          random.between(15_000, 60_000),
        )
        return
      case 'frames are unruly':
        Object.assign(uplink.frames, {
          loss: random.pick([0, 0.05, 0.2]),
          repeats: random.pick([0, 0.2]),
          jitterMs: 50,
        })
        later(() => {
          Object.assign(uplink.frames, { loss: 0, repeats: 0, jitterMs: 0 })
        })
        return
      case 'a trickle is lossy': {
        // One frame in a packet, and many packets under way: only so do acknowledgements have several holes at once.
        if (other === actor) return
        Object.assign(uplink.frames, { loss: random.pick([0.1, 0.3]), repeats: 0.1, jitterMs: random.pick([0, 50]) })
        pair.impossible = true
        this.#scene.world.paths.close(name, other.client.name)
        this.#talk.trickle(other, random.integer(20, 100))
        later(() => {
          Object.assign(uplink.frames, { loss: 0, repeats: 0, jitterMs: 0 })
          pair.impossible = false
        })
        return
      }
      case 'uplink is refused':
        uplink.refused = true
        this.#scene.world.server.drop(uplink)
        later(() => {
          uplink.refused = false
        })
        return
      case 'uplink is slow':
        uplink.down.bytesPerSecond = 200_000
        uplink.up.bytesPerSecond = 200_000
        later(() => {
          uplink.down.bytesPerSecond = 0
          uplink.up.bytesPerSecond = 0
        })
        return
      case 'server restarts':
        this.#scene.world.server.kill()
        later(() => this.#scene.world.server.start(), 5_000)
        return
      case 'path goes dark':
        if (pipe === undefined) return
        pipe.blackhole = true
        later(() => {
          pipe.blackhole = false
        })
        return
      case 'path closes':
        this.#scene.world.paths.close(name, other.client.name)
        return
      case 'paths are hollow':
        pair.hollow = true
        later(() => {
          pair.hollow = false
        })
        return
      case 'paths are impossible':
        pair.impossible = true
        this.#scene.world.paths.close(name, other.client.name)
        later(() => {
          pair.impossible = false
        })
        return
      case 'path is lossy':
        if (pipe === undefined) return
        pipe.loss = random.pick([0.01, 0.05, 0.2])
        pipe.jitterMs = 30
        later(() => {
          pipe.loss = 0
          pipe.jitterMs = 0
        })
        return
      case 'path is slow': {
        this.#scene.mayCut = true
        // And long, and there is enough to send: bulk goes by paths beside it, each as slow. They may be so in the calm, too.
        const bytesPerSecond = random.pick([100_000, 400_000])
        for (const { client } of actors) {
          for (const each of this.#scene.world.paths.conditions(name, client.name).from.values()) {
            each.delayMs = Math.max(25, each.delayMs)
            each.bytesPerSecond = bytesPerSecond
            later(() => {
              each.bytesPerSecond = 0
            }, 20_000)
          }
        }
        this.#talk.sendOne(actor.client, 'files', random.integer(500_000, 1_500_000), undefined)
        return
      }
      case 'one path goes dark': {
        const open = this.#scene.world.paths.open(name, other.client.name)
        if (open.length > 0) random.pick(open).mute()
        return
      }
      case 'network changes':
        this.#scene.world.server.drop(uplink)
        actor.client.network('change')
    }
  }

  heal(actors: readonly Actor[]): void {
    this.#scene.trace('all is well again')
    this.#scene.world.server.start()
    for (const { client } of actors) {
      client.uplink.refused = false
      Object.assign(client.uplink.frames, { loss: 0, repeats: 0, jitterMs: 0 })
      for (const pipe of [client.uplink.up, client.uplink.down]) {
        pipe.blackhole = false
        pipe.bytesPerSecond = 0
      }
      for (const { client: other } of actors) {
        const pair = this.#scene.world.paths.conditions(client.name, other.name)
        pair.hollow = false
        pair.impossible = false
        for (const pipe of pair.from.values()) {
          pipe.blackhole = false
          pipe.loss = 0
          pipe.jitterMs = 0
        }
      }
    }
  }
}
