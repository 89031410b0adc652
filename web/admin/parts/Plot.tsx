import { testIds } from '../../ui/test-ids.ts'
import { linePoints, type Sample, scaleTop } from '../model/series.ts'

export interface PlotProps {
  readonly title: string
  readonly samples: readonly Sample[]
  /** The time it shows. */
  readonly spanMs: number
  readonly format: (value: number) => string
}

const WIDTH = 300
const HEIGHT = 64

/** One line over time, with its newest value and its range in words. */
export function Plot({ title, samples, spanMs, format }: PlotProps) {
  const values = samples.map(({ value }) => value)
  const newest = values.at(-1)
  const top = scaleTop(samples)
  const line = linePoints(samples, { width: WIDTH, height: HEIGHT, spanMs, top })
  const range = newest === undefined ? '' : `${format(Math.min(...values))} to ${format(Math.max(...values))}`
  return (
    <figure class="plot" data-testid={testIds.adminPlot}>
      <figcaption>
        <span class="plot-title">{title}</span>
        <span class="plot-value">{newest === undefined ? '–' : format(newest)}</span>
      </figcaption>
      <div class="plot-area">
        <span class="plot-top" aria-hidden="true">
          {format(top)}
        </span>
        <svg
          viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={newest === undefined ? `${title}: nothing yet` : `${title}: now ${format(newest)}, was ${range}`}
        >
          <path class="plot-grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
          {samples.length > 1 && (
            <>
              <polygon class="plot-under" points={`${line} ${WIDTH},${HEIGHT} ${line.split(',')[0]},${HEIGHT}`} />
              <polyline class="plot-line" points={line} />
            </>
          )}
        </svg>
      </div>
    </figure>
  )
}
