/**
 * prom-client writes the text that Prometheus reads. It keeps no numbers of its own here: each scrape sets them from a
 * snapshot. (Its successor @prometheus-io/client has the same face but does without Node 20, which we do not yet.)
 */
import { Counter, Gauge, Registry } from 'prom-client'
import { METRICS } from './definitions.ts'
import type { Snapshot } from './snapshot.ts'

export class Exposition {
  readonly #registry = new Registry()
  readonly #setters: readonly ((snapshot: Snapshot) => void)[]

  constructor() {
    const registers = [this.#registry]
    this.#setters = METRICS.map(({ name, help, labels, kind, read }) => {
      const configuration = { name, help, labelNames: [...labels], registers }
      if (kind === 'gauge') {
        const gauge = new Gauge(configuration)
        return (snapshot) => {
          gauge.reset()
          const samples = read(snapshot)
          if (samples.length === 0) gauge.remove()
          for (const sample of samples) gauge.set(sample.labels, sample.value)
        }
      }
      const counter = new Counter(configuration)
      return (snapshot) => {
        counter.reset()
        for (const sample of read(snapshot)) counter.inc(sample.labels, sample.value)
      }
    })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async render(snapshot: Snapshot): Promise<string> {
    for (const set of this.#setters) set(snapshot)
    return this.#registry.metrics()
  }
}
