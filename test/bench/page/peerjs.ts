import { type DataConnection, Peer } from 'peerjs'
import { type Addresses, type Enter, gathering, roomInAll } from './contestant.ts'

/** PeerJS with its default serialization. It knows no rooms: everyone calls those who came before. */
export async function peerJs({ peerJs: { host, port } }: Addresses): Promise<Enter> {
  return ({ room, index, others }, { heard }) => {
    const peer = new Peer(`${room}-${index}`, { host, port, path: '/', config: { iceServers: [] } })
    const connections = new Set<DataConnection>()
    const { all, arrive } = gathering(others)
    const take = (connection: DataConnection): void => {
      connection.on('data', (data) => heard(bytesOf(data)))
      connection.on('open', () => {
        connections.add(connection)
        arrive()
      })
    }
    peer.on('connection', take)
    const present = new Promise<void>((resolve) => {
      peer.on('open', () => {
        for (let other = 0; other < index; other += 1) take(peer.connect(`${room}-${other}`, { reliable: true }))
        resolve()
      })
    })
    return {
      present,
      connected: all,
      sendsAtOnce: false,
      send: (bytes) => {
        for (const connection of connections) connection.send(bytes)
        return roomInAll([...connections].map(({ dataChannel }) => dataChannel))
      },
    }
  }
}

function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  throw new Error(`PeerJS handed on ${Object.prototype.toString.call(data)}`)
}
