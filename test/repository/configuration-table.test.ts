import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { flagName, OPTION_KEYS } from '../../signaling/options/table.ts'
import { configurationTable } from '../support/configuration-table.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const section = readme.split(/^## /m).find((part) => part.startsWith('Configuration\n')) ?? ''

/** The flags in the first column of the section's tables. */
const shownFlags = section.split('\n').flatMap((line) => /^\| `(--[a-z-]+)/.exec(line)?.[1] ?? [])

test('the README has a row for every option, in their order, and none that does not exist', () => {
  expect(shownFlags).toEqual(OPTION_KEYS.map(flagName))
})

test('the rows say what the options say today (npx tsx test/support/configuration-table.ts writes them)', () => {
  expect(section).toContain(configurationTable())
})
