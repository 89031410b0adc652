import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { afterEach, expect, it } from 'vitest'
import { ALL_RIGHTS } from '../../signaling/access/grant.ts'
import { parseClientMessage } from '../../signaling/protocol/client-message.ts'
import { encodeData, encodePing, streamIndex } from '../../signaling/protocol/frame.ts'
import { describeWire, freshRoom, type RunningTarget, type Target } from '../conformance/target.ts'
import type { WireClient } from '../conformance/wire-client.ts'

const SECRET = 'integration-test-secret-of-48-characters-or-more'
const key = new TextEncoder().encode(SECRET)
const inSeconds = (seconds: number): number => Date.now() / 1_000 + seconds

const tokenFor = (room: string, claims: JWTPayload = {}): Promise<string> =>
  new SignJWT({ rooms: [room], exp: inSeconds(300), ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(key)

const withTokens = (target: Target): Promise<RunningTarget> => target.start({ access: 'token', accessSecret: [SECRET] })

interface AccessJoin {
  readonly room: string
  readonly access?: string | undefined
  readonly token?: string
  readonly published?: number
  readonly profile?: string
  readonly as?: WireClient
}

function sayJoin(
  client: WireClient,
  { as = client, profile = null as unknown as string, ...rest }: AccessJoin,
): number {
  const id = client.request()
  const { instance, joinKey } = as
  client.say({ t: 'join', id, vMin: 1, vMax: 1, profile, instance, joinKey, ...rest })
  return id
}

async function welcomed(client: WireClient, join: AccessJoin) {
  sayJoin(client, join)
  return client.next('welcome')
}

async function entered(target: Target, server: RunningTarget, room: string, claims: JWTPayload = {}) {
  const client = await target.connect(server)
  const welcome = await welcomed(client, { room, access: await tokenFor(room, claims) })
  return Object.assign(client, { id: welcome.peerId, welcome })
}

/** With a token that is good for `leftMs` more; undefined when this machine was too slow to come in with it. */
async function enteredShortly(target: Target, server: RunningTarget, room: string, leftMs: number) {
  const signedAtMs = performance.now()
  // Clocks may differ by 5 s.
  const access = await tokenFor(room, { sub: 'ada', exp: inSeconds(leftMs / 1_000 - 5) })
  const client = await target.connect(server)
  sayJoin(client, { room, access })
  const welcome = await Promise.race([client.next('welcome'), client.closed])
  if ('t' in welcome) return Object.assign(client, { id: welcome.peerId, welcome, leftMs })
  expect(await refused(client)).toEqual(['access-expired', 4008])
  expect(performance.now() - signedAtMs).toBeGreaterThan(leftMs - 1)
  return undefined
}

async function refused(client: WireClient): Promise<readonly [string, number]> {
  const { code, fatal } = await client.next('error')
  expect(fatal).toBe(true)
  const bye = await client.next('bye')
  expect((await client.closed).code).toBe(bye.code)
  return [code, bye.code]
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const act of closing.splice(0)) act()
})

const message = (audience: 'room' | 'unicast', channel = 1): string =>
  Buffer.from(
    encodeData(
      {
        ...{ stream: streamIndex(audience, 'small'), seq: 1, channel, ordinal: 0, opening: undefined },
        ...{ content: 2, sent: 0, number: 0 },
      },
      Uint8Array.of(104, 105),
    ),
  ).toString('latin1')
const PING = Buffer.from(encodePing(1, false)).toString('latin1')

describeWire('access', (target) => {
  it('is open by default', async () => {
    const server = await target.start()
    const client = await target.connect(server)
    const welcome = await client.join({ room: freshRoom() })
    expect(welcome.access).toBeUndefined()
  })

  it('by token lets in who has a good one, and tells what it came to', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const ada = await entered(target, server, room, { sub: 'ada', profile: { name: 'Ada' } })
    expect(ada.welcome.access).toMatchObject({ userId: 'ada', profile: { name: 'Ada' }, rights: [...ALL_RIGHTS] })
    expect(ada.welcome.access?.expiresAtMs).toBeGreaterThan(Date.now() + 290_000)
    const bob = await entered(target, server, room, { sub: 'bob', rights: ['members', 'publish'] })
    expect(bob.welcome.members).toEqual([
      { id: ada.id, instance: ada.instance, profile: { name: 'Ada' }, presence: 'here', userId: 'ada' },
    ])
    const { member } = await ada.next('joined')
    expect(member).toMatchObject({ id: bob.id, userId: 'bob', rights: ['publish', 'members'] })
  })

  it('by token lets nobody else in', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const other = new TextEncoder().encode('x'.repeat(48))
    const forged = await new SignJWT({ rooms: [room], exp: inSeconds(300) })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(other)
    for (const access of [undefined, 'rubbish', forged, await tokenFor('another room')]) {
      const client = await target.connect(server)
      sayJoin(client, { room, access })
      expect(await refused(client)).toEqual(['denied', 4003])
    }
    const late = await target.connect(server)
    sayJoin(late, { room, access: await tokenFor(room, { exp: inSeconds(-60) }) })
    expect(await refused(late)).toEqual(['access-expired', 4008])
  })

  it('keeps what comes while the token is looked at, in order', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const access = await tokenFor(room)
    const client = await target.connect(server)
    const join = sayJoin(client, { room, access })
    const snapshot = client.request()
    client.say({ t: 'snapshot', id: snapshot })
    client.say({ t: 'ping', n: 7 })
    expect(await client.next('welcome')).toMatchObject({ re: join })
    expect(await client.next('snapshot')).toMatchObject({ re: snapshot })
    expect(await client.next('pong')).toMatchObject({ n: 7 })
  })

  it('shows several devices of a user as several members', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const phone = await entered(target, server, room, { sub: 'ada' })
    const laptop = await entered(target, server, room, { sub: 'ada' })
    expect(phone.id).not.toBe(laptop.id)
    expect(laptop.welcome.members.map(({ userId }) => userId)).toEqual(['ada'])
  })

  it('binds a session to its user, also over a restart', async () => {
    const dataFolder = await target.folder()
    const options = { access: 'token', accessSecret: [SECRET], dataFolder } as const
    const first = await target.start(options)
    const room = freshRoom()
    const ada = await entered(target, first, room, { sub: 'ada' })
    const { token } = ada.welcome
    const thief = await target.connect(first)
    sayJoin(thief, { room, token, as: ada, access: await tokenFor(room, { sub: 'eve' }) })
    expect(await refused(thief)).toEqual(['token-invalid', 4007])
    await first.close({ restart: true })
    const second = await target.start(options)
    const later = await target.connect(second)
    sayJoin(later, { room, token, as: ada, access: await tokenFor(room, { sub: 'eve' }) })
    expect(await refused(later)).toEqual(['token-invalid', 4007])
    const back = await target.connect(second)
    const again = await welcomed(back, { room, token, as: ada, access: await tokenFor(room, { sub: 'ada' }) })
    expect(again).toMatchObject({ resumed: true, peerId: ada.id })
  })

  it('asks for a token of those who come back, too', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const ada = await entered(target, server, room, { sub: 'ada' })
    const back = await target.connect(server)
    sayJoin(back, { room, token: ada.welcome.token, as: ada })
    expect(await refused(back)).toEqual(['denied', 4003])
  })

  it('sets the profile where the token does', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const ada = await entered(target, server, room)
    const client = await target.connect(server)
    await welcomed(client, { room, profile: 'Mallory', access: await tokenFor(room, { profile: 'Bob' }) })
    expect((await ada.next('joined')).member.profile).toBe('Bob')
    client.say({ t: 'profile', id: 9, profile: 'Mallory' })
    expect(await client.next('error')).toMatchObject({ re: 9, code: 'denied', fatal: false })
    await client.settle()
    expect(ada.unread.filter(({ t }) => t === 'changed')).toEqual([])
  })

  it('is told before it ends, then ends, and goes on with another token', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const watcher = await entered(target, server, room)
    const come = (leftMs: number) => enteredShortly(target, server, room, leftMs)
    const ada = (await come(500)) ?? (await come(2_000)) ?? (await come(8_000))
    if (ada === undefined) throw new Error('this machine stands still')
    const { inMs } = await ada.next('expiring')
    // Late when this machine was, and before the end all the same.
    expect(inMs).toBeGreaterThanOrEqual(0)
    expect(inMs).toBeLessThan(ada.leftMs + 100)
    expect(await refused(ada)).toEqual(['access-expired', 4008])
    await watcher.next('joined')
    expect(await watcher.next('changed')).toMatchObject({ id: ada.id, presence: 'away' })
    const back = await target.connect(server)
    const access = await tokenFor(room, { sub: 'ada' })
    expect(await welcomed(back, { room, token: ada.welcome.token, as: ada, access })).toMatchObject({ resumed: true })
    expect(await watcher.next('changed')).toMatchObject({ id: ada.id, presence: 'here' })
  })

  it('is renewed on the live uplink, with other rights', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const watcher = await entered(target, server, room)
    const ada = await entered(target, server, room, { sub: 'ada', exp: inSeconds(20) })
    ada.say({ t: 'renew', id: 7, access: await tokenFor(room, { sub: 'ada', rights: ['members'] }) })
    const renewed = await ada.next('renewed')
    expect(renewed).toMatchObject({ re: 7, access: { userId: 'ada', rights: ['members'] } })
    expect(renewed.access?.expiresAtMs).toBeGreaterThan(Date.now() + 200_000)
    expect(await watcher.next('changed')).toMatchObject({ id: ada.id, rights: ['members'] })
    ada.send({ kind: 'all' }, message('room'))
    expect(await ada.next('dropped')).toMatchObject({ reason: 'denied', to: [], frames: 1 })
    ada.say({ t: 'renew', id: 8, access: await tokenFor(room, { sub: 'ada' }) })
    await ada.next('renewed')
    ada.send({ kind: 'all' }, message('room'))
    expect((await watcher.nextFrame()).payload).toBe(message('room'))
  })

  it.each([
    ['of another user', { sub: 'eve' }, 'denied'],
    ['that takes the members away', { sub: 'ada', rights: ['publish'] }, 'denied'],
    ['that has run out', { sub: 'ada', exp: 1_000 }, 'access-expired'],
    ['of another room', { sub: 'ada', rooms: ['elsewhere'] }, 'denied'],
  ] as const)('is not renewed with a token %s, and lasts', async (_, claims, code) => {
    const server = await withTokens(target)
    const room = freshRoom()
    const ada = await entered(target, server, room, { sub: 'ada' })
    ada.say({ t: 'renew', id: 7, access: await tokenFor(room, claims as unknown as JWTPayload) })
    expect(await ada.next('error')).toMatchObject({ re: 7, code, fatal: false })
    ada.say({ t: 'renew', id: 8 })
    expect(await ada.next('renewed')).toMatchObject({ re: 8, access: { userId: 'ada', rights: [...ALL_RIGHTS] } })
  })

  it.each([
    [['members'], []],
    [['members', 'publish'], [message('room')]],
    [['members', 'direct'], [message('unicast')]],
    [
      ['members', 'direct', 'publish'],
      [message('room'), message('unicast')],
    ],
  ] as const)('forwards what a member with the rights %j may send, and no more', async (rights, arrives) => {
    const server = await withTokens(target)
    const room = freshRoom()
    const ada = await entered(target, server, room)
    const bob = await entered(target, server, room, { rights })
    const to = { kind: 'one', id: ada.id } as const
    bob.send({ kind: 'all' }, message('room'))
    bob.send(to, message('unicast'))
    bob.send(to, message('unicast', 0))
    bob.send(to, PING)
    const frames: string[] = []
    for (;;) {
      const { payload } = await ada.nextFrame()
      if (payload === PING) break
      frames.push(payload)
    }
    expect(frames).toEqual([...arrives, message('unicast', 0)])
    // Over HTTP the frames may come in two requests, and are told of twice.
    for (let denied = 2 - arrives.length; denied > 0; ) {
      const dropped = await bob.next('dropped')
      expect(dropped).toMatchObject({ reason: 'denied', to: [] })
      denied -= dropped.frames
      expect(denied).toBeGreaterThanOrEqual(0)
    }
  })

  it('hides members without the right to see others from everyone, and everyone from them', async () => {
    const server = await withTokens(target)
    const room = freshRoom()
    const ada = await entered(target, server, room)
    const hidden = await entered(target, server, room, { rights: ['publish', 'direct'] })
    expect(hidden.welcome.members).toEqual([])
    const bob = await entered(target, server, room)
    expect(bob.welcome.members.map(({ id }) => id)).toEqual([ada.id])
    expect((await ada.next('joined')).member.id).toBe(bob.id)
    ada.send({ kind: 'all' }, 'x')
    ada.send({ kind: 'one', id: hidden.id }, 'y')
    expect(await ada.next('dropped')).toMatchObject({ to: [hidden.id], reason: 'absent' })
    hidden.send({ kind: 'all' }, PING)
    hidden.send({ kind: 'one', id: ada.id }, PING)
    expect(await hidden.next('dropped')).toMatchObject({ to: [ada.id], reason: 'absent' })
    hidden.say({ t: 'snapshot', id: 5 })
    expect((await hidden.next('snapshot')).members).toEqual([])
    hidden.say({ t: 'ping', n: 77 })
    expect((await hidden.next('pong')).version).toBeUndefined()
    hidden.drop()
    await ada.settle()
    await bob.settle()
    expect([...ada.unread, ...bob.unread, ...hidden.unread]).toEqual([])
    expect(ada.unreadFrames).toEqual([])
    expect(bob.unreadFrames.map(({ payload }) => payload)).toEqual(['x'])
  })

  it('by a public key in a file', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const file = join(await target.folder(), 'key.pem')
    await writeFile(file, publicKey.export({ type: 'spki', format: 'pem' }))
    const server = await target.start({ access: 'token', accessPublicKey: file, accessIssuer: ['https://id.example'] })
    const room = freshRoom()
    const sign = (iss: string): Promise<string> =>
      new SignJWT({ rooms: ['*'], iss, exp: inSeconds(300) }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
    await welcomed(await target.connect(server), { room, access: await sign('https://id.example') })
    const stranger = await target.connect(server)
    sayJoin(stranger, { room, access: await sign('https://evil.example') })
    expect(await refused(stranger)).toEqual(['denied', 4003])
  })

  it('by keys at an address, which may be away for a while', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    let asked = 0
    let answers = false
    const keys = createServer((_, response) => {
      asked += 1
      void exportJWK(publicKey).then((jwk) => {
        response.writeHead(answers ? 200 : 503).end(JSON.stringify({ keys: [{ ...jwk, kid: 'one' }] }))
      })
    })
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
    closing.push(() => keys.close())
    const address = keys.address()
    if (typeof address !== 'object' || address === null) throw new Error('no address')
    const server = await target.start({ access: 'token', accessJwks: `http://127.0.0.1:${address.port}/keys` })
    const room = freshRoom()
    const access = await new SignJWT({ rooms: ['*'], exp: inSeconds(300) })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
      .sign(privateKey)
    const early = await target.connect(server)
    sayJoin(early, { room, access })
    expect(await refused(early)).toEqual(['internal', 1011])
    answers = true
    await welcomed(await target.connect(server), { room, access })
    const sofar = asked
    answers = false
    await welcomed(await target.connect(server), { room, access })
    expect(asked).toBe(sofar)
  })
})

it('a longest access token fits in a join', () => {
  const join = { t: 'join', id: 1, vMin: 1, vMax: 1, room: 'r'.repeat(128), profile: 'p'.repeat(4_000) }
  const ids = { instance: '0'.repeat(32), joinKey: '0'.repeat(32), token: 't'.repeat(2_048), access: 'a'.repeat(8_192) }
  expect(parseClientMessage(JSON.stringify({ ...join, ...ids }))).toMatchObject({ access: ids.access })
})
