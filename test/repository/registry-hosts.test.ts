import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repositoryFiles, TOP } from './tracked-files.ts'

/** Put together here, so that this file does not name them either. */
const PUBLIC_HOSTS = ['npmjs.org', 'npmjs.com', 'yarnpkg.com', 'npmmirror.com', 'jsr.io'].map(
  (host) => `registry.${host}`,
)

/** The one this machine installs from: often a mirror, whose name is nobody's business. */
function configuredHost(): string[] {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { cwd: TOP, encoding: 'utf8', stdio: 'pipe' })
  return [new URL(registry.trim()).host]
}

describe('package registries', () => {
  it('are named in no file', () => {
    const hosts = [...PUBLIC_HOSTS, ...configuredHost()]
    const naming = repositoryFiles().flatMap((path) => {
      const text = readFileSync(join(TOP, path), 'latin1')
      return hosts.filter((host) => text.includes(host)).map((host) => `${path} names ${host}`)
    })
    expect(naming).toEqual([])
  })
})
