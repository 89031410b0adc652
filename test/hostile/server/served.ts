/** The server under attack, in a process of its own: what `HostileServer` starts. */
import type { ServerOptionsInput } from '../../../signaling/options/table.ts'
import { startServer } from '../../../signaling/server.ts'

export type Question = 'memory' | 'size' | 'stats' | 'close'

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))

const options = JSON.parse(process.argv[2] ?? '{}') as ServerOptionsInput
const server = await startServer({ port: 0, host: '0.0.0.0', turn: 'off', logLevel: 'error', ...options })

function answer(question: Question): object {
  if (question === 'stats') return server.stats()
  if (question === 'size') return { rssBytes: process.memoryUsage.rss() }
  // Twice: what the first sets free may hold more.
  globalThis.gc?.()
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rssBytes: rss, heldBytes: heapUsed + external }
}

process.on('message', (question: Question) => {
  if (question === 'close') void server.close().then(() => process.exit(0))
  else process.send?.({ question, answer: answer(question) })
})
process.send?.({ question: 'started', answer: { port: server.port } })
