import type { Figure } from './figure.ts'

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  readonly title: string
  readonly xTitle: string
  readonly lines: readonly Line[]
}

const WIDTH = 460
const HEIGHT = 300
const MARGIN = { left: 64, right: 16, top: 40, bottom: 52 }
/** Told apart without colour, too: each line ends in its name. */
const COLOURS: Readonly<Record<string, string>> = {
  ours: '#0a6e5c',
  bare: '#6b6b6b',
  peerjs: '#b4560f',
  trystero: '#5b3fb0',
  ws: '#1a5fb4',
  'socket.io': '#a51d6f',
}

/** How cost grows with members and with the size of messages, of the figures that were measured for several. */
export function costPicture(figures: readonly Figure[]): string {
  const charts: Chart[] = [
    {
      title: 'Processor time of 10,000 messages, all members together (s)',
      xTitle: 'members',
      lines: linesOf(figures, 'processor time of 10,000', 'members', (value) => value),
    },
    {
      title: 'Processor time of one message, both sides together (µs)',
      xTitle: 'bytes of a message',
      lines: linesOf(figures, 'processor time of 100 MB', 'sizeBytes', (seconds, bytes) => (seconds * bytes) / 100),
    },
    {
      title: 'Time of one message on a pair of members (µs)',
      xTitle: 'bytes of a message',
      lines: linesOf(figures, 'throughput', 'sizeBytes', (megabytesPerSecond, bytes) => bytes / megabytesPerSecond),
    },
  ]
  return pictureOf('How cost grows with members, and with the size of messages', charts)
}

/** Charts side by side; those without lines are left out. */
export function pictureOf(title: string, charts: readonly Chart[]): string {
  const drawn = charts.filter(({ lines }) => lines.length > 0).map(draw)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${WIDTH * Math.max(1, drawn.length)} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<title>${title}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...drawn.map((chart, at) => `<g transform="translate(${at * WIDTH} 0)">${chart}</g>`),
    '</svg>',
    '',
  ].join('\n')
}

/** Of the figures whose names start so, a line of each contestant along what they were measured for. */
export function linesOf(
  figures: readonly Figure[],
  start: string,
  along: string,
  scale: (value: number, x: number) => number,
): Line[] {
  const lines = new Map<string, [number, number][]>()
  for (const { name, at, ours, bare, peers } of figures) {
    const x = at?.[along]
    if (!name.startsWith(start) || x === undefined) continue
    for (const [who, value] of Object.entries({ ours, bare, ...peers })) {
      if (value !== null) lines.set(who, [...(lines.get(who) ?? []), [x, scale(value, x)]])
    }
  }
  // One point is no line.
  return [...lines].filter(([, points]) => points.length > 1).map(([name, points]) => ({ name, points }))
}

/** Both axes are logarithmic: a straight line of slope 1 is a cost in proportion. */
function draw({ title, xTitle, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points)
  const x = scaleOf(
    points.map(([value]) => value),
    MARGIN.left,
    WIDTH - MARGIN.right - 40,
  )
  const y = scaleOf(
    points.map(([, value]) => value),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  )
  const marks = [...new Set(points.map(([value]) => value))]
  return [
    `<text x="${MARGIN.left}" y="20" font-size="12">${title}</text>`,
    ...marks.map(
      (value) => `<text x="${x(value)}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${short(value)}</text>`,
    ),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 12}" text-anchor="middle">${xTitle}</text>`,
    ...decades(points.map(([, value]) => value)).map(
      (value) =>
        `<path d="M${MARGIN.left} ${y(value)}H${WIDTH - MARGIN.right}" stroke="#ddd"/><text x="${MARGIN.left - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
    ),
    ...lines.map(({ name, points: own }) => {
      const colour = COLOURS[name] ?? '#000'
      return [
        `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${own.map(([a, b]) => `${x(a)},${y(b)}`).join(' ')}"/>`,
        ...own.map(([a, b]) => `<circle cx="${x(a)}" cy="${y(b)}" r="3" fill="${colour}"/>`),
      ].join('')
    }),
    ...apart(
      lines.map(({ name, points: own }) => ({ name, x: x(own.at(-1)?.[0] ?? 1), y: y(own.at(-1)?.[1] ?? 1) })),
    ).map(
      ({ name, x: endX, y: endY }) =>
        `<text x="${endX + 6}" y="${endY + 4}" fill="${COLOURS[name] ?? '#000'}">${name}</text>`,
    ),
  ].join('\n')
}

interface Label {
  readonly name: string
  readonly x: number
  readonly y: number
}

const LINE_HEIGHT = 12

/** Names at the same end, moved so far down that each can be read. */
function apart(labels: readonly Label[]): Label[] {
  const placed: Label[] = []
  for (const label of [...labels].sort((a, b) => a.y - b.y)) {
    const above = placed.filter((other) => other.x === label.x).map((other) => other.y + LINE_HEIGHT)
    placed.push({ ...label, y: Math.max(label.y, ...above) })
  }
  return placed
}

/** 16,384: 16K. */
const short = (value: number): string =>
  value > 0 && value % 1_024 === 0 ? `${value / 1_024}K` : value.toLocaleString('en', { notation: 'compact' })

function scaleOf(values: readonly number[], from: number, to: number): (value: number) => number {
  const low = Math.log10(Math.min(...values))
  const high = Math.log10(Math.max(...values))
  return (value) => Number((from + ((Math.log10(value) - low) / (high - low || 1)) * (to - from)).toFixed(1))
}

/** 1, 2 and 5 times powers of ten, as far as they lie between the values. */
function decades(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const found: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of high / low > 100 ? [1] : [1, 2, 5]) {
      const value = Number((factor * 10 ** power).toPrecision(1))
      if (value >= low && value <= high) found.push(value)
    }
  }
  return found
}
