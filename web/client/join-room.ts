import type { Json } from '../../signaling/protocol/index.ts'
import { openWebSocket } from './carriers/websocket.ts'
import { systemClock } from './clock.ts'
import type { JoinOptions, Room } from './face.ts'
import { parseJoinOptions } from './options.ts'
import { ClientRoom, type RoomWorld } from './room.ts'
import { webCrypto } from './sealing/web-crypto.ts'
import { browserNetworkEvents } from './uplink/network-events.ts'

function thisWorld(): RoomWorld {
  return {
    clock: systemClock,
    wallMs: () => Date.now(),
    random: Math.random,
    fillRandom: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    openCarrier: openWebSocket,
    network: browserNetworkEvents,
    primitives: webCrypto(),
    directPaths: import('./paths/direct-paths.ts')
      .then(({ loadDirectPaths }) => loadDirectPaths())
      .catch(() => undefined),
  }
}

/**
 * Enter a room. Returns at once: channels can be made, handlers attached and messages sent right away; what is sent
 * before `ready` goes to those who are there when it is.
 * @param name 1 to 128 bytes of UTF-8
 * @throws PartylineError `bad-argument` naming the option
 */
export function joinRoom<P extends Json = Json>(name: string, options: JoinOptions<P> = {}): Room<P> {
  return new ClientRoom<P>(name, parseJoinOptions(options), thisWorld())
}
