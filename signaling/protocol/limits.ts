/**
 * Every number both sides of the wire agree on. The table in PROTOCOL.md, "Limits", says what happens at each.
 * What an operator may change (rates, members, grace, …) is told in the welcome; the values here are the defaults
 * and, where marked "hard", the most that either side accepts.
 */
export const LIMITS = Object.freeze({
  /** Longest room name, in UTF-8 bytes. Hard. */
  roomNameBytes: 128,
  /** Largest profile, in bytes of its JSON. */
  profileBytes: 4_096,
  /** Values in a profile, itself and those that others hold included: some 60 bytes of memory each. Hard. */
  profileValues: 512,
  /** Longest session token accepted, in characters. Hard. */
  tokenChars: 2_048,
  /** Longest access token, in characters. Hard. */
  accessTokenChars: 8_192,
  /** Longest announcement of a member's keys, in characters. Hard. */
  sealChars: 512,
  /** Longest id of a user, in UTF-8 bytes. Hard. */
  userIdBytes: 128,
  /** Largest message that a backend publishes: the bytes, or the text of the JSON. Hard. */
  publishBytes: 65_536,
  /** Largest control message, in bytes; a welcome may be larger, since it lists the members. Hard, client to server. */
  controlBytes: 16_384,
  /** Largest join that a client offers in the upgrade: proxies refuse header lines of 8 KiB, some of 4. */
  offeredJoinBytes: 2_048,
  /** Largest payload of one envelope: a fragment of 16 KiB with its headers and its sealing, and room to grow. */
  frameBytes: 65_536,
  /** Largest uplink message, which may pack many envelopes. */
  packetBytes: 262_144,
  /** Most receivers named in one envelope. Hard. */
  envelopeIds: 1_024,
  /** Members of one room, the away ones included. */
  membersPerRoom: 256,
  /**
   * Members of one room that see each other, whatever an operator allows: each is a link with every other. Some 16 times
   * what a room has by default; a client that is told of more is told nonsense. Hard.
   */
  listedMembers: 4_096,

  /** Messages longer than this go in fragments on the bulk lane: safe in every browser, and small enough to interleave. */
  fragmentBytes: 16_384,
  /** Largest message an application may send; larger things are files: offer them. */
  messageBytes: 8_388_608,
  /** Frames a sender may have unacknowledged per stream and member; also the span of an acknowledgement's bitmap. Hard. */
  windowFrames: 4_096,
  /** Bytes of unacknowledged messages a sender keeps per stream before `accepted` waits. */
  retainedBytes: 16_777_216,
  /** Bytes the most up-to-date receiver may be behind before `accepted` waits: enough for 40 MB/s at 100 ms. */
  unacknowledgedBytes: 4_194_304,
  /** Bytes and messages that may wait before the window; beyond, `send()` throws `queue-full`. */
  queuedBytes: 16_777_216,
  queuedMessages: 10_000,
  /** A member this far behind the most up-to-date one is cut off with `lagging`. */
  lagBytes: 8_388_608,
  /** What a receiver holds of incomplete, early and unread messages, over all senders. */
  receiveBytes: 16_777_216,
  /** Frames of a peer held before its greeting. */
  earlyBytes: 65_536,
  /** Channels one member may open in a room. Hard. */
  channels: 256,
  /** Longest channel name, in UTF-8 bytes, its kind included. Hard. */
  channelNameBytes: 64,
  /** `latest`: keys of one sender, largest value, longest key. Hard. */
  latestKeys: 1_024,
  latestBytes: 16_384,
  latestKeyBytes: 64,
} as const)
