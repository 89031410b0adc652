import { formatMs } from '../../ui/format.ts'
import { testIds } from '../../ui/test-ids.ts'
import { plotStretches, type RoundTripSample, scaleTop } from '../model/round-trips.ts'

const WIDTH = 320
const HEIGHT = 72

/** Round-trip times of the last two minutes; the colour is the path's, which the text below the plot names. */
export function RoundTripPlot({ samples }: { readonly samples: readonly RoundTripSample[] }) {
  const measured = samples.flatMap((sample) => sample.rttMs ?? [])
  const newest = measured.at(-1)
  const stretches = plotStretches(samples)
  const words =
    newest === undefined
      ? 'No round trip measured yet'
      : `Round trip now ${formatMs(newest)}, from ${formatMs(Math.min(...measured))} to ${formatMs(Math.max(...measured))} in the last two minutes`
  return (
    <figure class="plot" data-testid={testIds.roundTripPlot}>
      <div class="plot-area">
        <span class="plot-scale">{formatMs(scaleTop(samples))}</span>
        <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" role="img" aria-label={words}>
          <path class="plot-grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
          {stretches.map((stretch, index) => (
            <polyline
              key={index}
              class={`plot-line plot-${stretch.path}`}
              points={stretch.points.map(({ x, y }) => `${x * WIDTH},${HEIGHT - y * HEIGHT}`).join(' ')}
            />
          ))}
        </svg>
      </div>
      <figcaption>{words}</figcaption>
    </figure>
  )
}
