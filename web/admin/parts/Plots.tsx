import { formatBytes, formatMs } from '../../ui/format.ts'
import { formatCount, formatDuration, formatShare } from '../model/numbers.ts'
import { ratesOf, spanOf, valuesOf } from '../model/series.ts'
import type { Point } from '../model/server-data.ts'
import { Plot } from './Plot.tsx'

/** How the server did lately: up to a quarter of an hour. */
export function Plots({ points }: { readonly points: readonly Point[] }) {
  const perSecond = (value: number): string => `${formatCount(value)}/s`
  const spanMs = spanOf(points)
  return (
    <section class="lately" aria-labelledby="lately-title">
      <h2 id="lately-title">The last {formatDuration(spanMs)}</h2>
      <div class="plots">
        <Plot
          title="Members here"
          spanMs={spanMs}
          samples={valuesOf(points, ({ here }) => here)}
          format={formatCount}
        />
        <Plot title="Rooms" spanMs={spanMs} samples={valuesOf(points, ({ rooms }) => rooms)} format={formatCount} />
        <Plot title="Deliveries" spanMs={spanMs} samples={ratesOf(points, 'deliveriesTotal')} format={perSecond} />
        <Plot
          title="Payload relayed"
          spanMs={spanMs}
          samples={ratesOf(points, 'bytesTotal')}
          format={(value) => `${formatBytes(value)}/s`}
        />
        <Plot
          title="Event loop busy"
          spanMs={spanMs}
          samples={ratesOf(points, 'busySecondsTotal')}
          format={formatShare}
        />
        <Plot
          title="Event-loop delay, p99"
          spanMs={spanMs}
          samples={valuesOf(points, ({ eventLoopP99Ms }) => eventLoopP99Ms)}
          format={formatMs}
        />
        <Plot title="Frames dropped" spanMs={spanMs} samples={ratesOf(points, 'droppedTotal')} format={perSecond} />
        <Plot
          title="Memory"
          spanMs={spanMs}
          samples={valuesOf(points, ({ residentBytes }) => residentBytes)}
          format={formatBytes}
        />
      </div>
    </section>
  )
}
