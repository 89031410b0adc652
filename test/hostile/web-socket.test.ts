import { expect, it } from 'vitest'
import { joinText } from './server/joining.ts'
import type { RawConnection } from './server/raw-connection.ts'
import { describeUnderAttack } from './server/under-attack.ts'
import { closeCode, OPCODE, upgrade, webSocketFrame } from './server/web-socket-bytes.ts'

const MALFORMED: readonly (readonly [string, readonly Buffer[]])[] = [
  ['an opcode that there is not', [webSocketFrame({ opcode: 3 })]],
  ['a control opcode that there is not', [webSocketFrame({ opcode: 11 })]],
  ['RSV1, as for compression', [webSocketFrame({ opcode: OPCODE.text, body: 'x', reserved: 4 })]],
  ['RSV2', [webSocketFrame({ opcode: OPCODE.text, body: 'x', reserved: 2 })]],
  ['RSV3', [webSocketFrame({ opcode: OPCODE.binary, body: 'x', reserved: 1 })]],
  ['a ping of 126 bytes', [webSocketFrame({ opcode: OPCODE.ping, body: 'x'.repeat(126) })]],
  ['a close of 200 bytes', [webSocketFrame({ opcode: OPCODE.close, body: `\u0003\u00e8${'x'.repeat(200)}` })]],
  ['a ping in fragments', [webSocketFrame({ opcode: OPCODE.ping, body: 'x', final: false })]],
  ['a continuation of nothing', [webSocketFrame({ opcode: OPCODE.continuation, body: 'x' })]],
  [
    'a message within a message',
    [webSocketFrame({ opcode: OPCODE.text, body: '{', final: false }), webSocketFrame({ opcode: OPCODE.text })],
  ],
  ['text that is no UTF-8', [webSocketFrame({ opcode: OPCODE.text, body: Buffer.of(0xff, 0xfe) })]],
  ['a length of 2^63', [webSocketFrame({ opcode: OPCODE.binary, saysBytes: 1n << 63n })]],
  ['a length of 2^64 - 1', [webSocketFrame({ opcode: OPCODE.binary, saysBytes: (1n << 64n) - 1n })]],
  ['a length of 1 GiB', [webSocketFrame({ opcode: OPCODE.binary, saysBytes: 1n << 30n })]],
  [
    'fragments of 1 MiB together',
    Array.from({ length: 17 }, (_, index) =>
      webSocketFrame({
        opcode: index === 0 ? OPCODE.binary : OPCODE.continuation,
        body: new Uint8Array(65_536),
        final: false,
      }),
    ),
  ],
]

describeUnderAttack('WebSocket frames', (scene) => {
  const { connect } = scene

  const upgraded = async (): Promise<RawConnection> => {
    const connection = await connect()
    expect(await upgrade(connection)).toBe(true)
    return connection
  }
  const joined = async (): Promise<RawConnection> => {
    const connection = await upgraded()
    connection.write(webSocketFrame({ opcode: OPCODE.text, body: joinText() }))
    expect(await connection.until(/"welcome"/)).toBe(true)
    return connection
  }

  it.each(MALFORMED)('that break RFC 6455 close the connection: %s', async (_, frames) => {
    for (const connection of [await joined(), await upgraded()]) {
      for (const frame of frames) connection.write(frame)
      await connection.closed
      // With a code of RFC 6455 or none at all: never as if it had been understood.
      expect([undefined, 1002, 1007, 1009]).toContain(closeCode(connection))
    }
  })

  it('without a mask are not taken for what they say', async () => {
    const connection = await joined()
    const bare = webSocketFrame({ opcode: OPCODE.text, body: JSON.stringify({ t: 'ping', n: 79 }), masked: false })
    // uWebSockets.js takes the first four bytes for the mask, and what comes then for what it is not.
    connection.write(Buffer.concat([bare, bare, bare]))
    await connection.closed
    expect(connection.received).not.toMatch(/"pong"/)
  })

  it.each([
    ['1005, which is not sent', Buffer.of(0x03, 0xed)],
    ['999', Buffer.of(0x03, 0xe7)],
    ['half a code', Buffer.of(0x03)],
    ['a reason that is no UTF-8', Buffer.of(0x03, 0xe8, 0xff)],
  ])('that close with %s are answered by a close', async (_, body) => {
    const connection = await joined()
    connection.write(webSocketFrame({ opcode: OPCODE.close, body }))
    await connection.closed
  })

  it('of no bytes without end are one message that never ends, and cost nothing', async () => {
    const connection = await joined()
    connection.write(webSocketFrame({ opcode: OPCODE.text, final: false }))
    const nothing = Buffer.concat(
      Array.from({ length: 1_000 }, () => webSocketFrame({ opcode: OPCODE.continuation, final: false })),
    )
    for (let times = 0; times < 50; times += 1) connection.write(nothing)
    connection.write(webSocketFrame({ opcode: OPCODE.continuation, body: JSON.stringify({ t: 'ping', n: 77 }) }))
    await connection.until(/"pong","n":77/)
  })

  it('of one byte in a message that never ends hold the bytes, and no more for each', async () => {
    const connections = await Promise.all(Array.from({ length: 30 }, joined))
    const before = await scene.server.memory()
    const part = webSocketFrame({ opcode: OPCODE.continuation, body: 'A', final: false })
    const parts = Buffer.concat(Array.from({ length: 16_000 }, () => part))
    for (const connection of connections) {
      connection.write(webSocketFrame({ opcode: OPCODE.binary, body: 'A', final: false }))
      connection.write(parts)
    }
    let grownBytes = 0
    // A question is answered in a turn of its own: behind some of them, all that has come has been read.
    for (let asked = 0; asked < 10; asked += 1) {
      const { rssBytes } = await scene.server.memory()
      grownBytes = Math.max(grownBytes, rssBytes - before.rssBytes)
    }
    // Kept as objects they took 2 MB each.
    expect(grownBytes).toBeLessThan(connections.length * 1_048_576)
  })

  it('are read byte by byte', async () => {
    const connection = await upgraded()
    for (const byte of webSocketFrame({ opcode: OPCODE.text, body: joinText(), longForm: true })) {
      connection.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await connection.until(/"welcome"|\u0088/)
  })

  it('that ping without end are answered or held back, and hurt nobody', async () => {
    const connection = await joined()
    const pings = Buffer.concat(
      Array.from({ length: 10_000 }, () => webSocketFrame({ opcode: OPCODE.ping, body: 'x'.repeat(125) })),
    )
    for (let times = 0; times < 5; times += 1) connection.write(pings)
    connection.write(webSocketFrame({ opcode: OPCODE.text, body: JSON.stringify({ t: 'ping', n: 78 }) }))
    await connection.until(/"pong","n":78/)
  })

  it('offer compression in vain: none is agreed on', async () => {
    const connection = await connect()
    const offer = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n'
    expect(await upgrade(connection, offer)).toBe(true)
    expect(connection.received).not.toMatch(/sec-websocket-extensions/i)
    // 1 MB of zeros, deflated. It is refused by its first byte, and never unpacked.
    const bomb = Buffer.from('7dc1010d000000c2a0f74f6d0e37a00000000000000000000000', 'hex')
    connection.write(webSocketFrame({ opcode: OPCODE.text, body: bomb, reserved: 4 }))
    await connection.closed
  })
})
