/** A payload of another member came; `atMs` says when it was sent. */
export type Heard = (sender: number, number: number, atMs: number) => void

/** A member of the drop test. */
export interface DropMember {
  join(): Promise<void>
  /** So many others are there, as far as it can know. */
  complete(others: number): Promise<void>
  /** Sent when it can be, if it cannot now. */
  send(number: number, atMs: number): void
  /** Its connection ends, and it gets no other one before `restore`. */
  drop(): void
  restore(): void
  close(): void
}
