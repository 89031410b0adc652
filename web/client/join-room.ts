import type { Json } from '../../signaling/protocol/index.ts'
import { CarrierChoice } from './carriers/choice.ts'
import { lazyHttp } from './carriers/lazy.ts'
import { openWebSocket } from './carriers/websocket.ts'
import { systemClock } from './clock.ts'
import type { CarrierKind, JoinOptions, Room } from './face.ts'
import { parseJoinOptions } from './options.ts'
import { ClientRoom } from './room.ts'
import type { RoomWorld } from './room-world.ts'
import { webCrypto } from './sealing/web-crypto.ts'
import { browserNetworkEvents } from './uplink/network-events.ts'

/** Kept by this browser for the pages of this origin; none in Node, and in frames that may keep nothing. */
function storage(): Storage | undefined {
  try {
    return globalThis.window?.localStorage
  } catch {
    return undefined
  }
}

function thisWorld(uplink: readonly CarrierKind[]): RoomWorld {
  const carriers = {
    websocket: openWebSocket,
    sse: lazyHttp('sse'),
    'long-poll': lazyHttp('long-poll'),
    'short-poll': lazyHttp('short-poll'),
  }
  const choice = new CarrierChoice(uplink, { carriers, wallMs: () => Date.now(), storage })
  return {
    clock: systemClock,
    wallMs: () => Date.now(),
    random: Math.random,
    fillRandom: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    openCarrier: choice.open,
    choice,
    network: browserNetworkEvents,
    primitives: webCrypto(),
    claims: async () => (await import('./room-claims.ts')).RoomClaims,
    history: async () => (await import('./history/room-history.ts')).RoomHistory,
    directPaths: () =>
      import('./paths/direct-paths.ts').then(({ loadDirectPaths }) => loadDirectPaths()).catch(() => undefined),
  }
}

/**
 * Enter a room. Returns at once: channels can be made, handlers attached and messages sent right away; what is sent
 * before `ready` goes to those who are there when it is.
 * @param name 1 to 128 bytes of UTF-8
 * @throws PartylineError `bad-argument` naming the option
 */
export function joinRoom<P extends Json = Json>(name: string, options: JoinOptions<P> = {}): Room<P> {
  const parsed = parseJoinOptions(options)
  return new ClientRoom<P>(name, parsed, thisWorld(parsed.uplink))
}
