import { readdirSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildTargets } from '../../signaling/setup/build.mjs'
import { importsOf } from './imports.ts'
import { TOP } from './tracked-files.ts'

/** The promise to those who load it over a phone's network, with simple-peer in it. The aim is 32 kB. */
const BUDGET_BYTES = 40_000

const folder = join(TOP, 'dist/client')

describe('the client bundle', () => {
  beforeAll(() => buildTargets({ only: ['client'] }))

  it('is one file', () => {
    expect(readdirSync(folder).sort()).toEqual(['partyline.js', 'partyline.js.map'])
  })

  it(`is at most ${BUDGET_BYTES / 1_000} kB gzipped`, () => {
    const bytes = gzipSync(readFileSync(join(folder, 'partyline.js'))).length
    console.log(`client bundle: ${(bytes / 1_000).toFixed(1)} kB gzipped of ${BUDGET_BYTES / 1_000} kB`)
    expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES)
  })

  it('imports nothing, save what it loads under Node, which it hides from bundlers for browsers', () => {
    const bundle = readFileSync(join(folder, 'partyline.js'), 'utf8')
    expect(importsOf('partyline.js', bundle).filter(({ kind }) => kind === 'value')).toEqual([])
    const visible = [...bundle.matchAll(/\bimport\(([^)]*)\)/g)].filter(
      ([call]) => !call.includes('webpackIgnore: true'),
    )
    expect(visible.map(([call]) => call)).toEqual([])
  })

  it.each([
    ['web/client/channel/procedure.ts', 'This procedure has a handler already'],
    ['web/client/paths/peer-connection.ts', 'closed by the other side'],
    ['node_modules/simple-peer/lite.js', 'Ice connection failed.'],
  ])('has a source map that leads to the line in %s', (path, text) => {
    const lines = readFileSync(join(folder, 'partyline.js'), 'utf8').split('\n')
    const line = lines.findIndex((candidate) => candidate.includes(text))
    const map = new SourceMap(JSON.parse(readFileSync(join(folder, 'partyline.js.map'), 'utf8')))
    const entry = map.findEntry(line, lines[line]?.indexOf(text) ?? -1)
    if (!('originalSource' in entry)) throw new Error(`${text} comes from nowhere`)
    expect(entry.originalSource.endsWith(path)).toBe(true)
    expect(readFileSync(join(TOP, path), 'utf8').split('\n')[entry.originalLine]).toContain(text)
  })
})
