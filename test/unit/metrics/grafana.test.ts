import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { METRICS } from '../../../signaling/metrics/definitions.ts'

const file = (name: string): string =>
  readFileSync(new URL(`../../../signaling/metrics/grafana/${name}`, import.meta.url), 'utf8')

interface Target {
  readonly expr: string
}
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly targets?: readonly Target[]
}
interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] }
  readonly annotations: { readonly list: readonly Target[] }
}

const dashboard = JSON.parse(file('partyline-dashboard.json')) as Dashboard
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const alerts = [...file('partyline-alerts.yml').matchAll(/^ +expr: (.+)$/gm)].map(([, expr = '']) => expr)
const expressions: readonly (readonly [where: string, expression: string])[] = [
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
  ...dashboard.annotations.list.map(({ expr }) => ['annotation', expr] as const),
  ...alerts.map((expr) => ['alert', expr] as const),
]

const LABELS_OF = new Map(METRICS.map(({ name, labels }) => [name, labels]))
/** Prometheus adds these to all. */
const TARGET_LABELS = ['job', 'instance']

/** Names that are followed by no parenthesis and are no words of the language. */
const metricNames = (expression: string): string[] =>
  [...expression.replace(/\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)/g, ' ').matchAll(/\b[a-z][a-z_0-9]*\b(?!\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => name !== 'or')

describe.each(expressions)('%s: %s', (_, expression) => {
  it('names only metrics and labels that exist', () => {
    const names = metricNames(expression)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) if (name !== 'up') expect([...LABELS_OF.keys()]).toContain(name)
    const used = new Set([...TARGET_LABELS, ...names.flatMap((name) => LABELS_OF.get(name) ?? [])])
    for (const [, inside = ''] of expression.matchAll(/\{([^}]*)\}/g))
      for (const [, label] of inside.matchAll(/([a-z_]+)\s*(?:=~|!=|!~|=)/g)) expect([...used]).toContain(label)
    for (const [, inside = ''] of expression.matchAll(/\bby \(([^)]*)\)/g))
      for (const label of inside.split(/,\s*/)) expect([...used]).toContain(label)
  })

  it('takes rates of counters, and of counters only', () => {
    const rated = [...expression.matchAll(/\b(?:rate|increase)\(([a-z_]+)/g)].map(([, name]) => name)
    for (const name of rated) expect(name).toMatch(/_total$/)
    const plain = metricNames(expression).filter((name) => name.endsWith('_total'))
    expect(rated).toEqual(plain)
  })
})

it('the dashboard shows every metric, each panel once', () => {
  const shown = new Set(expressions.flatMap(([, expression]) => metricNames(expression)))
  const variables = JSON.stringify(dashboard.templating)
  const missing = METRICS.map(({ name }) => name).filter((name) => !shown.has(name) && !variables.includes(name))
  expect(missing).toEqual([])
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  expect(panels.length).toBeGreaterThan(15)
})

it('every alert says what it means and what to do', () => {
  const text = file('partyline-alerts.yml')
  const names = [...text.matchAll(/- alert: (\w+)/g)]
  expect(names.length).toBeGreaterThan(8)
  expect(alerts).toHaveLength(names.length)
  expect([...text.matchAll(/^ +summary: ".+"$/gm)]).toHaveLength(names.length)
  expect([...text.matchAll(/^ +description: ".+"$/gm)]).toHaveLength(names.length)
})
