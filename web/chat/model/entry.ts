import type { PeerId } from 'partyline'

/** How far one's own message has come. The words are the client's: sent is accepted, delivered is delivered. */
export type Delivery =
  | { readonly at: 'sending' }
  /** Accepted: in the window, kept until every receiver has it. */
  | { readonly at: 'sent' }
  | { readonly at: 'delivered'; readonly to: number }
  /** Nobody else was in the room. */
  | { readonly at: 'nobody' }
  /** Nor was anybody; the server keeps it for who comes later. */
  | { readonly at: 'kept' }
  | {
      readonly at: 'missed'
      readonly by: readonly { readonly name: string; readonly reason: string }[]
      readonly to: number
    }
  | { readonly at: 'failed'; readonly why: string }

/** One member's part in a file that we offer. */
export interface Receiver {
  readonly peer: PeerId
  readonly name: string
  readonly state: 'running' | 'done' | 'failed' | 'declined'
  readonly bytes: number
}

export type FileState =
  /** Somebody offers it; it waits for our answer. */
  | { readonly at: 'offered' }
  | { readonly at: 'receiving'; readonly bytes: number }
  /** All of it is here, in memory. */
  | { readonly at: 'received'; readonly content: Blob }
  /** All of it went into a file that the person chose. */
  | { readonly at: 'saved' }
  | { readonly at: 'declined' }
  | { readonly at: 'withdrawn' }
  | { readonly at: 'failed'; readonly why: string }
  /** We offer it. */
  | { readonly at: 'offering'; readonly receivers: readonly Receiver[] }

interface EntryBase {
  readonly key: string
  /** On the room clock, ms since 1970. */
  readonly atMs: number
}

export interface MessageEntry extends EntryBase {
  readonly kind: 'message'
  readonly from: PeerId
  readonly own: boolean
  /** Of who is not here: it came from the history. */
  readonly name?: string
  readonly text: string
  /** Of one's own messages. */
  readonly delivery?: Delivery
}

export interface FileEntry extends EntryBase {
  readonly kind: 'file'
  readonly from: PeerId
  readonly own: boolean
  readonly name: string
  readonly type: string
  readonly sizeBytes: number
  /** Size of the picture in pixels as its sender says: keeps its place free while it loads. */
  readonly picture?: { readonly width: number; readonly height: number }
  /** What the sender itself shows of its picture. */
  readonly ownContent?: Blob
  readonly state: FileState
}

/** Somebody came or went, messages were lost, and the like. */
export interface NoticeEntry extends EntryBase {
  readonly kind: 'notice'
  readonly text: string
  readonly tone: 'plain' | 'warning'
}

export type Entry = MessageEntry | FileEntry | NoticeEntry
