/** Runs in the page: what a way of talking between pages must be able to do to be measured. */

export const CONTESTANTS = ['ours', 'bare', 'peerjs', 'trystero'] as const
/** `ours`: the built library. `bare`: RTCDataChannels and as little signaling as there can be. */
export type ContestantName = (typeof CONTESTANTS)[number]

export type LaneName = 'reliable' | 'latest'

export interface Addresses {
  /** Of the bundle of the client library, from the page's own origin. */
  readonly client: string
  readonly pubSub: string
  readonly peerJs: { readonly host: string; readonly port: number }
}

export interface GuestOptions {
  readonly room: string
  /** 0, 1, …: they enter in this order, each when the one before has entered. */
  readonly index: number
  /** How many others there will be. */
  readonly others: number
}

export interface Ears {
  heard(bytes: Uint8Array): void
  heardLatest(bytes: Uint8Array): void
}

/** One page's place in a room. */
export interface Meeting {
  /** The server knows of us: the next may enter. */
  readonly present: Promise<unknown>
  /** All others can be talked to directly. */
  readonly connected: Promise<unknown>
  /** What is sent before `connected` arrives too, and goes at once. */
  readonly sendsAtOnce: boolean
  /** To all others, reliably and in order. Resolves when the next may be sent; at once if there is nothing to await. */
  send(bytes: Bytes): PromiseLike<unknown> | undefined
  /** The same on a channel of its own. Absent where it is of no interest. */
  readonly sendBeside?: (bytes: Bytes) => unknown
  /** The newest wins: dropped where the way is full. Absent where a contestant has nothing like it. */
  readonly setLatest?: (bytes: Bytes) => void
  /** What has not gone smoothly so far. */
  readonly trouble?: () => Promise<Trouble>
}

export interface Trouble {
  /** How often a direct path was given up for another, over all others. */
  readonly leftDirect: number
  /** Frames sent more than once. */
  readonly resent: number
}

export type Bytes = Uint8Array<ArrayBuffer>
export type Enter = (options: GuestOptions, ears: Ears) => Meeting

/** What waits in a channel at most, and when more is asked for. The same for everybody who leaves it to us. */
export const QUEUE = { highBytes: 1_048_576, lowBytes: 524_288, latestBytes: 65_536 } as const

/** Resolves when the channel has drained to its low mark; `undefined` while there is room. */
export function roomIn(channel: RTCDataChannel): Promise<void> | undefined {
  if (channel.bufferedAmount <= QUEUE.highBytes) return undefined
  channel.bufferedAmountLowThreshold = QUEUE.lowBytes
  return new Promise((resolve) => {
    channel.addEventListener('bufferedamountlow', () => resolve(), { once: true })
  })
}

/** As `roomIn`, for a message that went to several. */
export function roomInAll(channels: Iterable<RTCDataChannel>): Promise<unknown> | undefined {
  let full: Promise<void>[] | undefined
  for (const channel of channels) {
    const room = roomIn(channel)
    if (room !== undefined) full = [...(full ?? []), room]
  }
  return full === undefined ? undefined : Promise.all(full)
}

/** Resolves when `arrive` has been called so often. */
export function gathering(count: number): { readonly all: Promise<void>; arrive(): void } {
  let left = count
  let done = (): void => {}
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  if (left <= 0) done()
  return {
    all,
    arrive: () => {
      left -= 1
      if (left === 0) done()
    },
  }
}
