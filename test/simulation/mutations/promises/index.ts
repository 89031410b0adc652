import { CHANNELS } from './channels.ts'
import { LATEST } from './latest.ts'
import { MEMBERS } from './members.ts'
import { MESSAGES } from './messages.ts'
import { PATHS } from './paths.ts'
import { SERVER } from './server.ts'
import { STREAMS } from './streams.ts'

/** Every promise of the design about delivery, in the order of the design. */
export const PROMISES = { ...MESSAGES, ...MEMBERS, ...STREAMS, ...PATHS, ...LATEST, ...SERVER, ...CHANNELS }

export type PromiseName = keyof typeof PROMISES
