import { createTopicStrategy } from '@trystero-p2p/core'
import { type Addresses, type Enter, gathering } from './contestant.ts'
import { PubSub } from './pub-sub.ts'

/** Trystero's core over the same small server that the bare contestant has. It does its own flow control. */
export async function trystero({ pubSub }: Addresses): Promise<Enter> {
  const join = createTopicStrategy<PubSub>({
    init: async () => {
      const server = new PubSub(pubSub)
      await server.opened
      return server
    },
    subscribeTopic: (server, topic, heard) => server.subscribe(topic, (text) => void heard(topic, text)),
    publishTopic: (server, topic, message) =>
      server.publish(topic, typeof message === 'string' ? message : JSON.stringify(message)),
  })
  return ({ room: name, others }, { heard }) => {
    const room = join({ appId: 'bench', rtcConfig: { iceServers: [] } }, name)
    const { all, arrive } = gathering(others)
    room.onPeerJoin = arrive
    const action = room.makeAction<Uint8Array<ArrayBuffer>>('load')
    action.onMessage = (data) => heard(data)
    return {
      // It does not say when; its first announcement is out well within this.
      present: new Promise((resolve) => setTimeout(resolve, 500)),
      connected: all,
      sendsAtOnce: false,
      send: (bytes) => action.send(bytes),
    }
  }
}
