import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** In units of 1,024 bytes. */
const LIMIT = 4_096

it.skipIf(process.platform === 'win32')(
  'a full disk refuses what is to be kept, and nothing else happens',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partyline-full-'))
    try {
      const child = fileURLToPath(new URL('./disk-full-child.ts', import.meta.url))
      const script = `ulimit -f ${LIMIT} && exec "$0" --import tsx "$1" "$2"`
      const args = ['-c', script, process.execPath, child, join(folder, 'history.mdb')]
      const { stdout } = await promisify(execFile)('bash', args)
      const { stored, there, ...rest } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>
      expect(rest).toEqual({ refused: 3, small: true })
      expect(stored).toBeGreaterThan(2)
      expect(there).toBe(100 * (stored ?? 0))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)
