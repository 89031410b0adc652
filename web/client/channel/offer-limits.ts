/** Of offers: what an application may say of a file, and what one member may ask of another. */
export const OFFER_LIMITS = Object.freeze({
  /** Open offers of one member in a room: neither withdrawn, nor finished with everyone addressed. One more is `queue-full`. */
  open: 256,
  nameBytes: 1_024,
  typeBytes: 256,
  metaBytes: 4_096,
  /** What a receiver holds of one transfer, beyond what its reader has taken. */
  windowBytes: 4_194_304,
  /** The least window a receiver may grant: a whole chunk. */
  leastWindowBytes: 65_536,
} as const)
