import type { Addresses, Enter } from './contestant.ts'

/** Ours, by the bundle that the server serves: the reliable channel and the `latest` channel, as documented. */
export async function partyline({ client }: Addresses): Promise<Enter> {
  const { joinRoom } = (await import(/* @vite-ignore */ client)) as typeof import('partyline')
  return ({ room, others }, { heard, heardLatest }) => {
    const joined = joinRoom(room)
    const channel = joined.channel<Uint8Array>('load')
    const latest = joined.latest<Uint8Array>('newest')
    channel.on('message', ({ data }) => heard(data))
    latest.on('value', ({ value }) => heardLatest(value))
    const connected = new Promise<void>((resolve) => {
      const look = (): void => {
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
      setLatest: (bytes) => latest.set(bytes),
    }
  }
}
