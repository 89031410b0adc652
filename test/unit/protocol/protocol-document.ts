import { readFileSync } from 'node:fs'

/** PROTOCOL.md as its tests read it. */
export const PROTOCOL_TEXT = readFileSync(new URL('../../../signaling/protocol/PROTOCOL.md', import.meta.url), 'utf8')

/** The fenced examples whose first line is ``` and `info`, in their order. */
export function examples(info: string): string[] {
  const fences = PROTOCOL_TEXT.matchAll(/^```(.+)\n([^`]*)^```$/gm)
  return [...fences].filter(([, label]) => label === info).map(([, , body = '']) => body)
}

/** The rows, as trimmed cells, of the table whose first column is headed `first`; its head and rule are left out. */
export function tableRows(first: string): string[][] {
  const lines = PROTOCOL_TEXT.split('\n')
  const head = lines.findIndex((line) => line.startsWith(`| ${first} |`))
  if (head < 0) throw new Error(`PROTOCOL.md has no table headed ${first}`)
  const body = lines.slice(head + 2)
  const end = body.findIndex((line) => !line.startsWith('|'))
  return body.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim()),
  )
}
