import type { ServerMessage } from './control.ts'
import { readHistoryMessage } from './history-messages.ts'
import { parseServerMessage } from './server-message.ts'

/** Read a message of the server, of whatever kind. @throws ProtocolError naming the field */
export const parseAnyServerMessage = (text: string): ServerMessage =>
  readHistoryMessage(text) ?? parseServerMessage(text)
