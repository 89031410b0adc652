import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { accessFromOptions } from '../../../signaling/access/from-options.ts'
import { OptionsError } from '../../../signaling/options/errors.ts'
import { parseServerOptions } from '../../../signaling/options/parse.ts'
import type { ServerOptionsInput } from '../../../signaling/options/table.ts'

const SECRET = 'a secret without spaces'.replaceAll(' ', '-').padEnd(40, 'x')

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function chosen(options: ServerOptionsInput): { readonly asks: boolean; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const silent = (): void => undefined
  const log = { debug: silent, info: silent, error: silent, warn: (_: object, text: string) => warnings.push(text) }
  const access = accessFromOptions(parseServerOptions(options), log)
  return { asks: access !== undefined, warnings }
}

describe('access by options', () => {
  it.each([undefined, '0.0.0.0', '192.0.2.7', 'rooms.example'])('is open, and says so, at host %s', (host) => {
    const { asks, warnings } = chosen({ host })
    expect(asks).toBe(false)
    expect(warnings).toEqual([expect.stringMatching(/^access is open.*--access/)])
  })

  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1'])(
    'is open without a word where only this machine comes: %s',
    (host) => {
      expect(chosen({ host })).toEqual({ asks: false, warnings: [] })
    },
  )

  it('is by token when asked for', () => {
    expect(chosen({ access: 'token', accessSecret: [SECRET] })).toEqual({ asks: true, warnings: [] })
    expect(chosen({ access: 'token', accessJwks: 'https://id.example/keys' })).toEqual({ asks: true, warnings: [] })
  })

  it.each([
    [{ access: 'token' }],
    [{ access: 'token', accessSecret: [SECRET], accessJwks: 'https://id.example/keys' }],
    [{ access: 'token', accessPublicKey: '/nowhere/key.pem' }],
    // Forgetting --access token would leave a server open that was meant to be shut.
    [{ accessSecret: [SECRET] }],
    [{ accessJwks: 'https://id.example/keys' }],
    [{ accessAudience: ['rooms'] }],
    [{ access: 'token', accessSecret: ['short'] }],
    [{ access: 'token', accessJwks: 'http://id.example/keys' }],
  ] as const)('is refused when it cannot be meant: %j', (options) => {
    expect(() => chosen(options as ServerOptionsInput)).toThrow(OptionsError)
  })

  it('names the file that holds no key', () => {
    const folder = mkdtempSync(join(tmpdir(), 'partyline-access-'))
    folders.push(folder)
    const path = join(folder, 'key.pem')
    writeFileSync(path, 'rubbish')
    expect(() => chosen({ access: 'token', accessPublicKey: path })).toThrow(path)
  })
})
