import { describe, expect, it } from 'vitest'
import { decodePiece, encodeData, FRAME, frameType } from '../../signaling/protocol/index.ts'
import { CONTENTS, makeSigner, signBody } from './independent-claims.ts'
import { groupRecord } from './independent-records.ts'
import { LOBBY, Stage } from './stage.ts'

describe.each(['link', 'secret'] as const)('on a signed channel in mode %s, a member whom the server helps', (mode) => {
  it('has nothing heard in the name of another, though it has that one’s sender key', async () => {
    const stage = new Stage()
    const { ada, bob } = await stage.two(mode === 'link' ? {} : undefined)
    const mallory = await stage.rawMember('mallory', { mode })
    const heard: unknown[] = []
    const gaps: string[] = []
    bob.room.channel('news', { signed: true }).on('message', ({ data }) => heard.push(data))
    bob.room.on('gap', ({ reason }) => gaps.push(reason))
    const news = ada.room.channel<string>('news', { signed: true })
    news.send('one')
    await stage.run(1_000)
    news.send('two')
    await stage.run(1_000)
    expect(heard).toEqual(['one', 'two'])

    const frames = mallory.frames.filter(({ from, frame }) => from === ada.id && frameType(frame) === FRAME.data)
    const said = frames.map(({ frame }) => decodePiece(frame)).filter(({ stream }) => stream === 0)
    // Whoever acknowledges nothing hears all of it again.
    const [first, second] = [0, 1].map((number) => said.find(({ ordinal }) => ordinal === number))
    const [key] = mallory.member.keysOf(ada.id)
    if (first === undefined || second === undefined || key === undefined) throw new Error('Ada has spoken')
    const instance = Buffer.from(ada.instance, 'hex')
    const place = { room: LOBBY, instance, wireName: 's:news', sent: 0 }
    const lie = (ordinal: number): Uint8Array =>
      signBody(makeSigner(), { ...place, ordinal }, CONTENTS.text, Buffer.from('lie'))
    const flipped = Uint8Array.from(second.body)
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
    // What is said already, in another place; the same, altered; and lies under another's key.
    const bodies = [first.body, second.body, flipped, lie(second.ordinal + 4), new Uint8Array(0), new Uint8Array(65)]
    for (const [index, body] of bodies.entries()) {
      const [seq, ordinal] = [second.seq + index + 1, second.ordinal + index + 1]
      const head = {
        stream: 0,
        seq,
        ordinal,
        channel: second.channel,
        opening: undefined,
        content: 2,
        number: 0,
      } as const
      const frame = encodeData({ ...head, sent: second.start?.sent ?? 0 }, body)
      const payload = groupRecord(key, instance, LOBBY, 5_000 + index, frame)
      stage.server.hand('bob', { from: ada.id, payload })
      await stage.run(1_100)
    }
    expect(heard).toEqual(['one', 'two'])
    expect(bob.refusedOf).toEqual(bodies.map(() => 'ada forged'))
    // What took their places is kept from Bob, who is told so, and hears on.
    for (let n = 0; n < 8; n += 1) news.send(`n ${n}`)
    await stage.run(60_000)
    expect(heard.filter((data) => !String(data).startsWith('n '))).toEqual(['one', 'two'])
    expect(gaps.length).toBeGreaterThan(0)
    expect(new Set(gaps)).toEqual(new Set(['withheld']))
    expect(heard.slice(2)).toEqual(['n 6', 'n 7'])
  })
})
