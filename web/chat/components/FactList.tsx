import { testIds } from '../../ui/test-ids.ts'
import type { Fact } from '../model/connection-facts.ts'

export function FactList({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(({ name, value, isLong }) => (
        <div
          key={name}
          class={isLong ? 'fact fact-long' : 'fact'}
          data-testid={testIds.connectionFact}
          data-fact={name}
        >
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
