import { type Figure, figureOf, rounded } from '../figure.ts'
import { CONTESTANTS, type ContestantName } from '../page/contestant.ts'
import type { Effort } from '../rounds.ts'
import type { Company, Stage } from '../stage.ts'

const SIZE_BYTES = 100
const PER_MESSAGES = 10_000

/** One member talks, all others listen: what 10,000 messages cost all of them together. */
export async function members(stage: Stage, effort: Effort, log: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const count of effort.members) {
    const processor = new Map<ContestantName, number[]>()
    const heap = new Map<ContestantName, number[]>()
    const idle = new Map<ContestantName, number[]>()
    const missing: ContestantName[] = []
    for (const name of CONTESTANTS) {
      log(`${count} members, ${name}`)
      const empty = await stage.prepare(name, 1)
      const emptyBytes = await empty.heapBytes()
      await empty.leave()
      const company = await met(stage, name, count, log)
      if (company === undefined) {
        missing.push(name)
        continue
      }
      const send = (messages: number) =>
        company.first.evaluate((given) => guest.load(given), {
          sizeBytes: SIZE_BYTES,
          lane: 'reliable' as const,
          count: messages,
        })
      await send(Math.ceil(effort.messages / 4))
      const heapBefore = await company.heapBytes()
      const rounds = 3
      for (let round = 0; round < rounds; round += 1) {
        const before = await stage.processorSeconds()
        await send(effort.messages)
        const used = (await stage.processorSeconds()) - before
        processor.set(name, [...(processor.get(name) ?? []), (used / effort.messages) * PER_MESSAGES])
      }
      const grown = (await company.heapBytes()) - heapBefore
      heap.set(name, [(grown / 1e6 / (effort.messages * rounds)) * PER_MESSAGES])
      idle.set(name, [heapBefore / count / 1e6 - emptyBytes / 1e6])
      await company.leave()
    }
    const at = { members: count }
    const samples = (of: Map<ContestantName, number[]>) => new Map([...of].map(([k, v]) => [k, v.map(rounded)]))
    figures.push(
      figureOf(
        {
          name: `processor time of 10,000 messages of 100 bytes, ${count} members`,
          unit: 's',
          note: `All processes of both browsers: one sender and ${count - 1} receivers.${absent(missing)}`,
          at,
        },
        processor,
      ),
      figureOf(
        {
          name: `heap kept after 10,000 messages, ${count} members`,
          unit: 'MB',
          note: 'All pages together, after a garbage collection, over before.',
          at,
        },
        samples(heap),
      ),
      figureOf(
        {
          name: `heap of a member, ${count} members`,
          unit: 'MB',
          note: 'Beyond that of a page that has only loaded the code.',
          at,
        },
        samples(idle),
      ),
    )
  }
  return figures
}

/** Nobody, where not all of them managed to meet; that ours always do is a promise. */
async function met(
  stage: Stage,
  name: ContestantName,
  count: number,
  log: (text: string) => void,
): Promise<Company | undefined> {
  try {
    return await stage.gather(name, count)
  } catch (error) {
    if (name === 'ours') throw error
    log(String(error))
    return undefined
  }
}

function absent(names: readonly string[]): string {
  return names.length === 0 ? '' : ` Not all of them met: ${names.join(', ')}.`
}
