import { readFileSync } from 'node:fs'
import { LIMITS } from '../../../signaling/protocol/index.ts'

const ROOT = new URL('../../../', import.meta.url)

/** Products, quotients, sums and differences, from left to right with the usual precedence. */
function calculate(expression: string, numberOf: (name: string) => number): number {
  const sum = expression.split(/(?<=[\w\s])\s*([+-])\s+/)
  let total = 0
  for (let index = 0; index < sum.length; index += 2) {
    const value = product(sum[index] ?? '', numberOf)
    total += sum[index - 1] === '-' ? -value : value
  }
  return total
}

function product(expression: string, numberOf: (name: string) => number): number {
  const parts = expression.split(/([*/])/)
  let value = 1
  for (let index = 0; index < parts.length; index += 2) {
    const operand = atom((parts[index] ?? '').trim(), numberOf)
    value = parts[index - 1] === '/' ? value / operand : value * operand
  }
  return value
}

function atom(text: string, numberOf: (name: string) => number): number {
  if (/^\d[\d_]*$/.test(text)) return Number(text.replaceAll('_', ''))
  return numberOf(text)
}

/**
 * The number that a source file gives the name: `const NAME = 64`, `NAME: 1_024`, `{ NAME = 16 }`, products and sums of
 * numbers, `LIMITS.…` and names of the same file. A dotted name is looked for part after part.
 */
export function sourceNumber(path: string, name: string): number {
  let rest = readFileSync(new URL(path, ROOT), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  const parts = name.split('.')
  const last = parts.pop() ?? ''
  for (const part of parts) {
    const at = rest.search(new RegExp(`\\b${part}\\s*:`))
    if (at < 0) throw new Error(`${path} has no ${part}`)
    rest = rest.slice(at)
  }
  // `=` where it is given, or `:` and a number: a type that mentions the name has none.
  const found = new RegExp(`\\b${last}\\s*(?:=|:(?=\\s*\\d))\\s*([\\w.][\\w.\\s*/+-]*)`).exec(rest)?.[1]
  if (found === undefined) throw new Error(`${path} gives ${name} no number`)
  const [expression = ''] = found.split('\n')
  return calculate(expression.trim(), (other) => {
    if (!other.startsWith('LIMITS.')) return sourceNumber(path, other)
    const value: unknown = Reflect.get(LIMITS, other.slice('LIMITS.'.length))
    if (typeof value !== 'number') throw new Error(`${path}: ${name} uses ${other}, which is no limit`)
    return value
  })
}
