import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { helpText } from '../../../signaling/options/help.ts'
import { parseCommandLine, parseServerOptions } from '../../../signaling/options/parse.ts'
import { environmentName, flagName, OPTION_KEYS } from '../../../signaling/options/table.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function configFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'partyline-options-'))
  folders.push(folder)
  const path = join(folder, 'partyline.json')
  writeFileSync(path, content)
  return path
}

const read = (args: string[], environment: Record<string, string> = {}) => parseCommandLine(args, environment).options()

describe('options', () => {
  it('have defaults', () => {
    expect(parseServerOptions()).toMatchObject({
      port: 8_080,
      graceMs: 20_000,
      engine: 'auto',
      origins: [],
      basePath: '/',
    })
  })

  it('come from flags before the environment before the file', () => {
    const config = configFile('{ "port": 1, "graceMs": 1, "membersPerRoom": 1, "origins": ["https://a.example"] }')
    const options = read(['--config', config, '--port', '3'], { PARTYLINE_PORT: '2', PARTYLINE_GRACE_MS: '2' })
    expect(options).toMatchObject({ port: 3, graceMs: 2, membersPerRoom: 1, origins: ['https://a.example'] })
  })

  it('take PORT, and PARTYLINE_PORT before it', () => {
    expect(read([], { PORT: '9000' }).port).toBe(9_000)
    expect(read([], { PORT: '9000', PARTYLINE_PORT: '9001' }).port).toBe(9_001)
  })

  it('take an empty variable for one that is not set', () => {
    expect(read([], { PORT: '', PARTYLINE_CONFIG: '' }).port).toBe(8_080)
  })

  it('take lists by commas and by repetition', () => {
    const args = ['--origins', 'https://a.example,https://b.example', '--origins=https://c.example']
    expect(read(args).origins).toEqual(['https://a.example', 'https://b.example', 'https://c.example'])
  })

  it('take switches with and without a value', () => {
    expect(read(['--turn-allow-private-peers']).turnAllowPrivatePeers).toBe(true)
    expect(read(['--turn-allow-private-peers=false']).turnAllowPrivatePeers).toBe(false)
    expect(read([], { PARTYLINE_TURN_ALLOW_PRIVATE_PEERS: 'yes' }).turnAllowPrivatePeers).toBe(true)
  })

  it.each([
    [['--port', '70000'], {}, /^--port: expected a whole number from 0 to 65,535, got "70000"$/],
    [['--prot', '1'], {}, /^--prot: no such option; did you mean --port\?$/],
    [['--port'], {}, /^--port: expected a value/],
    [['--engine', 'fast'], {}, /^--engine: expected one of auto, uws, ws/],
    [[], { PARTYLINE_GRACE_MS: 'long' }, /^PARTYLINE_GRACE_MS: expected a whole number from 0 to/],
    [['--origins', 'example.org'], {}, /^--origins: expected origins such as/],
    [['--trusted-proxies', '10.0.0.0/99'], {}, /^--trusted-proxies: expected addresses, CIDR/],
    [['--tls-cert', 'a.pem'], {}, /^--tls-cert and --tls-key: give both/],
    [['--frame-bytes', '300000'], {}, /^--packet-bytes: expected at least 316,384/],
    [['--turn-servers', 'turn.example'], {}, /^--turn-secret: needed/],
    [['--config', '/does/not/exist'], {}, /^\/does\/not\/exist: cannot be read as JSON/],
  ])('name the bad one: %j', (args, environment, message) => {
    expect(() => read(args, environment as Record<string, string>)).toThrow(message)
  })

  it('name a bad key of the file', () => {
    expect(() => read(['--config', configFile('{ "gracems": 1 }')])).toThrow(
      /"gracems" in .*: no such option; did you mean graceMs\?/,
    )
    expect(() => read(['--config', configFile('{ "graceMs": "1" }')])).toThrow(
      /"graceMs" in .*: expected a whole number/,
    )
    expect(() => read(['--config', configFile('[]')])).toThrow(/expected one JSON object/)
  })

  it('do not show secrets in messages', () => {
    expect(() => read(['--signing-key', 'hunter2'])).toThrow(/^--signing-key: (?!.*hunter2)/)
  })

  it('all stand in the help with flag and environment name', () => {
    const help = helpText()
    for (const key of OPTION_KEYS) {
      expect(help).toContain(flagName(key))
      expect(help).toContain(environmentName(key))
    }
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(130)
  })

  it('leave the command and --help alone', () => {
    expect(parseCommandLine(['turn-config', '--turn-port', '3479'], {}).command).toBe('turn-config')
    expect(parseCommandLine(['-h'], { PARTYLINE_PORT: 'nonsense' }).help).toBe(true)
  })
})
