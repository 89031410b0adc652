import type { JoinOptions, PathKind, Peer, Room } from 'partyline'
import { formatMs } from '../../ui/format.ts'
import type { Check, CheckContext, Finding } from '../check.ts'
import { look, within } from '../waiting.ts'

/** Two members of one room in this page: what they can do, this browser can do. */
async function withTwoMembers(
  { joinRoom, root, room, signal }: CheckContext,
  suffix: string,
  options: JoinOptions,
  examine: (one: Room, other: Room) => Promise<Finding>,
): Promise<Finding> {
  const join = (): Room => joinRoom(`${room}-${suffix}`, { ...options, server: root, signal })
  const one = join()
  const other = join()
  try {
    await within(12_000, Promise.all([one.ready, other.ready]))
    const met = await look(8_000, () => (one.peers.size > 0 && other.peers.size > 0 ? true : undefined))
    if (met === undefined) return { verdict: 'bad', text: 'Two members of one room did not see each other in 8 s.' }
    return await examine(one, other)
  } catch (error) {
    return {
      verdict: 'bad',
      text: 'The room could not be entered twice.',
      details: [error instanceof Error ? error.message : String(error)],
    }
  } finally {
    await Promise.all([one.leave(), other.leave()])
  }
}

const onlyPeer = (room: Room): Peer | undefined => room.peers.values().next().value

const waitForPath = (room: Room, path: PathKind, timeoutMs: number): Promise<Peer | undefined> =>
  look(timeoutMs, () => {
    const peer = onlyPeer(room)
    return peer?.path === path ? peer : undefined
  })

async function describePath(peer: Peer): Promise<readonly string[]> {
  const stats = await peer.stats()
  return [
    `path ${stats.path}: ${stats.why}`,
    `candidates ${stats.localCandidate ?? '–'} / ${stats.remoteCandidate ?? '–'}, protocol ${stats.protocol ?? '–'}, round trip ${formatMs(stats.rttMs)}, attempts ${stats.attempts}`,
  ]
}

export const relayPath: Check = {
  id: 'relay-path',
  title: 'Messages through the server (relay)',
  run: (context) =>
    withTwoMembers(context, 'relay', { paths: ['relay'] }, async (one, other) => {
      other.channel('check').on('message', () => undefined)
      const before = performance.now()
      const { missed, to } = await within(8_000, one.channel('check').send('hello').delivered)
      const took = formatMs(performance.now() - before)
      return to.length > 0 && missed.size === 0
        ? { verdict: 'good', text: `A message was delivered and acknowledged in ${took}.` }
        : { verdict: 'bad', text: 'A message was not delivered.' }
    }),
}

export const directPath: Check = {
  id: 'direct-path',
  title: 'Straight from browser to browser (direct)',
  run: (context) =>
    withTwoMembers(context, 'direct', {}, async (one) => {
      const before = performance.now()
      const peer = await waitForPath(one, 'direct', 12_000)
      if (peer !== undefined) {
        const text = `Two members in this page reached each other directly after ${formatMs(performance.now() - before)}.`
        return { verdict: 'good', text, details: await describePath(peer) }
      }
      const last = onlyPeer(one)
      return {
        verdict: 'poor',
        text: 'Even two members in this page did not reach each other directly: WebRTC is blocked here.',
        details: last === undefined ? [] : await describePath(last),
      }
    }),
}

/** By then even a slow network has made the peer connection, which tells the servers; without TURN no path will come, ms. */
const TOLD_OF_TURN_MS = 4_000

export const turnPath: Check = {
  id: 'turn-path',
  title: 'Through the TURN server (turn)',
  run: (context) =>
    withTwoMembers(context, 'turn', { iceTransportPolicy: 'relay' }, async (one) => {
      const before = performance.now()
      const hasTurn = (): boolean => context.iceServers().some((server) => /^turns?:/u.test(String(server.urls)))
      const peer =
        (await waitForPath(one, 'turn', TOLD_OF_TURN_MS)) ??
        (hasTurn() ? await waitForPath(one, 'turn', 15_000 - TOLD_OF_TURN_MS) : undefined)
      if (peer !== undefined) {
        const text = `Two members in this page reached each other through TURN after ${formatMs(performance.now() - before)}.`
        return { verdict: 'good', text, details: await describePath(peer) }
      }
      const last = onlyPeer(one)
      const details = last === undefined ? [] : await describePath(last)
      if (hasTurn()) return { verdict: 'poor', text: 'The TURN server could not be used from here.', details }
      return {
        verdict: 'skipped',
        text: 'The server hands out no TURN server: behind strict firewalls messages take the relay.',
        details,
      }
    }),
}
