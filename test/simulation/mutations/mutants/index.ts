import type { Mutant } from '../mutant.ts'
import { CHANNELS } from './channels.ts'
import { DELIVERY } from './delivery.ts'
import { LINKS } from './link.ts'
import { PATHS } from './paths.ts'
import { SERVER } from './server.ts'
import { UPLINKS } from './uplink.ts'

/** In the order of the layers, from the streams outward. A mutant's place is part of its name: `cursor: …`. */
export const MUTANTS: readonly Mutant[] = [...DELIVERY, ...LINKS, ...PATHS, ...UPLINKS, ...CHANNELS, ...SERVER]
