import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { CellKey } from '../../../signaling/history/cells.ts'
import { FileCells, HistoryFileError } from '../../../signaling/history/file-cells.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

async function path(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'partyline-cells-'))
  undo.push(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'history.mdb')
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString()

it('keeps rows of all keys that there are, and lists them by table and group', async () => {
  const cells = await FileCells.open(await path())
  undo.push(() => cells.close())
  const keys: CellKey[] = [
    ['log', 1],
    ['log', 20],
    ['entry', 1, 1],
    ['entry', 1, 300],
    ['entry', 10, 1],
    ['entry', 2, 2 ** 40],
    ['position', 1, '~e4.'],
    ['position', 1, '}'],
    ['writer', 'f'.repeat(32)],
  ]
  await cells.commit(keys.map((key) => ({ key, value: bytes(JSON.stringify(key)) })))
  for (const key of keys) expect(text(cells.get(key))).toBe(JSON.stringify(key))
  const listed = (...of: Parameters<FileCells['list']>): number => cells.list(...of).length
  expect([
    listed('log'),
    listed('entry', 1),
    listed('entry', 10),
    listed('position', 1),
    listed('writer'),
    listed('x'),
  ]).toEqual([2, 2, 1, 2, 1, 0])
  await cells.commit([
    { key: ['entry', 1, 1], value: undefined },
    { key: ['entry', 1, 2], value: undefined },
    { key: ['log', 1], value: bytes('') },
  ])
  expect([text(cells.get(['entry', 1, 1])), text(cells.get(['log', 1])), listed('entry', 1)]).toEqual([
    undefined,
    '',
    1,
  ])
})

it('is readable by its owner alone', async () => {
  const file = await path()
  const cells = await FileCells.open(file)
  undo.push(() => cells.close())
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

it('says what to do about a file that is none', async () => {
  const file = await path()
  await writeFile(file, 'x'.repeat(10_000))
  await expect(FileCells.open(file)).rejects.toThrow(HistoryFileError)
  await expect(FileCells.open(file)).rejects.toThrow(/Restore it, or move it away/)
})

it('is of one process at a time, however that ends', async () => {
  const file = await path()
  const script = `const { open } = await import('lmdb')
    open({ path: process.argv[1], encoding: 'binary', overlappingSync: false, noSubdir: true }).get(['x'])
    console.log('open')
    setInterval(() => undefined, 1000)`
  const other = spawn(process.execPath, ['--input-type=module', '-e', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  undo.push(() => other.kill('SIGKILL'))
  await once(other.stdout, 'data')
  await expect(FileCells.open(file)).rejects.toThrow(`process ${other.pid} has it open`)
  const ended = once(other, 'exit')
  other.kill('SIGKILL')
  await ended
  await (await FileCells.open(file)).close()
})

it('is of one server at a time where all have the same process id, as in containers', async () => {
  const file = await path()
  const script = `const { createServer } = await import('node:net')
    createServer().listen(process.argv[1], () => console.log('listens'))`
  const other = spawn(process.execPath, ['--input-type=module', '-e', script, `${file}.socket`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  undo.push(() => other.kill('SIGKILL'))
  await once(other.stdout, 'data')
  const refused = FileCells.open(file)
  await expect(refused).rejects.toThrow('another server has it open')
  await expect(refused).rejects.not.toThrow('move it away')
  const ended = once(other, 'exit')
  other.kill('SIGKILL')
  await ended
  // What a killed one leaves there is in nobody's way.
  const cells = await FileCells.open(file)
  await expect(FileCells.open(file)).rejects.toThrow('another server has it open')
  await cells.close()
  await (await FileCells.open(file)).close()
})

it('is of the one who has it while that one is too busy to answer', async () => {
  const file = await path()
  const script = `const { createServer } = await import('node:net')
    createServer().listen({ path: process.argv[1], backlog: 1 }, () => console.log('listens'))`
  const other = spawn(process.execPath, ['--input-type=module', '-e', script, `${file}.socket`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  undo.push(() => other.kill('SIGKILL'))
  await once(other.stdout, 'data')
  other.kill('SIGSTOP')
  const refused = await new Promise<string | undefined>((resolve) => {
    const fill = (): void => {
      const socket = connect(`${file}.socket`, fill)
      socket.once('error', (error) => resolve('code' in error ? String(error.code) : undefined))
      undo.push(() => socket.destroy())
    }
    fill()
  })
  expect(refused).toBe('EAGAIN')
  await expect(FileCells.open(file)).rejects.toThrow('another server has it open')
})

it('says what to do about a lock that cannot be taken away', async () => {
  const file = await path()
  await mkdir(`${file}.socket`)
  await expect(FileCells.open(file)).rejects.toThrow(HistoryFileError)
})

it('can be opened where there can be no socket beside it', async () => {
  const file = await path()
  const long = join(dirname(file), 'x'.repeat(200))
  const cells = await FileCells.open(long)
  // A socket of as much of the name as fits would stay there.
  expect((await readdir(dirname(file))).sort()).toEqual([basename(long), `${basename(long)}-lock`])
  await cells.commit([{ key: ['log', 1], value: bytes('kept') }])
  expect(text(cells.get(['log', 1]))).toBe('kept')
  await cells.close()
})
