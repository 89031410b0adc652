import { readdirSync, readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildTargets } from '../../signaling/setup/build.mjs'
import { importsOf } from './imports.ts'
import { TOP } from './tracked-files.ts'

/** The promise to those who load it over a phone's network: what it takes to join, and to talk by the relay, sealed. */
const FIRST_BYTES = 46_350
/** That, and what it takes to reach others directly, simple-peer among it, which is loaded beside joining. */
const BOTH_BYTES = 55_250
const FIRST = 'partyline.js'
const DIRECT = 'direct-paths.js'
/**
 * What only some need: a typed password, an identity, a way round a proxy that stops WebSockets, files, and a quicker way
 * for those that go far, digits to compare; or what is loaded later.
 */
const RARE = [
  'argon2.js',
  'http.js',
  'identity-store.js',
  'identity.js',
  'paths-beside.js',
  'room-claims.js',
  'room-history.js',
  'safety-number.js',
  'sealed-profile.js',
  'signed.js',
  'transfers.js',
]

const folder = join(TOP, 'dist/client')

describe('the client bundle', () => {
  beforeAll(() => buildTargets({ only: ['client'] }))

  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  const gzipped = (name: string): number => gzipSync(read(name)).length
  const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`

  it('is a file to join and talk by the relay, one to reach others directly, and some that few need', () => {
    const files = [FIRST, DIRECT, ...RARE]
    expect(readdirSync(folder).sort()).toEqual(files.flatMap((name) => [name, `${name}.map`]).sort())
  })

  it(`is at most ${kilobytes(FIRST_BYTES)} gzipped to join and talk, and ${kilobytes(BOTH_BYTES)} with direct paths`, () => {
    const first = gzipped(FIRST)
    const both = first + gzipped(DIRECT)
    console.log(`client bundle: ${kilobytes(first)} gzipped of ${kilobytes(FIRST_BYTES)}, with direct paths`)
    console.log(
      `${kilobytes(both)} of ${kilobytes(BOTH_BYTES)}; few need ${RARE.map((name) => `${name} ${kilobytes(gzipped(name))}`)}`,
    )
    expect(first).toBeLessThanOrEqual(FIRST_BYTES)
    expect(both).toBeLessThanOrEqual(BOTH_BYTES)
  })

  it('imports nothing but its own parts, when it needs them, and what it hides from bundlers for browsers', () => {
    for (const name of [FIRST, DIRECT]) {
      const bundle = read(name)
      // Nothing is fetched in turn: what is imported is imported when it is called for.
      expect(importsOf(name, bundle).filter(({ kind }) => kind === 'value')).toEqual([])
      const visible = [...bundle.matchAll(/\bimport\(([^)]*)\)/g)].filter(
        ([call, what]) => !call.includes('webpackIgnore: true') && !/^[`"']\.\//.test(what ?? ''),
      )
      expect(visible.map(([call]) => call)).toEqual([])
    }
  })

  it.each([
    [FIRST, 'web/client/channel/procedure.ts', 'This procedure has a handler already'],
    [DIRECT, 'web/client/paths/peer-connection.ts', 'closed by the other side'],
    [DIRECT, 'node_modules/simple-peer/lite.js', 'Ice connection failed.'],
  ])('has, in %s, a source map that leads to the line in %s', (name, path, text) => {
    const lines = read(name).split('\n')
    const line = lines.findIndex((candidate) => candidate.includes(text))
    const map = new SourceMap(JSON.parse(readFileSync(join(folder, `${name}.map`), 'utf8')))
    const entry = map.findEntry(line, lines[line]?.indexOf(text) ?? -1)
    if (!('originalSource' in entry)) throw new Error(`${text} comes from nowhere`)
    expect(entry.originalSource.endsWith(path)).toBe(true)
    expect(readFileSync(join(TOP, path), 'utf8').split('\n')[entry.originalLine]).toContain(text)
  })
})
