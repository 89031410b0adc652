import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PeerId } from '../../../signaling/protocol/ids.ts'
import { MemoryDepartures } from '../../../signaling/sessions/departures.ts'
import { FileDepartures } from '../../../signaling/sessions/departures-file.ts'

const peer = (number: number): PeerId => number.toString(16).padStart(16, '0') as PeerId

describe('departures in memory', () => {
  it('are known until their time', () => {
    const departures = new MemoryDepartures()
    departures.add(peer(1), 1_000)
    expect(departures.has(peer(1), 999)).toBe(true)
    expect(departures.has(peer(2), 999)).toBe(false)
    expect(departures.has(peer(1), 1_000)).toBe(false)
    expect(departures.size).toBe(0)
  })

  it('are bounded: the oldest are forgotten first', () => {
    const departures = new MemoryDepartures(2)
    for (const number of [1, 2, 1, 3]) departures.add(peer(number), 1_000)
    expect([1, 2, 3].map((number) => departures.has(peer(number), 0))).toEqual([true, false, true])
  })
})

describe('departures in a file', () => {
  let folder: string
  let path: string
  let nowMs: number
  let failures: unknown[]
  const open = (most?: number): FileDepartures =>
    new FileDepartures(path, { nowMs: () => nowMs, failed: (error) => failures.push(error) }, most)

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'departures-'))
    path = join(folder, 'departures')
    nowMs = 0
    failures = []
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('are there after the process died without a word', () => {
    open().add(peer(1), 1_000)
    const next = open()
    expect(next.has(peer(1), 0)).toBe(true)
    expect(next.has(peer(2), 0)).toBe(false)
    next.add(peer(2), 1_000)
    expect(open().has(peer(2), 0)).toBe(true)
  })

  it('are not lost when another server opens the same folder, or rewrites the file', () => {
    const first = open()
    first.add(peer(1), 1_000)
    // A second start that finds the port taken.
    open().close()
    first.add(peer(2), 1_000)
    const second = open()
    first.add(peer(3), 1_000)
    for (let number = 10; number < 5_000; number += 1) second.add(peer(number), 0)
    first.add(peer(4), 1_000)
    const next = open()
    expect([1, 2, 3, 4].map((number) => next.has(peer(number), 0))).toEqual([true, true, true, true])
  })

  it('survive a torn last line, and foreign ones', () => {
    const first = open()
    first.add(peer(1), 1_000)
    first.close()
    appendFileSync(path, `nonsense\n${peer(2)} 12`)
    nowMs = 13
    const next = open()
    next.add(peer(3), 1_000)
    next.close()
    const last = open()
    expect([1, 2, 3].map((number) => last.has(peer(number), nowMs))).toEqual([true, false, true])
    expect(readFileSync(path, 'utf8')).toBe(`${peer(1)} 1000\n${peer(3)} 1000\n`)
    expect(statSync(path).mode & 0o077).toBe(0)
  })

  it('stay small: what has run out is written away', () => {
    const departures = open()
    for (let number = 0; number < 20_000; number += 1) {
      nowMs = number
      departures.add(peer(number), number + 100)
    }
    expect(statSync(path).size).toBeLessThan(5_000 * 25)
    expect(departures.has(peer(19_999), nowMs)).toBe(true)
    expect(open().has(peer(19_950), nowMs)).toBe(true)
  })

  it('go on in memory when the disk refuses, and say so once', () => {
    const departures = open()
    departures.add(peer(1), 1_000)
    rmSync(folder, { recursive: true })
    for (let number = 2; number < 5_000; number += 1) departures.add(peer(number), number < 4_000 ? 1 : 1_000)
    nowMs = 2
    for (let number = 5_000; number < 12_000; number += 1) departures.add(peer(number), 1_000)
    expect(failures.length).toBeLessThanOrEqual(1)
    expect(departures.has(peer(11_999), 2)).toBe(true)
    writeFileSync(join(mkdtempSync(join(tmpdir(), 'departures-')), 'x'), '')
    folder = mkdtempSync(join(tmpdir(), 'departures-'))
  })

  it('cannot be opened where there is no folder', () => {
    path = join(folder, 'missing', 'departures')
    expect(() => open()).toThrow('ENOENT')
  })
})
