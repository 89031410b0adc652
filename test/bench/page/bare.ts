import { type Addresses, type Enter, gathering, QUEUE, roomInAll } from './contestant.ts'
import { PubSub } from './pub-sub.ts'

/** What members say to each other while they connect. */
interface Said {
  readonly from: number
  /** Absent: I am here, those before me may call. */
  readonly to?: number
  readonly description?: RTCSessionDescriptionInit | undefined
  readonly candidate?: RTCIceCandidateInit
}

interface Call {
  readonly connection: RTCPeerConnection
  readonly reliable: RTCDataChannel
  readonly newest: RTCDataChannel
  readonly beside: RTCDataChannel
  /** Candidates that came before the description they belong to. */
  readonly early: RTCIceCandidateInit[]
}

/** The floor: a data channel in order, one without order and repetition, and nothing around them. */
export async function bare({ pubSub }: Addresses): Promise<Enter> {
  return ({ room, index, others }, { heard, heardLatest }) => {
    const server = new PubSub(pubSub)
    const calls = new Map<number, Call>()
    const { all, arrive } = gathering(others)
    const say = (said: Said): void => void server.publish(room, JSON.stringify(said))

    const call = (other: number): Call => {
      const known = calls.get(other)
      if (known !== undefined) return known
      const connection = new RTCPeerConnection()
      const reliable = connection.createDataChannel('reliable', { negotiated: true, id: 0 })
      const newest = connection.createDataChannel('newest', {
        negotiated: true,
        id: 1,
        ordered: false,
        maxRetransmits: 0,
      })
      const beside = connection.createDataChannel('beside', { negotiated: true, id: 2 })
      for (const channel of [reliable, newest, beside]) channel.binaryType = 'arraybuffer'
      for (const channel of [reliable, beside]) {
        channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => heard(new Uint8Array(data))
      }
      newest.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => heardLatest(new Uint8Array(data))
      reliable.onopen = arrive
      connection.onicecandidate = ({ candidate }) => {
        if (candidate !== null) say({ from: index, to: other, candidate: candidate.toJSON() })
      }
      const made = { connection, reliable, newest, beside, early: [] }
      calls.set(other, made)
      return made
    }

    const listen = async ({ from, to, description, candidate }: Said): Promise<void> => {
      if (from === index || (to !== undefined && to !== index)) return
      const { connection, early } = call(from)
      if (candidate !== undefined) {
        if (connection.remoteDescription === null) early.push(candidate)
        else await connection.addIceCandidate(candidate)
        return
      }
      if (description !== undefined) {
        await connection.setRemoteDescription(description)
        for (const one of early.splice(0)) await connection.addIceCandidate(one)
        if (description.type === 'answer') return
      }
      await connection.setLocalDescription()
      say({ from: index, to: from, description: connection.localDescription?.toJSON() })
    }

    // One after another, or a candidate might overtake its description.
    let turn: Promise<void> = Promise.resolve()
    const present = server.subscribe(room, (text) => {
      turn = turn.then(() => listen(JSON.parse(text) as Said))
    })
    void present.then(() => say({ from: index }))
    return {
      present,
      connected: all,
      sendsAtOnce: false,
      send: (bytes) => {
        for (const { reliable } of calls.values()) reliable.send(bytes)
        return roomInAll([...calls.values()].map(({ reliable }) => reliable))
      },
      sendBeside: (bytes) => {
        for (const { beside } of calls.values()) beside.send(bytes)
      },
      setLatest: (bytes) => {
        for (const { newest } of calls.values()) if (newest.bufferedAmount < QUEUE.latestBytes) newest.send(bytes)
      },
    }
  }
}
