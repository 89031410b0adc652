import { parseServerMessage, type ServerMessage } from './control.ts'
import { readHistoryMessage } from './history-messages.ts'

/** Read a message of the server, of whatever kind. @throws ProtocolError naming the field */
export const parseAnyServerMessage = (text: string): ServerMessage =>
  readHistoryMessage(text) ?? parseServerMessage(text)
