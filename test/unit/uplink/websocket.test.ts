import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CLOSE } from '../../../signaling/protocol/index.ts'
import { openWebSocket } from '../../../web/client/carriers/websocket.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { turn } from './fake-server.ts'

/** As a browser's: `close` only asks, and events go on until the other side, or a long time-out, ends it. */
class FakeSocket {
  static latest: FakeSocket
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3
  readyState = 0
  bufferedAmount = 7
  binaryType = 'blob'
  readonly sent: unknown[] = []
  readonly closes: unknown[][] = []
  onopen: () => void = () => undefined
  onmessage: (event: { readonly data: unknown }) => void = () => undefined
  onerror: () => void = () => undefined
  onclose: (event: { readonly code: number; readonly reason: string }) => void = () => undefined

  constructor(
    readonly url: URL,
    readonly protocols: readonly string[],
  ) {
    if (url.hostname === 'refused.test') throw new Error('mixed content')
    FakeSocket.latest = this
  }

  send(message: unknown): void {
    this.sent.push(message)
  }

  close(code?: number, reason?: string): void {
    this.closes.push([code, reason])
    if (code !== undefined && code !== 1000 && code < 3000) throw new Error('InvalidAccessError')
    this.readyState = this.CLOSING
  }

  open(): void {
    this.readyState = this.OPEN
    this.onopen()
  }
}

beforeEach(() => {
  vi.stubGlobal('WebSocket', FakeSocket)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

function open(address = 'https://server.test/base/', first = '{"t":"join"}', plain = false) {
  const clock = new FakeClock()
  const told: unknown[] = []
  const carrier = openWebSocket(
    new URL(address),
    first,
    {
      opened: () => told.push('opened'),
      text: (text) => told.push(text),
      binary: (bytes) => told.push(bytes),
      closed: (code, reason) => told.push([code, reason]),
    },
    clock,
    plain,
  )
  return { clock, told, carrier, socket: FakeSocket.latest }
}

test('opens <server>/ws and carries text and bytes', () => {
  const { carrier, told, socket, clock } = open()
  expect(socket.url.href).toBe('wss://server.test/base/ws')
  expect(socket.binaryType).toBe('arraybuffer')
  expect(carrier.send('early')).toBe(false)
  socket.open()
  expect(carrier.send('text')).toBe(true)
  socket.onmessage({ data: 'answer' })
  socket.onmessage({ data: Uint8Array.of(1, 2).buffer })
  expect(told).toEqual(['opened', 'answer', Uint8Array.of(1, 2)])
  expect(socket.sent).toEqual(['text'])
  expect(carrier.bufferedBytes()).toBe(7)
  expect(clock.pending()).toBe(0)
})

test('takes a small first message along in the upgrade, and says a large one when it is open', () => {
  const small = open().socket
  small.open()
  expect(small.protocols).toEqual(['partyline', 'join.eyJ0Ijoiam9pbiJ9'])
  expect(small.sent).toEqual([])
  expect(open(undefined, undefined, true).socket.protocols).toEqual([])
  const first = `"${'é'.repeat(1_024)}"`
  const large = open(undefined, first)
  expect(large.socket.protocols).toEqual([])
  large.socket.open()
  expect(large.socket.sent).toEqual([first])
  expect(large.told).toEqual(['opened'])
})

test('an end is told once', () => {
  const { carrier, told, socket } = open()
  socket.open()
  socket.onerror()
  socket.onclose({ code: 1006, reason: 'gone' })
  socket.onclose({ code: 1006, reason: 'gone' })
  expect(told).toEqual(['opened', [1006, 'gone']])
  expect(carrier.send('late')).toBe(false)
})

test('an opening that takes too long is given up, and its late success ignored', () => {
  const { clock, told, socket } = open()
  clock.advance(10_000)
  socket.open()
  socket.onclose({ code: 1006, reason: '' })
  expect(told).toEqual([[CLOSE.timeout, 'did not open in time']])
  expect(socket.closes).toHaveLength(1)
})

test('after our close nothing is told, however long the socket lives on', () => {
  const { carrier, told, socket, clock } = open()
  socket.open()
  carrier.close(CLOSE.normal, 'done')
  carrier.close(CLOSE.normal, 'done')
  socket.onmessage({ data: 'late' })
  socket.onclose({ code: 1006, reason: '' })
  expect(told).toEqual(['opened'])
  expect(socket.closes).toEqual([[1000, 'done']])
  expect(clock.pending()).toBe(0)
})

test('closes also with a code that WebSocket refuses', () => {
  const { carrier, socket } = open()
  socket.open()
  carrier.close(CLOSE.goingAway, '')
  expect(socket.closes).toEqual([
    [1001, ''],
    [undefined, undefined],
  ])
})

test('what the constructor throws is told later, as a close', async () => {
  const { told, clock } = open('https://refused.test/')
  expect(told).toEqual([])
  await turn()
  expect(told).toEqual([[1006, 'Error: mixed content']])
  expect(clock.pending()).toBe(0)
})
