import { describe, expect, it } from 'vitest'
import { instanceId, peerId, roomFrame, SECRET, unicastFrame } from '../unit/sealing/sealed-room.ts'
import { IndependentMember } from './independent.ts'

const person = (number: number): IndependentMember =>
  new IndependentMember({
    mode: 'secret',
    room: 'lobby',
    S: SECRET,
    id: peerId(number),
    instance: instanceId(number),
    x25519: true,
  })

const shown = (of: IndependentMember) => ({
  id: of.id,
  instance: of.announced.instance.toString('hex'),
  seal: of.announcement,
})

function meet(...members: readonly IndependentMember[]): void {
  for (const one of members) for (const other of members) if (one !== other) one.admit(shown(other))
}

describe('members by the document', () => {
  it('cannot read what was sealed before they came, nor after they left', () => {
    const [ada, bob, carol] = [person(1), person(2), person(3)] as const
    meet(ada, bob)
    const before = ada.seal([bob.id], roomFrame(1)).at(-1)
    ada.admit(shown(carol))
    carol.admit(shown(ada))
    for (const { payload, to } of ada.seal([bob.id, carol.id], roomFrame(2))) {
      if (to === undefined || to === carol.id) carol.open(ada.id, payload)
    }
    expect(carol.open(ada.id, before?.payload ?? new Uint8Array()).frames).toEqual([])
    ada.left(carol.id)
    const after = ada.seal([bob.id], roomFrame(3)).at(-1)
    expect(carol.open(ada.id, after?.payload ?? new Uint8Array()).frames).toEqual([])
  })

  it('cannot open what one says to another', () => {
    const [ada, bob, carol] = [person(1), person(2), person(3)] as const
    meet(ada, bob, carol)
    const [record] = ada.seal([bob.id], unicastFrame(1))
    expect(() => carol.open(ada.id, record?.payload ?? new Uint8Array())).toThrow('forged')
  })
})
