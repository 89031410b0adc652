import { expect, it } from 'vitest'
import {
  CONTENT,
  decodePiece,
  encodeData,
  encodeText,
  type MessageHead,
  type PieceFrame,
} from '../../signaling/protocol/index.ts'
import { groupRecord } from './independent-records.ts'
import { type Company, company, LOBBY, type Person } from './stage.ts'

const VOTE = 's:vote'

function votes({ room }: Person): string[] {
  const heard: string[] = []
  room.channel<string>('vote', { signed: true }).on('message', ({ data }) => heard.push(data))
  room.on('gap', ({ reason }) => heard.push(`gap: ${reason}`))
  return heard
}

/** Mallory, who has Ada's sender key, and the server that helps: Bob is handed what they make up as Ada's. */
class Forger {
  #counter = 1_000_000
  #seq: number

  constructor(private readonly scene: Company) {
    this.#seq = Math.max(...this.pieces().map(({ seq }) => seq)) + 1_000
  }

  /** Ada's data frames to the room. */
  pieces(): PieceFrame[] {
    const { ada, mallory } = this.scene
    return mallory.frames
      .filter(({ from, frame }) => from === ada.id && (frame[0] ?? 0) >> 4 === 0)
      .map(({ frame }) => decodePiece(frame))
  }

  async say(head: Partial<MessageHead>, body: Uint8Array): Promise<void> {
    const { ada, mallory, stage } = this.scene
    const key = mallory.member.keysOf(ada.id).at(-1)
    if (key === undefined) throw new Error('Mallory has no key of Ada')
    this.#counter += 1
    this.#seq += 1
    const opening = undefined
    const whole = { stream: 0, channel: 77, ordinal: 0, content: CONTENT.binary, sent: 0, number: 0, opening, ...head }
    const frame = encodeData({ ...whole, seq: this.#seq } as MessageHead, body)
    const payload = groupRecord(key, Buffer.from(ada.instance, 'hex'), LOBBY, this.#counter, frame)
    stage.server.hand('bob', { from: ada.id, payload })
    await stage.run(300)
  }
}

it('two with a third one’s sender key and the server forge what is not signed, and nothing that is', async () => {
  const scene = await company()
  const { stage, ada, bob } = scene
  const heard = votes(bob)
  const vote = ada.room.channel<string>('vote', { signed: true })
  vote.on('message', () => {})
  await stage.run(500)
  for (const word of ['yes', 'no']) vote.send(word)
  await stage.run(1_000)
  expect(heard).toEqual(['yes', 'no'])
  const forger = new Forger(scene)
  const signed = forger.pieces().filter(({ body }) => body.length > 65)
  const [yes, no] = signed.slice(-2) as [PieceFrame, PieceFrame]

  // The attack is one: on a channel that is not signed, Bob believes it.
  await forger.say({ opening: { name: 'm:chat', ordinal: 0 }, content: CONTENT.json }, encodeText('{"n":666}'))
  expect(bob.heard).toContain('ada 666')

  const opens = (channel: number, ordinal: number) => ({ channel, ordinal, opening: { name: VOTE, ordinal } })
  const sentOf = ({ start }: PieceFrame): number => start?.sent ?? 0
  // Her own words again, as if on another channel of that name; and in another place.
  await forger.say({ ...opens(78, 0), sent: sentOf(yes) }, yes.body)
  await forger.say({ ...opens(79, 2), sent: sentOf(no) }, no.body)
  // Words of Mallory's, with a signature of Ada's, one made up, and none.
  await forger.say(
    { ...opens(80, 2), sent: sentOf(no) },
    Uint8Array.of(...no.body.subarray(0, 65), ...encodeText('yes')),
  )
  await forger.say(opens(81, 2), Uint8Array.of(...new Uint8Array(64).fill(7), CONTENT.text, ...encodeText('yes')))
  await forger.say({ ...opens(82, 2), content: CONTENT.text }, encodeText('yes'))
  await forger.say({ channel: 83, opening: { name: 'm:vote', ordinal: 0 }, content: CONTENT.text }, encodeText('yes'))
  expect(heard).toEqual(['yes', 'no'])
  expect(new Set(bob.refusedOf)).toEqual(new Set(['ada forged', 'ada replayed', 'ada unsigned']))

  vote.send('maybe')
  await stage.run(3_000)
  expect(heard).toEqual(['yes', 'no', 'maybe'])
})
