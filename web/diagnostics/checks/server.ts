import { formatMs } from '../../ui/format.ts'
import type { Check } from '../check.ts'
import { look, NotInTime, within } from '../waiting.ts'

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const serverAnswers: Check = {
  id: 'server',
  title: 'The server answers',
  run: async ({ root, signal }) => {
    const before = performance.now()
    try {
      const answer = await within(8_000, fetch(new URL('healthz', root), { cache: 'no-store', signal }))
      const took = formatMs(performance.now() - before)
      if (answer.ok) return { verdict: 'good', text: `It answered over HTTP in ${took}.` }
      return { verdict: 'poor', text: `It answered ${answer.status} to a question after its health.` }
    } catch (error) {
      return { verdict: 'bad', text: 'It cannot be reached over HTTP.', details: [describe(error)] }
    }
  },
}

export const uplink: Check = {
  id: 'uplink',
  title: 'Entering a room',
  run: async ({ joinRoom, root, room, signal }) => {
    const before = performance.now()
    const visit = joinRoom(`${room}-uplink`, { server: root, signal, paths: ['relay'] })
    try {
      await within(12_000, visit.ready)
      const took = formatMs(performance.now() - before)
      const rttMs = await look(8_000, () => visit.stats().uplinkRttMs)
      const { carrier } = visit.stats()
      const roundTrip = rttMs === undefined ? 'not measured in 8 s' : formatMs(rttMs)
      const text = `In after ${took} over ${carrier ?? 'an unknown carrier'}; round trip to the server ${roundTrip}.`
      if (carrier === 'websocket') return { verdict: 'good', text }
      return { verdict: 'poor', text: `${text} WebSocket did not get through: a proxy may be in the way.` }
    } catch (error) {
      const text = error instanceof NotInTime ? 'No answer in 12 s.' : 'The server did not let us in.'
      return { verdict: 'bad', text, details: [describe(error)] }
    } finally {
      await visit.leave()
    }
  },
}
