/** Rooms for browsers: members push messages straight to each other, and through the server whenever they cannot. */
export { PartylineError, type PartylineErrorCode } from './errors.ts'
export type * from './face.ts'
export { createIdentity, loadIdentity, newSecret } from './identity.ts'
export { joinRoom } from './join-room.ts'
