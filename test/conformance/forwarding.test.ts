import { expect, it } from 'vitest'
import type { PeerId } from '../../signaling/protocol/ids.ts'
import { LIMITS } from '../../signaling/protocol/limits.ts'
import { describeWire, freshRoom, type RunningTarget, type Target } from './target.ts'
import { envelope } from './wire-client.ts'

async function three(target: Target, server: RunningTarget) {
  const room = freshRoom()
  const ada = await target.joined(server, { room })
  const bob = await target.joined(server, { room })
  const cyd = await target.joined(server, { room })
  return { ada, bob, cyd, adaId: ada.id as PeerId, bobId: bob.id as PeerId, cydId: cyd.id as PeerId }
}

describeWire('forwarding', (target) => {
  it('forwards to one, and to nobody else', async () => {
    const { ada, bob, cyd, adaId, bobId } = await three(target, await target.start())
    ada.send({ kind: 'one', id: bobId }, 'hello')
    expect(await bob.nextFrame()).toEqual({ from: adaId, payload: 'hello', slot: undefined })
    await cyd.settle()
    expect(cyd.unreadFrames).toEqual([])
    await ada.settle()
    expect(ada.unreadFrames).toEqual([])
  })

  it('forwards to several, to all, and to all except some', async () => {
    const { ada, bob, cyd, adaId, bobId, cydId } = await three(target, await target.start())
    ada.send({ kind: 'several', ids: [bobId, cydId] }, 'several')
    ada.send({ kind: 'all' }, 'all')
    ada.send({ kind: 'except', ids: [bobId] }, 'not bob')
    ada.send({ kind: 'except', ids: [] }, 'everyone')
    const payloads = async (client: typeof bob, count: number): Promise<string[]> => {
      const seen: string[] = []
      while (seen.length < count) {
        const frame = await client.nextFrame()
        expect(frame.from).toBe(adaId)
        seen.push(frame.payload)
      }
      return seen
    }
    expect(await payloads(bob, 3)).toEqual(['several', 'all', 'everyone'])
    expect(await payloads(cyd, 4)).toEqual(['several', 'all', 'not bob', 'everyone'])
    await ada.settle()
    expect(ada.unreadFrames).toEqual([])
  })

  it('tells a room of many in order with what is for one of them, and with who comes and goes', async () => {
    const server = await target.start()
    const room = freshRoom()
    const [ada, bob, ...others] = await Promise.all(Array.from({ length: 12 }, () => target.joined(server, { room })))
    if (ada === undefined || bob === undefined) throw new Error('nobody came')
    const id = bob.id as PeerId
    const rounds = 20
    for (let round = 0; round < rounds; round += 1) {
      ada.send({ kind: 'all' }, `${round} for all`)
      ada.send({ kind: 'one', id }, `${round} for one`)
      ada.send({ kind: 'all' }, `${round} for all again`)
      // As it is when nothing else happens, and as it is when much does.
      if (round % 2 === 0) await ada.settle()
    }
    const late = await target.joined(server, { room })
    ada.send({ kind: 'all' }, 'late')
    const numbers = Array.from({ length: rounds }, (_, round) => round)
    const forAll = numbers.flatMap((round) => [`${round} for all`, `${round} for all again`])
    for (const other of others) {
      for (const payload of [...forAll, 'late']) expect((await other.nextFrame()).payload).toBe(payload)
    }
    const forBob = numbers.flatMap((round) => [`${round} for all`, `${round} for one`, `${round} for all again`])
    for (const payload of [...forBob, 'late']) expect((await bob.nextFrame()).payload).toBe(payload)
    expect((await late.nextFrame()).payload).toBe('late')
    await ada.settle()
    expect(ada.unreadFrames).toEqual([])
  })

  it('keeps the order and the bytes of many envelopes in one message', async () => {
    const { ada, bob, bobId } = await three(target, await target.start())
    const payloads = Array.from({ length: 200 }, (_, index) => `${index}:\u0000\u00ff${'x'.repeat(index)}`)
    const envelopes = payloads.map((payload, index) =>
      envelope(index % 3 === 0 ? { kind: 'all' } : { kind: 'one', id: bobId }, payload),
    )
    ada.sendRaw(Buffer.concat(envelopes))
    for (const payload of payloads) expect((await bob.nextFrame()).payload).toBe(payload)
  })

  it('forwards empty frames and the largest ones', async () => {
    const { ada, bob } = await three(target, await target.start())
    ada.send({ kind: 'all' }, '')
    ada.send({ kind: 'all' }, 'z'.repeat(LIMITS.frameBytes))
    expect((await bob.nextFrame()).payload).toBe('')
    expect((await bob.nextFrame()).payload.length).toBe(LIMITS.frameBytes)
  })

  it('keeps the slot of a droppable frame', async () => {
    const { ada, bob, bobId } = await three(target, await target.start())
    ada.send({ kind: 'one', id: bobId }, 'a', 7)
    ada.send({ kind: 'several', ids: [bobId] }, 'b', 0xffff_ffff)
    expect(await bob.nextFrame()).toMatchObject({ payload: 'a', slot: 7 })
    expect(await bob.nextFrame()).toMatchObject({ payload: 'b', slot: 0xffff_ffff })
  })

  it('tells the sender about frames to a member who is away or gone', async () => {
    const { ada, bob, bobId } = await three(target, await target.start())
    bob.drop()
    expect(await ada.next('changed')).toMatchObject({ id: bobId, presence: 'away' })
    ada.send({ kind: 'one', id: bobId }, 'lost')
    expect(await ada.next('dropped')).toMatchObject({ to: [bobId], frames: 1, reason: 'absent' })
    const nobody = '00000000000000aa' as PeerId
    ada.send({ kind: 'one', id: nobody }, 'lost')
    expect(await ada.next('dropped')).toMatchObject({ to: [nobody], reason: 'absent' })
  })

  it('never crosses rooms', async () => {
    const server = await target.start()
    const ada = await target.joined(server, { room: freshRoom() })
    const eve = await target.joined(server, { room: freshRoom() })
    eve.send({ kind: 'one', id: ada.id as PeerId }, 'intruder')
    eve.send({ kind: 'all' }, 'intruder')
    expect(await eve.next('dropped')).toMatchObject({ to: [ada.id] })
    await ada.settle()
    expect(ada.unreadFrames).toEqual([])
  })

  it('does not let a client say who a frame is from', async () => {
    const { ada, bob, bobId, cydId } = await three(target, await target.start())
    const forged = envelope({ kind: 'one', id: bobId }, 'from cyd')
    forged[0] = 5
    forged.set(Buffer.from(cydId, 'hex'), 8)
    ada.sendRaw(forged)
    expect(await ada.next('error')).toMatchObject({ code: 'bad-message', fatal: true })
    expect(await ada.closed).toMatchObject({ code: 4001 })
    await bob.settle()
    expect(bob.unreadFrames).toEqual([])
  })

  it('gives a sender that floods its messages in order, only later', async () => {
    const { ada, bob } = await three(target, await target.start())
    for (let index = 0; index < 2_100; index += 1) ada.send({ kind: 'all' }, String(index))
    for (let index = 0; index < 2_100; index += 1) expect((await bob.nextFrame()).payload).toBe(String(index))
  })
})
