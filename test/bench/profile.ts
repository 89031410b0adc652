/**
 * `npx tsx test/bench/profile.ts [--lane latest] [--size 65536] [--ms 2000] [--side receiver] [--pings]`: where the processor time
 * of one page goes while it talks or listens, by function, from Chromium's own profiler and a bundle with its names.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build, mergeConfig } from 'vite'
import { ROOT } from '../../signaling/setup/command.mjs'
import configure from '../../vite.config.ts'
import { Stage } from './stage.ts'

const { values } = parseArgs({
  options: {
    lane: { type: 'string', default: 'reliable' },
    size: { type: 'string', default: '100' },
    ms: { type: 'string', default: '2000' },
    side: { type: 'string', default: 'sender' },
    top: { type: 'string', default: '30' },
    pings: { type: 'boolean', default: false },
    contestant: { type: 'string', default: 'ours' },
  },
})

const PINGS = 3_000

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number; readonly url: string }
  readonly children?: readonly number[]
}

const folder = await mkdtemp(join(tmpdir(), 'partyline-profile-'))
const named = { minify: false, outDir: folder, rolldownOptions: { output: { minify: false } } } as const
// Without what makes the bundle small.
const client = { ...configure({ mode: 'client', command: 'build' }), plugins: [] }
await build({ ...mergeConfig(client, { build: named }), root: ROOT, configFile: false, logLevel: 'error' })
const stage = await Stage.open({ client: join(folder, 'partyline.js') })
try {
  const company = await stage.gather(values.contestant === 'bare' ? 'bare' : 'ours', 2)
  const plan = { sizeBytes: Number(values.size), lane: values.lane === 'latest' ? 'latest' : 'reliable' } as const
  await company.first.evaluate((given) => guest.load({ ...given, ms: 1_000 }), plan)
  const watched = company.pages[values.side === 'receiver' ? 1 : 0]
  if (watched === undefined) throw new Error('a pair is two pages')
  const session = await watched.context().newCDPSession(watched)
  await session.send('Profiler.enable')
  await session.send('Profiler.setSamplingInterval', { interval: 100 })
  await session.send('Profiler.start')
  const result = values.pings
    ? {
        received: [(await company.first.evaluate((count) => guest.roundTrips(count, 100), PINGS)).length],
        ms: Number.NaN,
      }
    : await company.first.evaluate(([given, ms]) => guest.load({ ...given, ms }), [plan, Number(values.ms)] as const)
  const { profile } = await session.send('Profiler.stop')
  console.log(JSON.stringify(await company.first.evaluate(() => guest.trouble())))
  const messages = result.received[0] ?? 0
  const rate = values.pings ? `${messages} round trips` : `${Math.round((messages / result.ms) * 1_000)} messages/s`
  console.log(`${rate}; µs of each, by a function itself and with what it calls`)
  const nodes = new Map<number, ProfileNode>(profile.nodes.map((node) => [node.id, node]))
  const selfUs = new Map<number, number>()
  for (const [at, id] of (profile.samples ?? []).entries()) {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (profile.timeDeltas?.[at] ?? 0))
  }
  const own = new Map<string, number>()
  const whole = new Map<string, number>()
  const nameOf = ({ callFrame: { functionName, lineNumber } }: ProfileNode): string =>
    functionName.startsWith('(') ? functionName : `${functionName || '(nameless)'}:${lineNumber + 1}`
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = nameOf(node)
    const us = selfUs.get(node.id) ?? 0
    const inside = new Set([...above, name])
    let total = us
    for (const child of node.children ?? []) total += visit(nodes.get(child) as ProfileNode, inside)
    own.set(name, (own.get(name) ?? 0) + us)
    if (!above.has(name)) whole.set(name, (whole.get(name) ?? 0) + total)
    return total
  }
  visit(profile.nodes[0] as ProfileNode, new Set())
  const lines = [...own].sort((a, b) => b[1] - a[1]).slice(0, Number(values.top))
  for (const [name, us] of lines) {
    console.log(
      `${(us / messages).toFixed(3).padStart(9)} ${((whole.get(name) ?? 0) / messages).toFixed(3).padStart(9)}  ${name}`,
    )
  }
} finally {
  await stage.close()
  await rm(folder, { recursive: true, force: true })
}
