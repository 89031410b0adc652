import { describe, expect, it } from 'vitest'
import { nodePrimitives } from '../support/node-primitives.ts'
import { instanceId, peerId, SealedRoom } from '../unit/sealing/sealed-room.ts'
import type { IndependentOptions } from './independent.ts'
import { Refusal } from './independent-announcement.ts'
import { otherMember, ourMember, PLAIN, shown, shownOther } from './meeting.ts'

describe('an implementation from the document alone', () => {
  it('refuses what ours refuses, by the same code', async () => {
    const room = new SealedRoom()
    const ours = await ourMember(room, PLAIN)
    const refusals: readonly [string, Partial<IndependentOptions>][] = [
      ['seal-mismatch', { mode: 'link' }],
      ['wrong-secret', { S: new Uint8Array(16).fill(9) }],
      ['wrong-secret', { room: 'Küche 8' }],
      ['seal-mismatch', { instance: instanceId(99) }],
      ['seal-mismatch', { instance: instanceId(PLAIN.ourNumber) }],
    ]
    for (const [code, change] of refusals) {
      const other = otherMember(PLAIN, 5, change)
      expect(await ours.sealing.admit(shownOther(other, 5))).toEqual({ refused: code })
      const instance = change.instance === undefined ? ours.instance : instanceId(98)
      expect(() => otherMember(PLAIN, 5, change).admit({ ...shown(ours), instance })).toThrow(Refusal)
      ours.sealing.left(peerId(5))
    }
  })

  it('agrees with ours on every byte of an announcement that is altered', async () => {
    const room = new SealedRoom(1, (fill) => nodePrimitives(fill))
    const ours = await ourMember(room, { ...PLAIN, identities: true })
    const altered = otherMember({ ...PLAIN, identities: true }, 6)
    const reader = otherMember(PLAIN, 7)
    const bytes = Buffer.from(altered.announcement, 'base64url')
    const codes = new Set<string>()
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      const seal = changed.toString('base64url')
      const member = { id: peerId(6), instance: instanceId(6), seal }
      const admitted = await ours.sealing.admit(member)
      ours.sealing.left(peerId(6))
      let code: string | undefined
      try {
        reader.admit(member)
      } catch (error) {
        code = error instanceof Refusal ? error.code : undefined
      }
      expect({ at, code }).toEqual({ at, code: 'refused' in admitted ? admitted.refused : undefined })
      expect(code).toBeDefined()
      codes.add(code ?? '')
    }
    expect([...codes].sort()).toEqual(['seal-mismatch', 'wrong-secret'])
  })
})
