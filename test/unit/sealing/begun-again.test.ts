import { describe, expect, it } from 'vitest'
import { ackFrame, admit, deliver, latestFrame, onTheWay, roomFrame, SealedRoom, unicastFrame } from './sealed-room.ts'

/** A greeting, as far as sealing looks at it. */
const greeting = (...content: number[]): Uint8Array => Uint8Array.of(0xa0, ...content)

async function two() {
  const room = new SealedRoom()
  return { room, ada: await room.join(), bob: await room.join() }
}

describe('a link that one side has ended, and the other has not noticed', () => {
  it('has nothing of the old link in the new one, once the greeting has come', async () => {
    const { room, ada, bob } = await two()
    const old = [
      ...(await room.sealed(ada, [bob], unicastFrame(1))),
      ...(await room.sealed(ada, [bob], roomFrame(2))),
      ...(await room.sealed(ada, [bob], ackFrame(3))),
    ]
    // Ada takes bob for gone, and finds him again; bob knows of nothing.
    ada.sealing.left(bob.id)
    await admit(ada, bob)
    const [greets] = await room.sealed(ada, [bob], greeting(4))
    expect((await deliver(greets as never)).frames).toEqual([greeting(4)])
    for (const record of old) expect((await deliver(record)).refused).toBe('replayed')
  })

  it('loses nothing of the new one, whatever comes before the greeting, or is sent again after it', async () => {
    const { room, ada, bob } = await two()
    ada.sealing.left(bob.id)
    await admit(ada, bob)
    const first = await room.sealed(ada, [bob], greeting(1))
    const frame = unicastFrame(2)
    const early = await room.sealed(ada, [bob], frame)
    const later = await room.sealed(ada, [bob], unicastFrame(3))
    const again = await room.sealed(ada, [bob], greeting(1))
    // The first greeting is lost; what followed it overtakes the second.
    for (const record of later) expect((await deliver(record)).frames).toEqual([unicastFrame(3)])
    for (const record of again) expect((await deliver(record)).frames).toEqual([greeting(1)])
    bob.sealing.begunAgain(ada.id)
    for (const record of early) expect((await deliver(record)).frames).toEqual([frame])
    for (const record of await room.sealed(ada, [bob], frame)) {
      expect((await deliver(record)).frames).toEqual([frame])
    }
    expect(first).toHaveLength(1)
  })

  it('is a new one for the other side too: nothing sealed before goes by it in the same record', async () => {
    const { room, ada, bob } = await two()
    const value = latestFrame(1)
    const before = await room.sealed(bob, [ada], value)
    for (const record of before) await deliver(record)
    bob.sealing.begunAgain(ada.id)
    const [greets] = await room.sealed(bob, [ada], greeting(2))
    await deliver(greets as never)
    const after = await room.sealed(bob, [ada], value)
    const frames = []
    for (const record of after) frames.push(...(await deliver(record)).frames)
    expect(frames).toEqual([value])
    for (const { payload } of before) {
      const opened = await ada.sealing.open(bob.id, payload)
      expect(opened.refused).toBe('replayed')
    }
  })

  it('has greetings that say when their link began, and no later', async () => {
    const { room, ada, bob } = await two()
    const [record] = await room.sealed(ada, [bob], greeting(1))
    expect((await deliver(record as never)).frames).toEqual([greeting(1)])
    expect(onTheWay(ada, [bob], [])).toEqual([])
  })
})
