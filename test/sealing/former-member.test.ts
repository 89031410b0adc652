import { describe, expect, it } from 'vitest'
import {
  CONTENT,
  decodeLatest,
  decodePiece,
  encodeData,
  encodeLatest,
  encodeText,
  FRAME,
  frameType,
} from '../../signaling/protocol/index.ts'
import { groupRecord, isForTheRoom, KEY, keyName, LINK, linkRecord } from './independent-records.ts'
import type { Told } from './malicious-server.ts'
import { lineFrame, positionFrame, type RawMember } from './raw-member.ts'
import { type Company, company, goesOn, LOBBY, Stage } from './stage.ts'

const lines = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

/** The server hands on to a former member everything that is for anybody, as from its sender. */
function collude({ server }: Stage, former: RawMember): void {
  server.handed = (_client, frame) => {
    former.take(frame)
    return [frame]
  }
}

/** What it has read of these lines. */
const read = (former: RawMember, numbers: readonly number[]): number[] =>
  numbers.filter((n) => former.text.includes(`{"n":${n}}`))

async function left(scene: Company): Promise<void> {
  scene.mallory.leave()
  await scene.stage.run(500)
  collude(scene.stage, scene.mallory)
}

/** What its sender would say next to the room, after this. */
function* nextFrames(frame: Uint8Array): Iterable<Uint8Array> {
  if (frameType(frame) === FRAME.latest) {
    const value = decodeLatest(frame)
    for (const counter of lines(value.counter + 1, value.counter + 9)) {
      yield encodeLatest({ ...value, counter, body: encodeText('666') })
    }
    return
  }
  const { stream, seq, channel, ordinal } = decodePiece(frame)
  for (const ahead of lines(1, 9)) {
    const head = { stream, seq: seq + ahead, channel, ordinal: ordinal + ahead, opening: undefined }
    yield encodeData({ ...head, content: CONTENT.json, sent: 0, number: 0 }, encodeText('{"n":666}'))
  }
}

/** Under each key of Ada's that it was given: all that could come next of what it has heard of her. */
function* forgeries({ mallory, ada }: Company): Iterable<Uint8Array> {
  const heard = mallory.frames.filter(({ from, frame }) => from === ada.id && isForTheRoom(frame))
  const instance = Buffer.from(ada.instance, 'hex')
  let counter = 100_000
  for (const key of mallory.member.keysOf(ada.id)) {
    for (const { frame } of heard) {
      for (const next of nextFrames(frame)) {
        counter += 1
        yield groupRecord(key, instance, LOBBY, counter, next)
      }
    }
  }
}

/** What Bob believes to be Ada's, of what is forged. */
async function believed(scene: Company): Promise<readonly unknown[]> {
  const { stage, ada, bob } = scene
  const values = bob.room.latest<number>('positions')
  for (const payload of forgeries(scene)) stage.server.hand('bob', { from: ada.id, payload })
  await stage.run(2_000)
  const lies = new Set(bob.heard.filter((line) => line.endsWith(' 666')))
  return [...lies, ...[values.get(ada.id)].filter((value) => value === 666)]
}

describe.each(['link', 'secret'] as const)('a former member of a room in mode %s, whom the server helps', (mode) => {
  it('reads nothing that was sealed after its leave was seen', async () => {
    const scene = await company(mode)
    const { ada, bob, mallory, stage } = scene
    expect(read(mallory, [1, 2])).toEqual([1, 2])
    await left(scene)
    for (const n of lines(10, 20)) {
      ada.say(n)
      bob.say(n + 10)
      ada.say(n + 20, [bob])
      ada.room.latest<object>('positions').set({ n: n + 30 })
      await stage.run(200)
    }
    expect(bob.heard.filter((line) => line.startsWith('ada'))).toHaveLength(21)
    expect(read(mallory, lines(10, 60))).toEqual([])
    expect(mallory.records.length).toBeGreaterThan(60)
    await goesOn(scene)
  })

  it('reads nothing either when it has begun its links again just before it left', async () => {
    const scene = await company(mode)
    const { ada, bob, mallory, stage } = scene
    mallory.say([ada.id, bob.id], mallory.greetingAgain())
    await stage.run(500)
    await left(scene)
    for (const n of [10, 11, 12]) {
      ada.say(n)
      bob.say(n + 10)
      await stage.run(300)
    }
    expect(bob.heard).toEqual(['ada 1', 'ada 10', 'ada 11', 'ada 12'])
    expect(read(mallory, lines(10, 30))).toEqual([])
    await goesOn(scene)
  })

  it('reads nothing of one that the server had shown to it as gone, and back', async () => {
    const stage = new Stage()
    const { ada, bob, carol } = await stage.three(mode === 'link' ? {} : undefined)
    ada.say(1)
    await stage.run(500)
    const shown = { ...stage.server.who('ada'), presence: 'here', profile: { name: 'ada' } }
    stage.server.tell('carol', { t: 'left', version: 4, id: ada.id, reason: 'left' })
    await stage.run(100)
    stage.server.tell('carol', { t: 'joined', version: 5, member: shown })
    await stage.run(1_500)
    expect(carol.room.peers.has(ada.id)).toBe(true)
    void carol.room.leave()
    await stage.run(1_500)
    const before = stage.server.recordsOf('bob').length
    ada.say(2)
    await stage.run(500)
    const groups = stage.server.recordsOf('bob').slice(before)
    const epochs = groups.filter(({ payload }) => payload[0] === 2).map(({ payload }) => payload[4])
    expect(epochs).toEqual([2])
    expect(bob.heard).toEqual(['ada 1', 'ada 2'])
  })

  it('reads nothing of a newcomer, nor of what is said to it', async () => {
    const scene = await company(mode)
    const { ada, mallory, stage } = scene
    await left(scene)
    const carol = stage.join('carol', mode === 'link' ? {} : undefined)
    await stage.run(500)
    carol.say(10)
    ada.say(11)
    ada.say(12, [carol])
    await stage.run(500)
    expect(carol.heard).toEqual(['ada 11', 'ada 12'])
    expect(read(mallory, [10, 11, 12])).toEqual([])
  })

  it('reads of those who have not heard that it left, and of nobody else', async () => {
    const scene = await company(mode)
    const { ada, bob, mallory, stage } = scene
    // Each answer to a heartbeat would tell that Bob has missed something.
    stage.server.told = (client, message) => {
      if (client !== 'bob' || !['left', 'dropped', 'pong'].includes(message.t)) return message
      return message.t === 'pong' ? ({ ...message, version: undefined } as Told) : undefined
    }
    await left(scene)
    ada.say(10)
    bob.say(11)
    await stage.run(500)
    expect(read(mallory, [10, 11])).toEqual([11])
    stage.server.told = (_client: string, message: Told) => message
    await stage.run(40_000)
    expect(bob.room.peers.has(mallory.id)).toBe(false)
    bob.say(12)
    await stage.run(500)
    expect(read(mallory, [10, 11, 12])).toEqual([11])
    expect(ada.heard).toEqual(['bob 2', 'bob 11', 'bob 12'])
    await goesOn(scene)
  })

  it('has nothing taken that it says itself, or to one in the name of another', async () => {
    const scene = await company(mode)
    const { ada, bob, mallory, stage } = scene
    const { member } = mallory
    await left(scene)
    const ways = [mallory.greeting(), lineFrame(666, 0), lineFrame(666, 0).fill(0x10, 0, 1), positionFrame(666, 1)]
    for (const [to, other] of [
      ['ada', bob.id],
      ['bob', ada.id],
    ] as const) {
      const key = member.sendingTo(stage.server.who(to).id)
      const payloads = [
        ...ways.map((frame) => linkRecord(LINK, key, member.nextCounter(), frame)),
        ...ways.map((frame) => groupRecord(member.senderKey, member.announced.instance, LOBBY, 900, frame)),
        linkRecord(KEY, key, member.nextCounter(), keyName(member.senderKey)),
      ]
      for (const payload of payloads) {
        for (const from of [mallory.id, other]) stage.server.hand(to, { from, payload })
      }
    }
    for (const frame of mallory.records) for (const to of ['ada', 'bob']) stage.server.hand(to, frame)
    await stage.run(1_000)
    expect([...ada.heard, ...bob.heard]).toEqual(['bob 2', 'ada 1'])
    expect(new Set([...ada.refusedOf, ...bob.refusedOf])).toEqual(new Set(['ada forged', 'bob forged']))
    await goesOn(scene)
  })

  // What is written down: on channels that are not signed.
  it('can speak in the name of one who has said nothing to the room since, as while it was there', async () => {
    const scene = await company(mode)
    const { ada, stage } = scene
    ada.room.latest<number>('positions').set(1)
    await stage.run(500)
    await left(scene)
    await stage.run(120_000)
    expect(await believed(scene)).toEqual(['ada 666', 666])
  })

  it('cannot a minute after that one has said something', async () => {
    const scene = await company(mode)
    const { ada, bob, stage } = scene
    ada.room.latest<number>('positions').set(1)
    await stage.run(500)
    await left(scene)
    ada.say(10)
    await stage.run(61_000)
    expect(await believed(scene)).toEqual([])
    expect(bob.heard).toEqual(['ada 1', 'ada 10'])
    await goesOn(scene)
  })

  it('is somebody new when it comes back', async () => {
    const scene = await company(mode)
    const { ada, bob, mallory, stage } = scene
    await left(scene)
    ada.say(10)
    await stage.run(500)
    const again = await stage.rawMember('again', { mode })
    expect(read(again, [10])).toEqual([])
    for (const { from, payload } of mallory.records) again.take({ from, payload })
    expect(again.text).not.toContain('{"n":')
    again.say([ada.id, bob.id], again.line(3))
    await stage.run(500)
    expect(bob.heard.at(-1)).toBe('again 3')
    expect(stage.nameOf(again.id)).not.toBe('mallory')
  })
})
