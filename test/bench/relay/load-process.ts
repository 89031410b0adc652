/** The load generator as a process: crowds by name, driven by its parent's messages, one answer to each. */
import { Crowd, type CrowdOptions, type LoadOptions } from './crowd.ts'
import { type DropsOptions, dropTest } from './drops.ts'
import { ReadBuffer } from './raw-socket.ts'

export type Order =
  | { readonly do: 'gather'; readonly crowd: string; readonly options: CrowdOptions; readonly atATime: number }
  | { readonly do: 'load'; readonly crowd: string; readonly options: LoadOptions }
  | { readonly do: 'storm' | 'leave'; readonly crowd: string }
  | { readonly do: 'drops'; readonly options: DropsOptions }

const crowds = new Map<string, Crowd>()
const shared = new ReadBuffer()

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'drops') return dropTest(order.options, shared)
  if (order.do === 'gather') {
    const gathered = new Crowd(order.options, shared)
    crowds.set(order.crowd, gathered)
    return { ...(await gathered.open(order.atATime)), retries: gathered.retries }
  }
  const crowd = crowds.get(order.crowd)
  if (crowd === undefined) throw new Error(`there is no crowd ${order.crowd}`)
  if (order.do === 'load') return crowd.load(order.options)
  if (order.do === 'storm') {
    const before = crowd.retries
    return { ...(await crowd.storm()), retries: crowd.retries - before }
  }
  crowd.drop()
  crowds.delete(order.crowd)
  return undefined
}

process.on('message', (message) => {
  const { id, order } = message as { id: number; order: Order }
  obey(order).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.stack : String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
