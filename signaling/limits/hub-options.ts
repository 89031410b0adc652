import { LIMITS } from '../protocol/limits.ts'

/** Everything the hub can be told. Sizes are bytes, times ms. What a member needs to know stands in its welcome. */
export interface HubOptions {
  /** How long a member whose uplink dropped stays `away` before it leaves. 0 to 86,400,000. */
  readonly graceMs: number
  /** How long a new uplink may take to send `join`. */
  readonly joinTimeoutMs: number
  /** How long a session token is good for. */
  readonly tokenTtlMs: number
  /** Members of one room, the away ones included. */
  readonly membersPerRoom: number
  /** Of those, the ones that see each other: no more than a client takes. */
  readonly listedMembers: number
  readonly roomsPerServer: number
  /** Uplinks of one address, joined or not; an IPv6 /64 counts as one address. */
  readonly connectionsPerAddress: number
  /** Sustained uplink messages per second and member, control messages included; twice that in a burst. */
  readonly messagesPerSecond: number
  /** Sustained uplink bytes per second and member; twice that in a burst. */
  readonly bytesPerSecond: number
  /** Sustained deliveries per second of one member's frames: a frame counts once for each member it names or reaches, and four times by itself. */
  readonly deliveriesPerSecond: number
  /** What may wait of a member over its rate, each message with 256 bytes more, if its carrier goes on delivering after it was paused; on uWebSockets.js it always does. */
  readonly holdBytes: number
  /** What may wait for one receiver, in its carrier and here; frames beyond that are dropped and their senders told. */
  readonly slowReaderBytes: number
  /** A receiver of whose queue nothing drains for this long is closed; its session may resume. */
  readonly slowReaderMs: number
  /** Control messages that may wait for one receiver, apart from frames; beyond that it is closed as a slow reader. */
  readonly controlBacklogBytes: number
  /** Largest payload of one envelope. */
  readonly frameBytes: number
  /** Largest binary uplink message, either way. */
  readonly packetBytes: number
  /** Largest profile, as JSON. */
  readonly profileBytes: number
  /** Under load, small frames for one receiver are gathered for this long into one write. */
  readonly gatherMs: number
  /** Deliveries per ms, over the whole server, from which on it counts as loaded. */
  readonly gatherAbovePerMs: number
  /** Frames at least this large are not gathered. */
  readonly gatherFrameBytes: number
  /** A sender gets at most one `dropped` message of each reason in this time. */
  readonly dropReportMs: number
  /** What a client refused for lack of room is told to wait; up to as much again is added at random. */
  readonly retryAfterMs: number
}

export const HUB_DEFAULTS: HubOptions = Object.freeze({
  // A network switch with its uplink's back-off takes some 10 s at worst; twice that, and nobody flickers.
  graceMs: 20_000,
  // Three round trips over a satellite and a phone's slow start; a silent connection costs a slot until then.
  joinTimeoutMs: 10_000,
  // Long enough for a laptop lid, short enough that the list of departed ids stays small.
  tokenTtlMs: 3_600_000,
  membersPerRoom: LIMITS.membersPerRoom,
  listedMembers: LIMITS.listedMembers,
  // A room costs about 1 KB: 10 MB in all. Bounds what a loop over made-up names can do.
  roomsPerServer: 10_000,
  // An office or a school behind one NAT, some with two tabs.
  connectionsPerAddress: 512,
  // A 60 Hz game sends 60, a busy client that packs its frames seldom over 200; five times that.
  messagesPerSecond: 1_000,
  // 34 Mbit/s, what a good home uplink gives: a 50 MB file by the relay takes 12 s.
  bytesPerSecond: 4_194_304,
  // Packed empty frames reach 16,384 x 256 members with one message of 256 KiB, at 40 ns each: without this one member
  // takes the whole server. So: 8 % of a core, and far above what 4 MB/s of chat lines to 50 members come to.
  deliveriesPerSecond: 2_000_000,
  // uWebSockets.js cannot be paused: this is all that a member may be ahead of its rate there, half a second of it. Four
  // of the 512 KiB that it reads at a time.
  holdBytes: 2_097_152,
  // 2 s at 4 Mbit/s: more is stale by the time it arrives, and 1,000 stalled readers take 1 GB at most.
  slowReaderBytes: 1_048_576,
  // Longer than a Wi-Fi roam or a TCP retransmission back-off of four losses; shorter than the grace period.
  slowReaderMs: 10_000,
  // A room of 256 that fills while one does not read, each with the largest profile, user id and keys: 255 times 4,949
  // bytes of `joined` and 128 of keeping it are 1,294,635. Or in which all of them change their profiles: 1,094,715.
  controlBacklogBytes: 1_310_720,
  frameBytes: LIMITS.frameBytes,
  packetBytes: LIMITS.packetBytes,
  profileBytes: LIMITS.profileBytes,
  // Below a frame of any display. 3 ms gather ten frames for each of 50 members at 60 Hz; measured, writes are most
  // of the cost of a delivery (FACTS: 1.9 µs each alone, 0.5 gathered).
  gatherMs: 3,
  // 16,000 deliveries a second are about 4 % of a core: below that nobody notices the cost, but would the 3 ms.
  gatherAbovePerMs: 16,
  // Beyond a few KiB copying costs as much as the write it saves.
  gatherFrameBytes: 4_096,
  // Well below the retransmission timeouts that act on it, and ten small messages a second at most.
  dropReportMs: 100,
  // A second round of thousands that were refused at once is spread over 5 s.
  retryAfterMs: 5_000,
})
