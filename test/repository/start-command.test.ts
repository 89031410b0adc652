import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildTargets } from '../../signaling/setup/build.mjs'
import { freePort } from '../support/free-port.ts'
import { TOP } from './tracked-files.ts'

describe('npm start', () => {
  let dataFolder: string
  let npm: ChildProcess | undefined

  beforeEach(async () => {
    await buildTargets()
    dataFolder = await mkdtemp(join(tmpdir(), 'partyline-start-'))
  })

  afterEach(async () => {
    // Its own process group, so that nothing below npm outlives a failed test.
    if (npm?.pid !== undefined && npm.exitCode === null) process.kill(-npm.pid, 'SIGKILL')
    await rm(dataFolder, { recursive: true, force: true })
  })

  const answers = async (port: number): Promise<boolean> =>
    fetch(`http://localhost:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )

  // npm passes SIGTERM to the shell it runs scripts under; the shell dies of it and leaves its child alone.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`serves with the options after --, and ends with 0 on ${signal}, the server too`, async () => {
      const port = await freePort()
      npm = spawn('npm', ['start', '--', '--port', String(port), '--data-folder', dataFolder], {
        cwd: TOP,
        stdio: 'ignore',
        detached: true,
      })
      const exited = once(npm, 'exit')
      await expect.poll(() => answers(port), { timeout: 60_000 }).toBe(true)
      npm.kill(signal)
      expect(await exited).toEqual([0, null])
      expect(await answers(port)).toBe(false)
    })
  }
})
