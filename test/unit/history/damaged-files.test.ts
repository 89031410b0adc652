import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FileCells } from '../../../signaling/history/file-cells.ts'
import { damageOf } from '../../../signaling/history/lmdb-pages.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'

const CHILD = fileURLToPath(new URL('damaged-files-child.ts', import.meta.url))
const PAGE_BYTES = 4_096

let folder: string
let whole: string
let pages: number
let rows: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partyline-damaged-'))
  whole = join(folder, 'whole.mdb')
  const cells = await FileCells.open(whole)
  const random = new SeededRandom(5)
  const key = (n: number) => ['entry', n % 3, n] as const
  // Some are a part of a page, some take several; what goes away leaves a list of what is free.
  for (let n = 0; n < 400; n += 20) {
    const added = Array.from({ length: 20 }, (_, index) => {
      const value = new Uint8Array(random.chance(0.2) ? random.integer(4_000, 30_000) : random.integer(10, 900)).fill(n)
      return { key: key(n + index), value }
    })
    const gone = n < 100 ? [] : [0, 1, 2].map((index) => ({ key: key(n - 100 + index), value: undefined }))
    await cells.commit([...added, ...gone, { key: ['log', 1], value: new Uint8Array(100) }])
  }
  rows = cells.list('entry').length + cells.list('log').length
  await cells.close()
  pages = (await stat(whole)).size / PAGE_BYTES
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Outcome = { readonly refused?: string; readonly thrown?: string; readonly used?: number }

/** What another process, which LMDB may take down, makes of each; shorter than the list when it was. */
async function outcomesOf(paths: readonly string[]): Promise<Outcome[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.stdin.on('error', () => undefined)
  child.stdin.end(paths.map((path) => `${path}\n`).join(''))
  await ended
  return said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Outcome)
}

async function damaged(name: string, damage: (path: string) => Promise<void>): Promise<string> {
  const path = join(folder, `${name}.mdb`)
  await copyFile(whole, path)
  await damage(path)
  return path
}

const TO_DO = /cannot be used: .+\. Restore it, or move it away: the history then begins anew\.$/

it('a file of history that was cut short, wherever, is refused with what to do, and is left as it is', async () => {
  const lengths = [
    ...[0, 1, 100, 255, 256, 1_000, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, 2 * PAGE_BYTES],
    ...[0.1, 0.25, 0.5, 0.75, 0.9].map((part) => Math.floor(part * pages) * PAGE_BYTES),
    ...[0.3, 0.6].map((part) => Math.floor(part * pages * PAGE_BYTES)),
  ]
  const paths: string[] = []
  for (const length of lengths) paths.push(await damaged(`cut-${length}`, (path) => truncate(path, length)))
  const outcomes = await outcomesOf(paths)
  expect(outcomes).toEqual(lengths.map(() => ({ refused: expect.stringMatching(TO_DO) })))
  for (const [index, path] of paths.entries()) expect((await stat(path)).size).toBe(lengths[index])
}, 60_000)

it('a file of history with pages that are not what they should be ends nothing', async () => {
  const random = new SeededRandom(6)
  const paths: string[] = []
  for (let n = 0; n < 60; n += 1) {
    const page = n < 2 ? n : random.integer(2, pages)
    const noise = Buffer.alloc(PAGE_BYTES)
    if (n % 3 === 0) random.fill(noise)
    const other = n % 3 === 1 ? (await readFile(whole)).subarray(-PAGE_BYTES) : noise
    paths.push(
      await damaged(`page-${n}`, async (path) => {
        const file = await open(path, 'r+')
        await file.write(other, 0, PAGE_BYTES, page * PAGE_BYTES)
        await file.close()
      }),
    )
  }
  const outcomes = await outcomesOf(paths)
  expect(outcomes).toHaveLength(paths.length)
  // Pages that are free, or of a body, can be anything.
  for (const { refused, used } of outcomes)
    expect(refused === undefined ? used === rows : TO_DO.test(refused)).toBe(true)
  expect(outcomes.slice(0, 2).every(({ refused }) => refused !== undefined)).toBe(true)
  expect(outcomes.filter(({ refused }) => refused !== undefined).length).toBeGreaterThan(10)
}, 60_000)

it('a file of history that is sound is never taken for a damaged one, whatever was written and taken away', async () => {
  const path = join(folder, 'sound.mdb')
  const cells = await FileCells.open(path)
  const random = new SeededRandom(7)
  const keys: number[] = []
  for (let n = 0; n < 120; n += 1) {
    const grows = n % 40 < 20
    const changes = Array.from({ length: random.integer(1, 60) }, () => {
      const old = random.chance(grows ? 0.3 : 0.8)
        ? keys.splice(random.integer(0, Math.max(1, keys.length)), 1)[0]
        : undefined
      if (old !== undefined) return { key: ['entry', 1, old] as const, value: undefined }
      const key = random.integer(0, 1_000_000)
      keys.push(key)
      return {
        key: ['entry', 1, key] as const,
        value: new Uint8Array(random.integer(1, random.chance(0.3) ? 50_000 : 500)),
      }
    })
    await cells.commit(changes)
    expect(damageOf(path)).toBeUndefined()
  }
  await cells.close()
}, 60_000)

it('a file that holds something else is refused', async () => {
  const path = join(folder, 'other.mdb')
  await writeFile(path, 'x'.repeat(10_000))
  expect(damageOf(path)).toBe('it is no LMDB file')
  expect(damageOf(join(folder, 'not-there.mdb'))).toBeUndefined()
})
