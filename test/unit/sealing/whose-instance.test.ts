import { describe, expect, it } from 'vitest'
import { boundInstance, decodeAnnouncement, MODES } from '../../../web/client/sealing/announcement.ts'
import { base64url, fromBase64url } from '../../../web/client/sealing/octets.ts'
import { admit, instanceId, roomFrame, type SealedMember, SealedRoom, unicastFrame } from './sealed-room.ts'

const own = { mode: 'link', instance: (bound: SealedMember['instance']) => bound } as const
const CHANGED = { refused: 'seal-changed' }

/** Ada has an instance of her own, Bob knows nobody yet. */
async function people() {
  const room = new SealedRoom()
  const ada = await room.begin(own)
  const bob = await room.begin({ mode: 'link' })
  await admit(ada, bob)
  return { room, ada, bob }
}

/** Ada's keys, and something else in it is another. */
function altered(ada: SealedMember): string {
  const bytes = fromBase64url(ada.sealing.announcement) ?? new Uint8Array()
  bytes[3] = 9
  return base64url(bytes)
}

describe('an instance that follows from its keys', () => {
  it.each([
    { mode: 'link', x25519: true, identity: false },
    { mode: 'secret', x25519: false, identity: true },
  ] as const)('is 16 bytes of a hash over them: %o', async ({ mode, x25519, identity }) => {
    const room = new SealedRoom()
    const primitives = room.primitivesOf(room.random.fill)
    const signer = identity ? { identity: await primitives.signer() } : {}
    const ada = await room.begin({ ...own, mode, ...signer }, undefined, (of) =>
      x25519 ? of : { ...of, x25519: async () => undefined },
    )
    const announced = decodeAnnouncement(ada.sealing.announcement, mode)
    const name = Uint8Array.of(0, 5, ...new TextEncoder().encode('lobby'))
    if (announced === undefined) throw new Error('it is one')
    expect(announced.bytes[1]).toBe(MODES[mode])
    expect([announced.x25519 !== undefined, announced.identity !== undefined]).toEqual([x25519, identity])
    expect(announced.instance).toEqual(await boundInstance(primitives, name, announced))
    for (const other of [
      { ...announced, p256: announced.p256.map((byte) => byte ^ 1) },
      { ...announced, x25519: x25519 ? undefined : new Uint8Array(32) },
      { ...announced, identity: identity ? undefined : new Uint8Array(65) },
    ]) {
      expect(await boundInstance(primitives, name, other)).not.toEqual(announced.instance)
    }
    expect(
      await boundInstance(
        primitives,
        name.map((byte) => byte ^ 1),
        announced,
      ),
    ).not.toEqual(announced.instance)
  })

  it('is refused with other keys once it is known, and afterwards', async () => {
    const { room, ada, bob } = await people()
    expect(await admit(bob, ada)).not.toHaveProperty('refused')
    const posing = await room.begin({ mode: 'link', instance: ada.instance })
    expect(await admit(bob, posing)).toEqual(CHANGED)
    await room.send(ada, [bob], unicastFrame(1))
    bob.sealing.left(ada.id)
    expect(await admit(bob, posing)).toEqual(CHANGED)
  })

  it.each([false, true])('takes its place from other keys, which have left: %s', async (hasLeft) => {
    const { room, ada, bob } = await people()
    const posing = await room.begin({ mode: 'link', instance: ada.instance })
    await Promise.all([admit(bob, posing), admit(posing, bob)])
    // Counters beyond those of the owner, keys of the same name as the owner's, and things that it said to all.
    for (let n = 0; n < 20; n += 1) await room.send(posing, [bob], roomFrame(n))
    expect(await room.send(bob, [posing], roomFrame(1))).toEqual([[roomFrame(1)]])
    if (hasLeft) bob.sealing.left(posing.id)
    expect(await admit(bob, ada)).not.toHaveProperty('refused')
    const { refused } = await bob.sealing.open(posing.id, new Uint8Array(64))
    expect(refused).toBeUndefined()
    expect(await bob.sealing.seal([posing.id], unicastFrame(1))).toEqual([])
    expect(await room.send(ada, [bob], roomFrame(7))).toEqual([[roomFrame(7)]])
    expect(await room.send(ada, [bob], unicastFrame(8))).toEqual([[unicastFrame(8)]])
    expect(await room.send(posing, [bob], unicastFrame(9))).toEqual([[]])
    // It was given our key: that is not the key any more.
    expect(await room.send(bob, [ada], roomFrame(2))).toEqual([[roomFrame(2)]])
    const [group] = await room.sealed(bob, [ada], roomFrame(3))
    expect(group?.payload.slice(0, 5)).toEqual(Uint8Array.of(2, 0, 0, 0, 2))
    expect(await admit(bob, posing)).toEqual(CHANGED)
  })

  it('is taken from nobody by one that is not admitted', async () => {
    const { room, ada, bob } = await people()
    const posing = await room.begin({ mode: 'link', instance: ada.instance })
    await Promise.all([admit(bob, posing), admit(posing, bob)])
    const noKey = fromBase64url(ada.sealing.announcement) ?? new Uint8Array()
    noKey.fill(0, 86, 118)
    const seal = base64url(noKey)
    expect(await bob.sealing.admit({ ...ada, seal })).toEqual(CHANGED)
    expect(await room.send(posing, [bob], unicastFrame(1))).toEqual([[unicastFrame(1)]])
  })

  it('counts as the one of the same keys by which something opens first, from then on', async () => {
    const { room, ada, bob } = await people()
    const shown = { id: instanceId(9).slice(16) as SealedMember['id'], instance: ada.instance, seal: altered(ada) }
    expect(await bob.sealing.admit(shown)).not.toHaveProperty('refused')
    expect(await admit(bob, ada)).not.toHaveProperty('refused')
    expect(await room.send(ada, [bob], unicastFrame(1))).toEqual([[unicastFrame(1)]])
    bob.sealing.left(ada.id)
    bob.sealing.left(shown.id)
    expect(await bob.sealing.admit(shown)).toEqual(CHANGED)
    expect(await admit(bob, ada)).not.toHaveProperty('refused')
    expect(await room.send(ada, [bob], unicastFrame(2))).toEqual([[unicastFrame(2)]])
  })
})
