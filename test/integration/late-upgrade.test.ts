/** A proxy that holds WebSocket upgrades up: the join in one of them is heard by the server when nobody waits for it. */
import { connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { joinRoom } from '../../web/client/join-room.ts'
import { describeWire } from '../conformance/target.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const act of closing.splice(0).reverse()) await act()
})

/** Passes everything on at once, but for upgrades, which wait until `release`. They get through though their client is gone. */
async function slowProxy(port: number) {
  const held: (() => void)[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => undefined)
    client.once('data', (first) => {
      const pass = (): void => {
        const upstream = connect(port, '127.0.0.1')
        sockets.add(upstream)
        upstream.on('error', () => undefined)
        upstream.write(first)
        upstream.pipe(client)
        client.pipe(upstream, { end: false })
      }
      if (/^upgrade: websocket/im.test(first.toString('latin1'))) held.push(pass)
      else pass()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  const release = (): void => {
    for (const pass of held.splice(0)) pass()
  }
  return { url: `http://127.0.0.1:${address.port}`, release }
}

describeWire(
  'a join in an upgrade that was held up',
  (target) => {
    it('does not end the room that was entered by another carrier meanwhile', async () => {
      const server = await target.start()
      const proxy = await slowProxy(Number(new URL(server.url).port))
      const room = joinRoom('late', { server: proxy.url, paths: ['relay'] })
      closing.push(() => room.leave())
      await room.ready
      expect(room.stats().carrier).toBe('sse')
      const states: string[] = []
      const back = new Promise<void>((resolve) =>
        room.on('status', (status) => {
          states.push(status)
          if (status !== 'reconnecting') resolve()
        }),
      )
      proxy.release()
      await back
      expect(states).toEqual(['reconnecting', 'online'])
      expect(room.stats().reconnections).toBe(1)
    })
  },
  ['sse'],
)
