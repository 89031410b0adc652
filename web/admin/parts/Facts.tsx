import { formatMs } from '../../ui/format.ts'
import { testIds } from '../../ui/test-ids.ts'
import { formatCount, formatDuration, formatShare } from '../model/numbers.ts'
import { ratesOf } from '../model/series.ts'
import type { Point, Present } from '../model/server-data.ts'

export interface FactsProps {
  readonly present: Present
  readonly points: readonly Point[]
}

interface Fact {
  readonly name: string
  readonly value: string
  readonly more: string
}

const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatCount(count)} ${name}`)
    .join(', ')

function facts({ present, points }: FactsProps): readonly Fact[] {
  const { hub, turn, eventLoop, readiness, version, engine, atMs, startedMs } = present
  const { direct, relay } = hub.links
  const links = direct + hub.links.turn + relay
  const busy = ratesOf(points, 'busySecondsTotal').at(-1)?.value
  const deliveries = ratesOf(points, 'deliveriesTotal').at(-1)?.value
  const dropped = hub.droppedSlow + hub.droppedAbsent
  return [
    {
      name: 'Server',
      value: readiness,
      more: `version ${version} on ${engine}, up for ${formatDuration(atMs - startedMs)}`,
    },
    {
      name: 'Members here',
      value: formatCount(hub.members - hub.away),
      more: `${formatCount(hub.away)} away, ${formatCount(hub.unjoined)} not joined yet`,
    },
    { name: 'Rooms', value: formatCount(hub.rooms), more: `by ${counted(hub.carriers) || 'no carrier'}` },
    {
      name: 'Deliveries a second',
      value: deliveries === undefined ? '–' : formatCount(deliveries),
      more: `${formatCount(hub.deliveries)} in all, ${formatCount(dropped)} dropped`,
    },
    {
      name: 'Links without the server',
      value: links === 0 ? '–' : formatShare((direct + hub.links.turn) / links),
      more: counted(hub.links) || 'no links reported',
    },
    {
      name: 'Event loop',
      value: busy === undefined ? '–' : `${formatShare(busy)} busy`,
      more: `late by ${formatMs(eventLoop.p99Ms)} (p99), ${formatMs(eventLoop.maxMs)} at most`,
    },
    { name: 'TURN', value: turn.state, more: `${formatCount(turn.credentialsIssued)} credentials issued` },
    {
      name: 'Joins',
      value: formatCount(hub.joins),
      more: [`${formatCount(hub.resumes)} came back`, counted(hub.refused)]
        .filter((text) => text !== '')
        .join('; refused: '),
    },
  ]
}

export function Facts(props: FactsProps) {
  return (
    <dl class="facts" data-testid={testIds.adminFacts}>
      {facts(props).map(({ name, value, more }) => (
        <div class="fact" key={name}>
          <dt>{name}</dt>
          <dd class="fact-value">{value}</dd>
          <dd class="fact-more">{more}</dd>
        </div>
      ))}
    </dl>
  )
}
