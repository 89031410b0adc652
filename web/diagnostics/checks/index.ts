import type { Check } from '../check.ts'
import { secureContext, webRtc } from './browser.ts'
import { iceGathering } from './ice.ts'
import { directPath, relayPath, turnPath } from './paths.ts'
import { serverAnswers, uplink } from './server.ts'

/** In this order: the paths come before ICE, since they show which ICE servers the room uses. */
export const CHECKS: readonly Check[] = Object.freeze([
  secureContext,
  webRtc,
  serverAnswers,
  uplink,
  relayPath,
  directPath,
  turnPath,
  iceGathering,
])
