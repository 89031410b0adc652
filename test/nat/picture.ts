/** Pictures for the documentation, as SVG: legible on white and on black, without scripts or fonts of their own. */
import { NAT_KINDS } from './lab/nat-kinds.ts'
import type { PairResult } from './pairs.test.ts'

const COLOURS: Readonly<Record<string, string>> = { direct: '#2e9d5b', turn: '#d08a1d', relay: '#3b7dd8' }
const CELL = { width: 112, height: 44 }
const LEFT = 140
const TOP = 96

interface Box {
  readonly x: number
  readonly y: number
  readonly fill: string
  readonly lines: readonly string[]
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

export const label = (x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end', fill = '#888'): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}">${escaped(text)}</text>`

function cell({ x, y, fill, lines }: Box): string {
  const middle = x + CELL.width / 2
  return [
    `<rect x="${x + 1}" y="${y + 1}" width="${CELL.width - 2}" height="${CELL.height - 2}" rx="4" fill="${fill}"/>`,
    ...lines.map((line, index) => label(middle, y + 18 + index * 16, line, 'middle', '#fff')),
  ].join('')
}

export function drawing(title: string, width: number, height: number, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`
  return `${[head, `<title>${escaped(title)}</title>`, ...parts, '</svg>'].join('\n')}\n`
}

/** A matrix: the final path of each pair, and how long after joining both were on it. */
export function pairPicture(results: readonly PairResult[]): string {
  const title = 'Final path of each pair of networks, and ms from joinRoom() until both are on it'
  const parts = [label(LEFT, 20, title, 'start')]
  for (const [index, path] of Object.keys(COLOURS).entries()) {
    const x = LEFT + index * 90
    parts.push(`<rect x="${x}" y="32" width="12" height="12" rx="2" fill="${COLOURS[path]}"/>`)
    parts.push(label(x + 18, 42, path, 'start'))
  }
  const columns = ['the same', ...NAT_KINDS]
  for (const [index, kind] of columns.entries()) {
    parts.push(label(LEFT + (index + 0.5) * CELL.width, TOP - 10, kind, 'middle'))
  }
  for (const [row, kind] of NAT_KINDS.entries()) {
    parts.push(label(LEFT - 8, TOP + (row + 0.6) * CELL.height, kind, 'end'))
    for (const result of results) {
      const column = result.together && result.a === kind ? 0 : 1 + columnOf(result, kind)
      if (column < 0) continue
      const { finalPaths, upgradeMs } = result
      const path = finalPaths[0] ?? 'none'
      const x = LEFT + column * CELL.width
      const lines = [path, upgradeMs === undefined ? 'from the start' : `${upgradeMs} ms`]
      parts.push(cell({ x, y: TOP + row * CELL.height, fill: COLOURS[path] ?? '#c33', lines }))
    }
  }
  return drawing(title, LEFT + columns.length * CELL.width + 8, TOP + NAT_KINDS.length * CELL.height + 8, parts)
}

/** The column of this pair in the row of this kind; both halves of the matrix are drawn. */
function columnOf({ a, b, together }: PairResult, kind: string): number {
  if (together) return -2
  if (a === kind) return NAT_KINDS.indexOf(b)
  return b === kind ? NAT_KINDS.indexOf(a) : -2
}
