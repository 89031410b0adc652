import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { tableRows } from '../unit/protocol/protocol-document.ts'

const FOLDER = new URL('.', import.meta.url)
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.test.ts') && name !== 'document.test.ts')
const rows = tableRows('hostile').map(([input = '', answer = '', heldBy = '']) => {
  const [, file = '', title = ''] = /^`([\w.-]+)` (.+)$/.exec(heldBy) ?? []
  return { input, answer, file, title }
})

it.each(rows)('PROTOCOL.md has an answer to $input, and a test that holds it', ({ answer, file, title }) => {
  expect(answer).not.toBe('')
  expect(files).toContain(file)
  expect(readFileSync(new URL(file, FOLDER), 'utf8')).toContain(title)
})

it('PROTOCOL.md names every file of hostile tests', () => {
  expect([...new Set(rows.map(({ file }) => file))].sort()).toEqual(files.sort())
})
