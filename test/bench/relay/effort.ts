import type { EffortName } from '../rounds.ts'

/** How much is measured. */
export interface RelayEffort {
  /** Of what is held against a goal; each is so long a turn of every contestant, there and back. */
  readonly rounds: number
  readonly turnMs: number
  /** Of what takes long: joins, storms. */
  readonly repeats: number
  readonly idleMembers: number
  readonly joiningMembers: number
  readonly stormMembers: number
  readonly roomSizes: readonly number[]
  readonly rooms: readonly number[]
  /** Of the drop test, and how many processes they share. */
  readonly dropMembers: number
  /** Of ours, once more encrypted from end to end. */
  readonly dropSealedMembers: number
  readonly dropProcesses: number
  readonly dropMs: number
}

export const RELAY_EFFORTS: Readonly<Record<EffortName, RelayEffort>> = {
  full: {
    rounds: 5,
    turnMs: 800,
    repeats: 3,
    idleMembers: 10_000,
    joiningMembers: 2_000,
    stormMembers: 5_000,
    roomSizes: [2, 10, 50, 200, 1_000],
    rooms: [1, 10, 100, 1_000, 10_000],
    dropMembers: 1_000,
    dropSealedMembers: 200,
    dropProcesses: 2,
    dropMs: 60_000,
  },
  quick: {
    rounds: 2,
    turnMs: 500,
    repeats: 1,
    idleMembers: 2_000,
    joiningMembers: 500,
    stormMembers: 1_000,
    roomSizes: [2, 50, 200],
    rooms: [1, 10, 100],
    dropMembers: 200,
    dropSealedMembers: 100,
    dropProcesses: 1,
    dropMs: 20_000,
  },
}
