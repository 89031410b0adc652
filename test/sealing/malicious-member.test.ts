import { describe, expect, it } from 'vitest'
import { HAS_X25519, hmac, label, len, MODE_CODES, makeIdentity, roomKeys, sha256 } from './independent-announcement.ts'
import { groupRecord, KEY, keyName, LINK, linkRecord } from './independent-records.ts'
import { lineFrame, positionFrame } from './raw-member.ts'
import { company, goesOn, LOBBY, SECRET, Stage } from './stage.ts'

const S = Buffer.from(SECRET, 'base64url')

/** An announcement of a member that knows the secret, of any bytes. */
function announce(mode: 'link' | 'secret', body: Buffer): string {
  const { proof } = roomKeys(mode, LOBBY, S)
  return Buffer.concat([body, ...(proof ? [hmac(proof, label('announce'), len(LOBBY), body)] : [])]).toString(
    'base64url',
  )
}

describe('a member that poses as another', () => {
  it('is a member like any other while it keeps the rules', async () => {
    const { stage, ada, bob, mallory } = await company()
    mallory.say([ada.id, bob.id], mallory.line(3))
    await stage.run(500)
    expect(ada.heard).toEqual(['bob 2', 'mallory 3'])
    expect(bob.heard).toEqual(['ada 1', 'mallory 3'])
    expect(mallory.text).toContain('{"n":1}')
    expect([...ada.refused, ...bob.refused]).toEqual([])
  })

  it('is refused with keys of its own under the instance of another', async () => {
    const { stage, ada, bob } = await company()
    const posing = await stage.rawMember('posing', { instance: ada.instance })
    expect(bob.refusedOf).toEqual(['posing seal-changed'])
    expect(ada.refusedOf).toEqual(['posing seal-mismatch'])
    expect(bob.room.peers.has(posing.id)).toBe(false)
    await goesOn({ stage, ada, bob })
  })

  it('does not keep a newcomer from who was there first', async () => {
    const { stage, ada, bob } = await company()
    await stage.rawMember('posing', { instance: ada.instance })
    const carol = stage.join('carol')
    await stage.run(1_000)
    expect(carol.refusedOf).toEqual(['posing seal-changed'])
    ada.say(3)
    await stage.run(500)
    expect(carol.heard).toEqual(['ada 3'])
    await goesOn({ stage, ada, bob })
  })

  it('says nothing, and silences nobody, under the announcement of another whose sender key it has', async () => {
    const { stage, ada, bob, mallory } = await company()
    const [adasKey] = mallory.member.keysOf(ada.id)
    if (adasKey === undefined) throw new Error('Ada has spoken')
    const posing = await stage.rawMember('posing', {
      instance: ada.instance,
      seal: stage.server.who('ada').seal ?? '',
    })
    expect(bob.room.peers.has(posing.id)).toBe(true)
    const instance = Buffer.from(ada.instance, 'hex')
    // Not even by a counter that makes all of Ada's own look old.
    for (const counter of [50, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      for (const frame of [lineFrame(7, 0), positionFrame(7, 1)]) {
        posing.send(bob.id, groupRecord(adasKey, instance, LOBBY, counter, frame))
      }
    }
    for (const { from, payload } of mallory.records) if (from === ada.id) posing.send(bob.id, payload)
    const own = mallory.member.sendingTo(bob.id)
    for (const kind of [LINK, KEY]) posing.send(bob.id, linkRecord(kind, own, 60, mallory.greeting()))
    await stage.run(1_000)
    expect(bob.heard).toEqual(['ada 1'])
    expect(bob.refusedOf).toContain('posing forged')
    await goesOn({ stage, ada, bob })
  })

  it('cannot have what is said to the other', async () => {
    const { stage, ada, bob } = await company()
    const posing = await stage.rawMember('posing', {
      instance: ada.instance,
      seal: stage.server.who('ada').seal ?? '',
    })
    bob.say(5)
    bob.say(6, [ada])
    await stage.run(1_000)
    expect(ada.heard).toEqual(['bob 2', 'bob 5', 'bob 6'])
    // Its keys are made for whom it poses as: it has no private ones.
    expect(posing.frames).toEqual([])
    expect(posing.records.length).toBeGreaterThan(0)
    await goesOn({ stage, ada, bob })
  })

  it('is silent under the announcement, identity and all, of one who was there before', async () => {
    const identity = makeIdentity()
    const stage = new Stage()
    const { ada, bob } = await stage.two()
    const eve = await stage.rawMember('eve', { identity })
    const [genuine] = [...bob.room.peers.values()].filter(({ id }) => id === eve.id)
    expect(genuine?.identity).toMatch(/^[0-9a-f]{64}$/)
    eve.leave()
    await stage.run(500)
    const posing = await stage.rawMember('posing', { instance: eve.instance, seal: eve.seal })
    posing.say([ada.id, bob.id], posing.line(1))
    for (const { from, payload } of eve.records) posing.send(from, payload)
    bob.say(9)
    await stage.run(1_000)
    expect([...ada.heard, ...bob.heard]).toEqual(['bob 9'])
    expect(bob.refusedOf).toContain('posing forged')
    expect(posing.frames).toEqual([])
    await goesOn({ stage, ada, bob })
  })

  it('is refused with an identity that it only knows', async () => {
    const { stage, ada, bob } = await company()
    const identity = makeIdentity()
    const victim = await stage.rawMember('victim', { identity })
    const bytes = victim.member.announced.bytes
    // Everything of the victim's but the keys, for which its signature does not stand.
    const posing = await stage.rawMember('posing', {
      instance: 'c0'.repeat(16),
      seal: announce(
        'secret',
        Buffer.concat([bytes.subarray(0, 5), Buffer.from('c0'.repeat(16), 'hex'), bytes.subarray(21, -32)]),
      ),
    })
    expect(bob.refusedOf).toEqual(['posing identity-invalid'])
    expect(ada.refusedOf).toEqual(['posing identity-invalid'])
    expect(bob.room.peers.has(posing.id)).toBe(false)
    await goesOn({ stage, ada, bob })
  })

  it.each([
    ['link', 'identity-invalid'],
    ['secret', 'wrong-secret'],
  ] as const)('is refused with the identity’s signature of another room, in mode %s', async (mode, code) => {
    const stage = new Stage()
    const { bob } = await stage.two(mode === 'link' ? {} : undefined)
    const identity = makeIdentity()
    const elsewhere = await new Stage(2, 'attic').rawMember('victim', { mode, room: 'attic', identity })
    const posing = await stage.rawMember('posing', { mode, instance: elsewhere.instance, seal: elsewhere.seal })
    expect(bob.refusedOf).toEqual([`posing ${code}`])
    expect(bob.room.peers.has(posing.id)).toBe(false)
  })

  it.each([
    ['a point that is none', Buffer.alloc(65, 4), Buffer.alloc(0)],
    ['a point at infinity', Buffer.alloc(65), Buffer.alloc(0)],
    ['an X25519 key of small order', undefined, Buffer.alloc(32)],
    ['another of small order', undefined, Buffer.from([1, ...new Uint8Array(31)])],
  ] as const)('is refused with keys that are none: %s', async (_what, p256, x25519) => {
    const { stage, ada, bob, mallory } = await company()
    const instance = Buffer.from('d0'.repeat(16), 'hex')
    const flags = x25519.length > 0 ? HAS_X25519 : 0
    const body = Buffer.concat([
      Uint8Array.of(1, MODE_CODES.secret, 0, 1, flags),
      instance,
      p256 ?? mallory.member.announced.p256,
      x25519,
    ])
    await stage.rawMember('weak', { instance: 'd0'.repeat(16), seal: announce('secret', body) })
    expect(ada.refusedOf).toEqual(['weak seal-mismatch'])
    expect(bob.refusedOf).toEqual(['weak seal-mismatch'])
    await goesOn({ stage, ada, bob })
  })

  it('cannot speak to one in the name of another, though the server helps', async () => {
    const { stage, ada, bob, mallory } = await company()
    const key = mallory.member.sendingTo(bob.id)
    const frames = [mallory.greeting(), lineFrame(7, 0).fill(0x10, 0, 1), Uint8Array.of(0x41, 0, 0, 0, 0, 0, 0, 0, 0)]
    for (const frame of frames) {
      const payload = linkRecord(LINK, key, mallory.member.nextCounter(), frame)
      stage.server.hand('bob', { from: ada.id, payload })
    }
    const key2 = keyName({ epoch: 9, step: 0, key: sha256(S) })
    stage.server.hand('bob', { from: ada.id, payload: linkRecord(KEY, key, mallory.member.nextCounter(), key2) })
    await stage.run(500)
    expect(bob.heard).toEqual(['ada 1'])
    expect(new Set(bob.refusedOf)).toEqual(new Set(['ada forged']))
    expect(bob.room.stats().sealing.refused).toEqual({ forged: 4 })
    await goesOn({ stage, ada, bob })
  })

  it('cannot take the sender key of another for its own', async () => {
    const { stage, ada, bob, mallory } = await company()
    const [adasKey] = mallory.member.keysOf(ada.id)
    if (adasKey === undefined) throw new Error('Ada has spoken')
    const { member } = mallory
    mallory.send(bob.id, linkRecord(KEY, member.sendingTo(bob.id), member.nextCounter(), keyName(adasKey)))
    for (const { from, payload } of mallory.records) if (from === ada.id) mallory.send(bob.id, payload)
    await stage.run(1_000)
    expect(bob.heard).toEqual(['ada 1'])
    expect(new Set(bob.refusedOf)).toEqual(new Set(['mallory forged']))
    await goesOn({ stage, ada, bob })
  })
})

describe('a member that changes its keys', () => {
  it('is heard under those it came with only, when it announces others', async () => {
    const { stage, ada, bob, mallory } = await company()
    const other = new Stage(3)
    const again = await other.rawMember('again', { instance: mallory.instance })
    mallory.announceAgain(stage.opens(), again.seal)
    await stage.run(500)
    expect(bob.refusedOf).toEqual(['mallory seal-changed'])
    expect(ada.refusedOf).toEqual(['mallory seal-changed'])
    mallory.say([ada.id, bob.id], mallory.line(3))
    // What it seals under the keys that it announced last.
    again.member.id = mallory.id
    again.member.admit(stage.server.who('bob'))
    mallory.send(bob.id, linkRecord(LINK, again.member.sendingTo(bob.id), 999, mallory.greeting()))
    await stage.run(500)
    expect(ada.heard).toEqual(['bob 2', 'mallory 3'])
    expect(bob.heard).toEqual(['ada 1', 'mallory 3'])
    expect(bob.refusedOf).toContain('mallory forged')
    await goesOn({ stage, ada, bob })
  })
})
