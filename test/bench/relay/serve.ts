/**
 * One server of the benchmark as a process: `serve.ts NAME PORT DATA_FOLDER`. Says `ready` to its parent, and answers
 * `memory` with what it holds after its garbage has been collected (`--expose-gc`).
 */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PeerServer } from 'peer'
import { Server as SocketIoServer } from 'socket.io'
import { type WebSocket, WebSocketServer } from 'ws'
import { ROOT } from '../../../signaling/setup/command.mjs'

const BACKLOG = 4_096
/** Recovery is its documented option; two minutes are its default. */
const RECOVERY = { connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true } }

async function ours(port: number, dataFolder: string): Promise<void> {
  const { startServer } = (await import(
    pathToFileURL(join(ROOT, 'dist/signaling/index.js')).href
  )) as typeof import('../../../signaling/index.ts')
  await startServer({
    ...{ port, host: '127.0.0.1', dataFolder, turn: 'off', logLevel: 'error' },
    // A generator is one address, and one member speaks for many.
    ...{ connectionsPerAddress: 1_000_000, messagesPerSecond: 1_000_000, bytesPerSecond: 1_073_741_824 },
    ...{ membersPerRoom: 2_000, roomsPerServer: 100_000 },
  })
}

async function bare(port: number): Promise<void> {
  const loaded = await import('uWebSockets.js')
  const uws = 'default' in loaded ? (loaded.default as typeof loaded) : loaded
  interface Data {
    readonly room: string
    readonly id: number
  }
  const members = new Map<number, import('uWebSockets.js').WebSocket<Data>>()
  const app = uws.App()
  app.ws<Data>('/*', {
    compression: uws.DISABLED,
    idleTimeout: 120,
    maxBackpressure: 64 * 1_048_576,
    maxPayloadLength: 262_144,
    upgrade: (res, req, context) => {
      const data = { room: req.getQuery('room') ?? '', id: Number(req.getQuery('id')) }
      const [key, protocol, extensions] = ['key', 'protocol', 'extensions'].map((one) =>
        req.getHeader(`sec-websocket-${one}`),
      )
      res.upgrade<Data>(data, key ?? '', protocol ?? '', extensions ?? '', context)
    },
    open: (ws) => {
      const { room, id } = ws.getUserData()
      members.set(id, ws)
      ws.subscribe(room)
      ws.send('in')
    },
    message: (ws, message) => {
      const bytes = Buffer.from(message)
      if (bytes[0] === 0) ws.publish(ws.getUserData().room, message, true)
      else members.get(bytes.readUInt32BE(1))?.send(message, true)
    },
    close: (ws) => {
      const { id } = ws.getUserData()
      if (members.get(id) === ws) members.delete(id)
    },
  })
  await new Promise<void>((resolve, reject) =>
    app.listen('127.0.0.1', port, (socket) => (socket ? resolve() : reject(new Error('cannot listen')))),
  )
}

async function plainWs(port: number): Promise<void> {
  const http = createServer()
  const server = new WebSocketServer({ server: http, perMessageDeflate: false })
  const members = new Map<number, WebSocket>()
  const rooms = new Map<string, Set<WebSocket>>()
  server.on('connection', (socket, request) => {
    const query = new URL(request.url ?? '/', 'http://x').searchParams
    const [name, id] = [query.get('room') ?? '', Number(query.get('id'))]
    const room = rooms.get(name) ?? new Set()
    rooms.set(name, room.add(socket))
    members.set(id, socket)
    socket.on('message', (message: Buffer) => {
      if (message[0] === 1) members.get(message.readUInt32BE(1))?.send(message)
      else for (const other of room) if (other !== socket) other.send(message)
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      room.delete(socket)
      if (members.get(id) === socket) members.delete(id)
    })
    socket.send('in')
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', BACKLOG, resolve))
}

async function socketIo(port: number, recovery: boolean): Promise<void> {
  const http = createServer()
  const server = new SocketIoServer(http, recovery ? RECOVERY : {})
  const members = new Map<number, import('socket.io').Socket>()
  server.on('connection', (socket) => {
    const { room, id } = socket.handshake.query
    const index = Number(id)
    members.set(index, socket)
    void socket.join(`room-${String(room)}`)
    socket.on('m', (payload: string) => socket.to(`room-${String(room)}`).emit('m', payload))
    socket.on('d', (payload: string, to: number) => members.get(to)?.emit('m', payload))
    socket.on('disconnect', () => {
      if (members.get(index) === socket) members.delete(index)
    })
  })
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', BACKLOG, resolve))
}

async function peerJs(port: number): Promise<void> {
  await new Promise<void>((resolve) => {
    PeerServer({ port, host: '127.0.0.1', path: '/', concurrent_limit: 100_000 }, () => resolve())
  })
}

const SERVERS: Readonly<Record<string, (port: number, dataFolder: string) => Promise<void>>> = {
  ours,
  bare,
  ws: plainWs,
  'socket.io': (port) => socketIo(port, false),
  'socket.io with recovery': (port) => socketIo(port, true),
  peerjs: peerJs,
}

const [name = '', port = '', dataFolder = ''] = process.argv.slice(2)
process.on('message', (message) => {
  if (message !== 'memory') return
  // The first finds what the second frees.
  for (let time = 0; time < 3; time += 1) globalThis.gc?.()
  setTimeout(() => {
    globalThis.gc?.()
    process.send?.(process.memoryUsage.rss())
  }, 200)
})
process.on('disconnect', () => process.exit(0))
await SERVERS[name]?.(Number(port), dataFolder)
process.send?.('ready')
