import type { Addresses, Enter } from './contestant.ts'

/** Ours, by the bundle that the server serves: the reliable channel and the `latest` channel, as documented. */
export async function partyline({ client }: Addresses): Promise<Enter> {
  const { joinRoom } = (await import(/* @vite-ignore */ client)) as typeof import('partyline')
  return ({ room, others }, { heard, heardLatest }) => {
    const joined = joinRoom(room)
    const channel = joined.channel<Uint8Array>('load')
    const latest = joined.latest<Uint8Array>('newest')
    const beside = joined.channel<Uint8Array>('beside')
    for (const each of [channel, beside]) each.on('message', ({ data }) => heard(data))
    latest.on('value', ({ value }) => heardLatest(value))
    const paths = new Map<string, string>()
    let changes = 0
    const connected = new Promise<void>((resolve) => {
      const look = (): void => {
        for (const { id, path } of joined.peers.values()) {
          if ((paths.get(id) ?? path) !== path) changes += path === 'direct' ? 0 : 1
          paths.set(id, path)
        }
        const direct = [...joined.peers.values()].filter(({ path }) => path === 'direct')
        if (direct.length >= others) resolve()
      }
      joined.on('change', look)
    })
    return {
      present: joined.ready,
      connected,
      sendsAtOnce: true,
      send: (bytes) => channel.send(bytes).accepted,
      sendBeside: (bytes) => beside.send(bytes),
      setLatest: (bytes) => latest.set(bytes),
      trouble: async () => {
        const statistics = await Promise.all([...joined.peers.values()].map((peer) => peer.stats()))
        const resent = statistics.reduce((sum, { retransmissions }) => sum + retransmissions, 0)
        return { leftDirect: changes, resent }
      },
    }
  }
}
