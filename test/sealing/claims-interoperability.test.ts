/** What members claim of themselves, between ours and the second implementation, in real rooms. */
import { describe, expect, it } from 'vitest'
import { decodePiece, FRAME, frameType, LINK_CHANNEL, type PeerId } from '../../signaling/protocol/index.ts'
import {
  CONTENTS,
  makeSigner,
  openBody,
  openProfile,
  type Place,
  SignedPlaces,
  sealProfile,
  signBody,
} from './independent-claims.ts'
import type { RawMember } from './raw-member.ts'
import { LOBBY, type Person, SECRET, Stage } from './stage.ts'

const WIRE_NAME = 's:news'

/** Bob reads the signed channel, and what is told of others. */
function reads(bob: Person) {
  const heard: unknown[] = []
  bob.room.channel('news', { signed: true }).on('message', ({ data }) => heard.push(data))
  return heard
}

const placeOf = (instance: string, ordinal: number, sent: number): Place => ({
  room: LOBBY,
  instance: Buffer.from(instance, 'hex'),
  wireName: WIRE_NAME,
  ordinal,
  sent,
})

/** What came of a member by data frames, whole and in order. */
const pieces = ({ frames }: RawMember, from: PeerId) =>
  frames
    .filter((one) => one.from === from && frameType(one.frame) === FRAME.data)
    .map(({ frame }) => decodePiece(frame))

async function scene(mode: 'link' | 'secret') {
  const stage = new Stage()
  const bob = stage.join('bob', mode === 'link' ? {} : undefined)
  await stage.run(300)
  const heard = reads(bob)
  const ada = await stage.rawMember('ada', { mode, profile: { name: 'Ada', age: 36 } })
  const signer = makeSigner()
  ada.say(bob.id, ada.linkMessage(signer.says))
  await stage.run(300)
  const say = (ordinal: number, text: string, at: Partial<Place> = {}): void => {
    const body = signBody(signer, { ...placeOf(ada.instance, ordinal, 77), ...at }, CONTENTS.text, Buffer.from(text))
    ada.say(bob.id, ada.signedLine(ordinal, 77, body))
  }
  return { stage, bob, ada, heard, say, signer }
}

describe.each(['link', 'secret'] as const)('signed channels of the second implementation, in mode %s', (mode) => {
  it('are heard by ours', async () => {
    const { stage, bob, heard, say } = await scene(mode)
    for (const [ordinal, text] of ['one', 'two', 'three'].entries()) say(ordinal, text)
    await stage.run(500)
    expect(heard).toEqual(['one', 'two', 'three'])
    expect(bob.refused).toEqual([])
  })

  it('of ours are good by the document', async () => {
    const { stage, bob, ada } = await scene(mode)
    for (const data of [{ n: 1 }, 'text', Uint8Array.of(7, 8)])
      bob.room.channel<never>('news', { signed: true }).send(data as never)
    await stage.run(1_000)
    const all = pieces(ada, bob.id)
    const told = all
      .filter(({ channel }) => channel === LINK_CHANNEL)
      .map(({ body }) => JSON.parse(Buffer.from(body).toString()))
    const { key } = told.find(({ t }) => t === 'signer')
    const first = all.find(({ opening }) => opening?.name === WIRE_NAME)
    const places = new SignedPlaces()
    const opened = all
      .filter(({ channel, stream }) => channel === first?.channel && stream < 2)
      .map(({ ordinal, start, body }) => {
        expect(start?.content).toBe(CONTENTS.bytes)
        expect(places.take(ordinal)).toEqual({ withheld: false })
        return openBody(key, placeOf(bob.instance, ordinal, start?.sent ?? 0), body)
      })
    expect(opened.map(({ content, payload }) => [content, payload.toString('latin1')])).toEqual([
      [CONTENTS.json, '{"n":1}'],
      [CONTENTS.text, 'text'],
      [CONTENTS.bytes, '\x07\x08'],
    ])
  })

  it('are refused by ours as the document says, and heard on', async () => {
    const { stage, bob, ada, heard, say } = await scene(mode)
    say(0, 'one')
    say(1, 'of another room', { room: 'attic' })
    await stage.run(1_100)
    // In its place: what was there is kept from Bob.
    expect(bob.refused).toEqual(['forged'])
    say(2, 'of another time', { sent: 78 })
    await stage.run(1_100)
    ada.say(bob.id, ada.signedLine(3, 77, new Uint8Array(64)))
    await stage.run(1_100)
    const gaps: string[] = []
    bob.room.on('gap', ({ reason }) => gaps.push(reason))
    say(4, 'two')
    await stage.run(1_100)
    expect(bob.refused).toEqual(['forged', 'forged', 'forged'])
    expect(heard).toEqual(['one', 'two'])
    expect(gaps).toEqual(['withheld'])
    ada.say(bob.id, ada.linkMessage(makeSigner().says))
    say(5, 'three')
    await stage.run(1_100)
    expect(bob.refused).toEqual(['forged', 'forged', 'forged', 'seal-changed'])
    expect(heard).toEqual(['one', 'two', 'three'])
  })

  it('wait for their key', async () => {
    const stage = new Stage()
    const bob = stage.join('bob', mode === 'link' ? {} : undefined)
    await stage.run(300)
    const heard = reads(bob)
    const ada = await stage.rawMember('ada', { mode })
    const signer = makeSigner()
    ada.say(
      bob.id,
      ada.signedLine(0, 5, signBody(signer, placeOf(ada.instance, 0, 5), CONTENTS.text, Buffer.from('x'))),
    )
    await stage.run(1_000)
    expect(heard).toEqual([])
    ada.say(bob.id, ada.linkMessage(signer.says))
    await stage.run(1_000)
    expect(heard).toEqual(['x'])
  })

  it('are not to be had unsigned', async () => {
    const { stage, bob, ada, heard } = await scene(mode)
    ada.say(bob.id, ada.unsignedNews(1))
    await stage.run(1_000)
    expect(heard).toEqual([])
    expect(bob.refused).toEqual(['unsigned'])
  })
})

describe.each(['link', 'secret'] as const)('profiles of the second implementation, in mode %s', (mode) => {
  it('match by ours, and those of ours by it', async () => {
    const { stage, bob, ada } = await scene(mode)
    const peer = bob.room.peers.get(ada.id)
    expect(peer?.profile).toEqual({ name: 'Ada', age: 36 })
    expect(peer?.profileVerified).toBe(true)
    const instance = Buffer.from(bob.instance, 'hex')
    const announced = ada.member.admit(stage.server.who('bob'))
    expect(announced.profile).toEqual(ada.member.profileDigest(instance, { name: 'bob' }))
    void bob.room.setProfile({ b: 2, a: [1, null] } as never)
    await stage.run(1_000)
    const told = pieces(ada, bob.id).flatMap(({ channel, body }) =>
      channel === LINK_CHANNEL ? [JSON.parse(Buffer.from(body).toString())] : [],
    )
    const digest = ada.member.profileDigest(instance, { a: [1, null], b: 2 }).toString('base64url')
    expect(told).toContainEqual({ t: 'profile', digest })
  })

  it('that the server rewrites are told of, and verified again when it shows the good one', async () => {
    const { stage, bob, ada } = await scene(mode)
    const version = 3
    stage.server.tell('bob', { t: 'changed', version, id: ada.id, profile: { name: 'Eve' } })
    await stage.run(9_000)
    expect(bob.room.peers.get(ada.id)?.profileVerified).toBeUndefined()
    await stage.run(1_500)
    expect(bob.room.peers.get(ada.id)?.profileVerified).toBe(false)
    expect(bob.refused).toEqual(['profile-altered'])
    const digest = ada.member.profileDigest(Buffer.from(ada.instance, 'hex'), { name: 'Eve' })
    ada.say(bob.id, ada.linkMessage({ t: 'profile', digest: digest.toString('base64url') }))
    await stage.run(500)
    expect(bob.room.peers.get(ada.id)?.profileVerified).toBe(true)
  })
})

describe('sealed profiles', () => {
  it('are opened by ours, and those of ours by the second implementation', async () => {
    const stage = new Stage()
    const bob = stage.join('bob', { secret: SECRET, sealProfile: true, profile: { name: 'bob', secret: 7 } })
    await stage.run(300)
    const ada = await stage.rawMember('ada')
    const shown = ada.shown.get(bob.id)?.profile
    expect(JSON.stringify(shown)).not.toContain('bob')
    const instance = Buffer.from(bob.instance, 'hex')
    expect(openProfile(ada.member.profileKey, instance, shown)).toEqual({ name: 'bob', secret: 7 })
    const sealed = sealProfile(ada.member.profileKey, Buffer.from(ada.instance, 'hex'), 99, { name: 'Ada' })
    stage.server.tell('bob', { t: 'changed', version: 3, id: ada.id, profile: sealed })
    await stage.run(500)
    expect(bob.room.peers.get(ada.id)?.profile).toEqual({ name: 'Ada' })
  })
})
