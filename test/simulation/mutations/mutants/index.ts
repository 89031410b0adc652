import type { Mutant } from '../mutant.ts'
import { MESSAGES } from './accepting.ts'
import { CHANNELS } from './channels.ts'
import { LINKS } from './link.ts'
import { NUMBERS_AND_TIMES } from './numbers.ts'
import { PATHS } from './paths.ts'
import { RECEIVERS } from './receiving.ts'
import { SENDERS } from './sending.ts'
import { SERVER } from './server.ts'
import { UPLINKS } from './uplink.ts'

/** In the order of the layers, from the streams outward. A mutant's place is part of its name: `cursor: …`. */
export const MUTANTS: readonly Mutant[] = [
  ...RECEIVERS,
  ...SENDERS,
  ...MESSAGES,
  ...NUMBERS_AND_TIMES,
  ...LINKS,
  ...PATHS,
  ...UPLINKS,
  ...CHANNELS,
  ...SERVER,
]
