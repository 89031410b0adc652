/** `partyline/server`: start the server from a program. */
export { DataFolderError } from './data-folder.ts'
export type { HubStats } from './hub.ts'
export type { Log } from './log.ts'
export { type EngineName, NetworkError, type NetworkErrorCode } from './net/network.ts'
export { OptionsError } from './options/errors.ts'
export type { ServerOptions, ServerOptionsInput } from './options/table.ts'
export { type RunningServer, type StartExtras, startServer } from './server.ts'
