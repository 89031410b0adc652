import { describe, expect, it } from 'vitest'
import type { Told } from './malicious-server.ts'
import { type Person, SECRET, Stage } from './stage.ts'

/** The same two people in two rooms of one secret (or none), who have said something in each. */
async function twoRooms(mode: 'link' | 'secret') {
  const options = mode === 'link' ? {} : { secret: SECRET }
  const [lobby, attic] = [new Stage(1), new Stage(2, 'attic')]
  const rooms = []
  for (const stage of [lobby, attic]) {
    const { ada, bob } = await stage.two(options)
    ada.say(1)
    bob.say(2)
    await stage.run(500)
    rooms.push({ stage, ada, bob })
  }
  const [inLobby, inAttic] = rooms
  if (inLobby === undefined || inAttic === undefined) throw new Error('two rooms')
  return { inLobby, inAttic }
}

const heard = ({ heard: lines }: Person): string[] => [...lines]

describe.each(['link', 'secret'] as const)('a server that mixes rooms, in mode %s', (mode) => {
  it('has no record of the one room opened in the other', async () => {
    const { inLobby, inAttic } = await twoRooms(mode)
    for (const name of ['ada', 'bob'] as const) {
      const sender = inAttic.stage.server.who(name === 'ada' ? 'bob' : 'ada').id
      const records = inLobby.stage.server.recordsOf(name)
      expect(new Set(records.map(({ payload }) => payload[0]))).toEqual(new Set([1, 2, 3, 4]))
      for (const { payload } of records) inAttic.stage.server.hand(name, { from: sender, payload })
    }
    await inAttic.stage.run(2_000)
    expect(heard(inAttic.ada)).toEqual(['bob 2'])
    expect(heard(inAttic.bob)).toEqual(['ada 1'])
    for (const person of [inAttic.ada, inAttic.bob]) expect(new Set(person.refused)).toEqual(new Set(['forged']))
    inAttic.ada.say(3)
    await inAttic.stage.run(1_000)
    expect(heard(inAttic.bob)).toEqual(['ada 1', 'ada 3'])
  })

  it('has no member of the one room speak in the other', async () => {
    const { inLobby, inAttic } = await twoRooms(mode)
    const stranger = inLobby.stage.server.who('ada')
    const member = { ...stranger, profile: null, presence: 'here' }
    inAttic.stage.server.tell('bob', { t: 'joined', version: 3, member })
    await inAttic.stage.run(200)
    for (const frame of inLobby.stage.server.recordsOf('bob')) inAttic.stage.server.hand('bob', frame)
    await inAttic.stage.run(2_000)
    expect(heard(inAttic.bob)).toEqual(['ada 1'])
    // With a secret it is none; without, it is one that never says anything.
    expect(inAttic.bob.room.peers.has(stranger.id)).toBe(mode === 'link')
    expect(inAttic.bob.refused).toContain(mode === 'link' ? 'forged' : 'wrong-secret')
  })

  it('has nobody believe that a room of another name is this one', async () => {
    const stage = new Stage()
    // All who ask for the lobby or the attic come together in one room of the hub's.
    stage.server.asked = (first) => first.replace('"room":"attic"', '"room":"lobby"')
    const options = mode === 'link' ? {} : { secret: SECRET }
    const lobby = stage.join('ada', options)
    await stage.run(300)
    const attic = stage.join('bob', options, 'attic')
    await stage.run(1_000)
    lobby.say(1)
    attic.say(2)
    await stage.run(1_000)
    expect([...heard(lobby), ...heard(attic)]).toEqual([])
    expect(lobby.refused).toContain(mode === 'link' ? 'forged' : 'wrong-secret')
    expect(attic.refused).toContain(mode === 'link' ? 'forged' : 'closed: wrong-secret')
  })
})

it('a server that speaks of a version that there never was is left, with a typed error', async () => {
  const stage = new Stage()
  stage.server.told = (_client, message) => (message.t === 'welcome' ? { ...message, v: 0 } : message) as Told
  const { ada, bob } = await stage.two()
  ada.say(1)
  await stage.run(60_000)
  expect([ada.room.status, bob.room.status]).toEqual(['closed', 'closed'])
  expect([...ada.refused, ...bob.refused]).toEqual(['closed: protocol', 'closed: protocol'])
  expect(bob.heard).toEqual([])
})
