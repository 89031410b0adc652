import { createHmac } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect, it } from 'vitest'
import { parseInstanceId, parsePeerId } from '../../signaling/protocol/ids.ts'
import { SessionTokens } from '../../signaling/sessions/tokens.ts'
import { CARRIERS, type CarrierName } from '../conformance/wire.ts'
import { envelope, type JoinOptions, WireClient } from '../conformance/wire-client.ts'
import { quickestMs } from '../support/quickest.ts'
import { openingRequest } from './server/http-bytes.ts'
import { hex, joinText } from './server/joining.ts'
import { describeUnderAttack, type Scene } from './server/under-attack.ts'
import { OPCODE, upgrade, webSocketFrame } from './server/web-socket-bytes.ts'

type Joined = WireClient & { readonly id: string; readonly token: string }

async function joined({ server }: Scene, join: JoinOptions, carrier: CarrierName = 'websocket'): Promise<Joined> {
  const client = await WireClient.connect(server.url, { carrier })
  const { peerId, token } = await client.join(join)
  return Object.assign(client, { id: peerId, token })
}

/** What a join with these words comes to. */
async function refusal({ server }: Scene, join: JoinOptions, carrier: CarrierName = 'websocket') {
  const client = await WireClient.connect(server.url, { carrier })
  client.sayJoin(join)
  const { code } = await client.next('error')
  const { code: close } = await client.closed
  return { code, close }
}

const idBytes = (id: string): Buffer => Buffer.from(id, 'hex')

/** An envelope as it may not be written. */
function forged(kind: number, peer: string, payload: string): Uint8Array {
  const bytes = Buffer.from(envelope({ kind: 'all' }, payload))
  bytes[0] = kind
  idBytes(peer).copy(bytes, 8)
  return bytes
}

const SIGNING_KEY = 'the-key-of-the-server-that-signs-its-tokens'

describeUnderAttack(
  'who one is not',
  (scene) => {
    it.each(CARRIERS)('cannot be said in a frame: the sender is whose uplink it came by (%s)', async (carrier) => {
      const room = hex(8)
      const ada = await joined(scene, { room })
      const bob = await joined(scene, { room }, carrier)
      const eve = await joined(scene, { room }, carrier)
      // To all, with another's id where a sender would stand.
      eve.sendRaw(forged(3, ada.id, 'as if from Ada'))
      expect(await bob.nextFrame()).toMatchObject({ from: eve.id, payload: 'as if from Ada' })
      // An envelope that only a server sends.
      eve.sendRaw(forged(5, ada.id, 'from Ada, says Eve'))
      expect(await eve.next('error')).toMatchObject({ code: 'bad-message', fatal: true })
      expect(await eve.closed).toMatchObject({ code: 4001 })
      await bob.settle()
      expect(bob.unreadFrames).toEqual([])
    })

    it.each(CARRIERS)('reaches nobody in another room, named or not (%s)', async (carrier) => {
      const room = hex(8)
      const ada = await joined(scene, { room })
      const eve = await joined(scene, { room: hex(8) }, carrier)
      const guest = await joined(scene, { room: hex(8) })
      eve.send({ kind: 'one', id: ada.id as never }, 'to Ada')
      eve.send({ kind: 'several', ids: [ada.id, guest.id] as never }, 'to both')
      eve.send({ kind: 'except', ids: [eve.id] as never }, 'to all but me')
      eve.send({ kind: 'all' }, 'to all')
      expect(await eve.next('dropped')).toMatchObject({ reason: 'absent' })
      for (const other of [ada, guest]) {
        await other.settle()
        expect(other.unreadFrames).toEqual([])
        expect(other.unread).toEqual([])
      }
    })

    it('is the same answer for who is elsewhere, who has left, and who never was', async () => {
      const eve = await joined(scene, { room: hex(8) })
      const ada = await joined(scene, { room: hex(8) })
      const gone = await joined(scene, { room: hex(8) })
      gone.say({ t: 'leave', id: 9 })
      await gone.closed
      for (const id of [ada.id, gone.id, hex(8), '0000000000000000']) {
        eve.send({ kind: 'one', id: id as never }, 'x')
        expect(await eve.next('dropped')).toEqual({ t: 'dropped', to: [id], frames: 1, reason: 'absent' })
      }
    })

    it.each(CARRIERS)('is not become by a token that is altered, anywhere (%s)', async (carrier) => {
      const room = hex(8)
      const ada = await joined(scene, { room })
      const { instance, joinKey } = ada
      const ends = [0, 40, ada.token.length - 1]
      // By properties, every letter: decoders.test.ts.
      const places = carrier === 'websocket' ? [...ends, ...ends.flatMap((end) => [end + 7, end - 7])] : ends
      for (const index of places.filter((place) => place >= 0 && place < ada.token.length)) {
        const letter = ada.token[index] === 'A' ? 'B' : 'A'
        const token = ada.token.slice(0, index) + letter + ada.token.slice(index + 1)
        const answer = await refusal(scene, { room, instance, joinKey, token }, carrier)
        expect(answer).toEqual({ code: 'token-invalid', close: 4007 })
      }
      await ada.settle()
    })

    it('is not become by a token that was signed by somebody else, or by nobody', async () => {
      const room = hex(8)
      const { instance, joinKey, token } = await joined(scene, { room })
      const [body = ''] = token.split('.')
      const mac = (key: string): string => createHmac('sha256', key).update(body).digest('base64url')
      const none = Buffer.from('{"alg":"none"}').toString('base64url')
      for (const made of [
        `${body}.`,
        `.${body}`,
        body,
        `${body}.${mac('')}`,
        `${body}.${mac('secret')}`,
        `${none}.${body}.`,
      ]) {
        const answer = await refusal(scene, { room, instance, joinKey, token: made })
        expect(answer).toEqual({ code: 'token-invalid', close: 4007 })
      }
    })

    it('is not become by the token of another room, or with an instance of one’s own', async () => {
      const room = hex(8)
      const ada = await joined(scene, { room })
      const { instance, joinKey, token } = ada
      const invalid = { code: 'token-invalid', close: 4007 }
      expect(await refusal(scene, { room: hex(8), instance, joinKey, token })).toEqual(invalid)
      expect(await refusal(scene, { room, token })).toEqual(invalid)
      await ada.settle()
      expect(ada.unread).toEqual([])
    })

    it('is not become by instance and join key of somebody else, as far as others can know them', async () => {
      const room = hex(8)
      const ada = await joined(scene, { room })
      const eve = await joined(scene, { room, instance: ada.instance })
      expect(eve.id).not.toBe(ada.id)
      await ada.next('joined')
      await ada.settle()
    })

    it('is who holds the token and all that went with it, from whatever address: the older uplink ends', async () => {
      const room = hex(8)
      const ada = await joined(scene, { room })
      const bob = await joined(scene, { room })
      await ada.next('joined')
      // Another address of this machine, as after a change of networks; or as a thief.
      const elsewhere = await scene.connect({ from: '127.0.9.9' })
      await upgrade(elsewhere)
      const { instance, joinKey, token } = ada
      elsewhere.write(webSocketFrame({ opcode: OPCODE.text, body: joinText({ room, instance, joinKey, token }) }))
      await elsewhere.until(/"resumed":true/)
      expect(elsewhere.received).toContain(`"peerId":"${ada.id}"`)
      expect(await ada.closed).toMatchObject({ code: 4002 })
      // The others see one member, who is here.
      await bob.settle()
      expect(bob.unread.filter(({ t }) => t === 'joined' || t === 'left')).toEqual([])
    })

    it.each(['sse', 'long-poll', 'short-poll'] as const)(
      'is who holds the token from whatever address by %s, too',
      async (carrier) => {
        const room = hex(8)
        const ada = await joined(scene, { room }, carrier)
        const elsewhere = await scene.connect({ from: '127.0.9.9' })
        const { instance, joinKey, token } = ada
        elsewhere.write(openingRequest(carrier, joinText({ room, instance, joinKey, token })))
        // What an event stream says is in base64.
        const said = (): string =>
          elsewhere.received.replace(/^data: (\S+)$/gm, (_, text) => Buffer.from(text, 'base64').toString('latin1'))
        await expect.poll(said, { timeout: 30_000 }).toContain('"resumed":true')
        expect(said()).toContain(`"peerId":"${ada.id}"`)
        expect(await ada.closed).toMatchObject({ code: 4002 })
      },
    )

    it('is nobody any more after leaving, whatever the token says', async () => {
      const room = hex(8)
      const ada = await joined(scene, { room })
      const { instance, joinKey, token } = ada
      ada.say({ t: 'leave', id: 9 })
      await ada.closed
      const answer = await refusal(scene, { room, instance, joinKey, token })
      expect(answer).toEqual({ code: 'session-ended', close: 4007 })
    })

    it('is nobody any more when the token has run out', async () => {
      const room = hex(8)
      const { id, instance, joinKey } = await joined(scene, { room })
      const tokens = new SessionTokens([Buffer.from(SIGNING_KEY)])
      const token = tokens.sign({
        ...{ room, peerId: parsePeerId(id, 'id'), instance: parseInstanceId(instance, 'instance') },
        expiresAtMs: Date.now() - 1,
      })
      expect(await refusal(scene, { room, instance, joinKey, token })).toEqual({ code: 'session-ended', close: 4007 })
    })

    it('cannot be guessed as the secret of an uplink, and a wrong one harms nobody', async () => {
      for (const secret of ['', 'A'.repeat(22), '../../..', '__proto__', 'constructor', 'x'.repeat(9_000)]) {
        for (const number of ['1', '0', '-1', '1e9', '999999999', '']) {
          const answer = await fetch(`${scene.server.url}/uplink/poll`, {
            headers: { 'partyline-uplink': `${secret} ${number}` },
          })
          expect(answer.status).toBe(410)
        }
      }
    })

    it.each([
      'https://evil.example',
      'null',
      'http://localhost.evil.example',
      'http://127.0.0.1.evil.example',
      'file://',
    ])('comes from a page of %s, and is let in nowhere', async (origin) => {
      for (const carrier of CARRIERS) {
        await expect(WireClient.connect(scene.server.url, { carrier, origin })).rejects.toThrow(/403/)
      }
      for (const [method, path] of [
        ['GET', '/uplink/poll'],
        ['POST', '/uplink/send'],
        ['GET', '/uplink/stream?ticket=x'],
        ['OPTIONS', '/uplink'],
      ] as const) {
        const connection = await scene.connect()
        connection.write(
          `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        )
        await connection.until(/HTTP\/1\.1 \d{3}[\s\S]*\r\n\r\n/)
        expect(connection.statuses).toEqual([403])
        expect(connection.received).not.toMatch(/access-control-allow-origin/i)
      }
    })
  },
  { options: { signingKey: [SIGNING_KEY] } },
)

const SECRET = 'a-secret-of-the-application-long-enough-to-be-one'
const key = new TextEncoder().encode(SECRET)
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const soon = (): number => Math.floor(Date.now() / 1_000) + 600
const claims = (more: object = {}): Record<string, unknown> => ({ rooms: ['*'], exp: soon(), ...more })
const signed = (payload: Record<string, unknown>, header: object = {}, by = key): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...header }).sign(by)

describeUnderAttack(
  'access tokens',
  (scene) => {
    const tried = async (access: string | undefined, fields: object = {}): Promise<string> => {
      const connection = await scene.connect()
      await upgrade(connection)
      connection.write(webSocketFrame({ opcode: OPCODE.text, body: joinText({ room: 'guarded', access, ...fields }) }))
      await connection.until(/"t":"(?:welcome|bye)"/)
      return /"code":"([\w-]+)"/.exec(connection.received)?.[1] ?? 'welcome'
    }

    it('let in who has a good one', async () => {
      expect(await tried(await signed(claims()))).toBe('welcome')
    })

    it('that were made by somebody else, altered, or are for something else, let nobody in', async () => {
      const good = await signed(claims())
      const [head = '', body = '', mac = ''] = good.split('.')
      const wrong: readonly (readonly [string, string | undefined])[] = [
        ['none', undefined],
        ['no algorithm', `${encoded({ alg: 'none' })}.${encoded(claims())}.`],
        ['NONE', `${encoded({ alg: 'NONE' })}.${encoded(claims())}.`],
        ['another secret', await signed(claims(), {}, new TextEncoder().encode('another secret, long enough as well'))],
        ['no signature', `${head}.${body}.`],
        ['another body', `${head}.${encoded(claims({ sub: 'admin' }))}.${mac}`],
        ['another algorithm in the head', `${encoded({ alg: 'RS256' })}.${body}.${mac}`],
        ['a key of its own', await signed(claims(), { jwk: { kty: 'oct', k: encoded({}) } }, new Uint8Array(32))],
        ['an address of keys', await signed(claims(), { jku: 'http://127.0.0.1:1/keys' }, new Uint8Array(32))],
        ['a path as key id', await signed(claims(), { kid: '../../../../dev/null' }, new Uint8Array(32))],
        ['rooms that are no list', await signed({ ...claims(), rooms: '*' })],
        ['no rooms', await signed({ exp: soon() })],
        ['another room', await signed(claims({ rooms: ['guarded2', 'guard'] }))],
        ['no end', await signed({ rooms: ['*'] })],
        ['not yet', await signed(claims({ nbf: soon() }))],
        ['five parts', `${good}.x.y`],
        ['nothing but dots', '...'],
        ['bytes', '\u0000\u0001'],
      ]
      const found = []
      for (const [name, access] of wrong) {
        const code = await tried(access)
        if (code !== 'denied') found.push([name, code])
      }
      expect(found).toEqual([])
    })

    it('that have run out say so', async () => {
      expect(await tried(await signed(claims({ exp: soon() - 700 })))).toBe('access-expired')
    })

    it('are not searched without end: patterns of many stars take no time', async () => {
      const access = await signed(claims({ rooms: Array.from({ length: 64 }, () => `${'*a'.repeat(20)}b`) }))
      const ms = await quickestMs(async () => expect(await tried(access, { room: 'a'.repeat(128) })).toBe('denied'))
      expect(ms).toBeLessThan(2_000)
    })

    it('do not open a session of another user', async () => {
      const room = hex(8)
      const instance = hex(16)
      const ada = await scene.connect()
      await upgrade(ada)
      const access = await signed(claims({ sub: 'ada' }))
      ada.write(webSocketFrame({ opcode: OPCODE.text, body: joinText({ room, instance, access }) }))
      await ada.until(/"welcome"/)
      const token = /"token":"([^"]+)"/.exec(ada.received)?.[1]
      const eve = await signed(claims({ sub: 'eve' }))
      expect(await tried(eve, { room, instance, token })).toBe('token-invalid')
      expect(await tried(access, { room, instance, token })).toBe('welcome')
    })
  },
  // Without tokens of their own the honest would not be let in.
  { options: { access: 'token', accessSecret: [SECRET] }, access: () => signed(claims()) },
)
