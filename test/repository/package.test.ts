import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildTargets } from '../../signaling/setup/build.mjs'
import { packageCommand } from '../../signaling/setup/command.mjs'
import { TOP } from './tracked-files.ts'

const run = promisify(execFile)

/** The public names, and something that each must export for its five lines of TypeScript to mean anything. */
const consumers: Readonly<Record<string, string>> = {
  partyline: `
    import { joinRoom } from 'partyline'
    const room = joinRoom('lobby', { server: 'https://example.org', profile: { name: 'Ada' } })
    const chat = room.channel<string>('chat')
    const delivered: Promise<unknown> = chat.send('hello').delivered
    export { delivered }`,
  'partyline/server': `
    import * as server from 'partyline/server'
    export const names: string[] = Object.keys(server)`,
  'partyline/turn': `
    import * as turn from 'partyline/turn'
    export const names: string[] = Object.keys(turn)`,
}

describe('the package, installed in an empty project', () => {
  let project: string

  beforeAll(async () => {
    await buildTargets()
    project = await mkdtemp(join(tmpdir(), 'partyline-package-'))
    const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], { cwd: TOP })
    const [{ filename }]: [{ filename: string }] = JSON.parse(packed.stdout)
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(project, filename)], {
      cwd: project,
    })
  }, 240_000)

  afterAll(() => rm(project, { recursive: true, force: true }))

  it('exports the subpaths that are tested here', async () => {
    const { exports } = JSON.parse(await readFile(join(TOP, 'package.json'), 'utf8'))
    const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json')
    expect(subpaths.map((subpath) => subpath.replace(/^\./, 'partyline')).sort()).toEqual(Object.keys(consumers).sort())
  })

  for (const name of Object.keys(consumers)) {
    it(`${name} can be imported in Node`, async () => {
      const script = `console.log(JSON.stringify(Object.keys(await import('${name}'))))`
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: project })
      expect(JSON.parse(stdout)).not.toEqual([])
    })
  }

  for (const [name, source] of Object.entries(consumers)) {
    for (const resolution of ['bundler', 'nodenext']) {
      it(`${name} has types for strict TypeScript (${resolution})`, async () => {
        const file = join(project, `consumer-${resolution}.ts`)
        await writeFile(file, source)
        const options = {
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          target: 'es2022',
          module: resolution === 'bundler' ? 'esnext' : 'nodenext',
          moduleResolution: resolution,
          // The client's types need a browser's only; the server's need Node's.
          types: name === 'partyline' ? [] : ['node'],
          typeRoots: [join(TOP, 'node_modules/@types')],
        }
        await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: [file] }))
        const [command, args] = packageCommand('tsc', ['-p', join(project, 'tsconfig.json')])
        const checked = await run(command, args).catch((error: { stdout: string }) => error)
        expect(checked.stdout).toBe('')
      })
    }
  }

  it('brings the command `partyline`, with a --help', async () => {
    const { stdout } = await run(join(project, 'node_modules/.bin/partyline'), ['--help'], { cwd: project })
    expect(stdout).toContain('--port')
  })

  it('installs nothing of what is bundled', async () => {
    const lock: { packages: Record<string, unknown> } = JSON.parse(
      await readFile(join(project, 'package-lock.json'), 'utf8'),
    )
    const installed = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ''))
    const bundled = ['simple-peer', 'streamx', 'webrtc-polyfill', 'preact', 'debug', 'node-datachannel', 'vite']
    expect(bundled.filter((name) => installed.includes(name))).toEqual([])
  })
})
