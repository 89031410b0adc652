import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { OptionsError } from './errors.ts'
import { formatNumber, INVALID } from './kinds.ts'
import {
  environmentName,
  flagName,
  OPTION_KEYS,
  type OptionKey,
  optionEntry,
  type ServerOptions,
  type ServerOptionsInput,
} from './table.ts'

type Values = Partial<Record<OptionKey, unknown>>
type Environment = Readonly<Record<string, string | undefined>>

const isKey = (key: string): key is OptionKey => (OPTION_KEYS as readonly string[]).includes(key)

/** The most similar of the names, when it is similar enough to have been meant. */
function nearest(name: string, names: readonly string[]): string {
  const letters = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '')
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, index) => index)
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i]
      for (let j = 1; j <= b.length; j += 1) {
        const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
        next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted))
      }
      row = next
    }
    return row[b.length] ?? 0
  }
  const ranked = names.map((one) => ({ one, far: distance(letters(name), letters(one)) })).sort((a, b) => a.far - b.far)
  const [best] = ranked
  return best !== undefined && best.far <= 3 ? `; did you mean ${best.one}?` : ''
}

function fromText(key: OptionKey, source: string, text: string): unknown {
  const { kind, secret } = optionEntry(key)
  const value = kind.fromText(text)
  if (value !== INVALID) return value
  throw new OptionsError(key, source, `expected ${kind.expects}${secret ? '' : `, got ${JSON.stringify(text)}`}`)
}

/** As JSON where that can be. */
function shown(given: unknown): string {
  try {
    return JSON.stringify(given) ?? String(given)
  } catch {
    return String(given)
  }
}

function fromValues(input: Readonly<Record<string, unknown>>, source: (key: string) => string): Values {
  const values: Values = {}
  for (const [key, given] of Object.entries(input)) {
    if (given === undefined) continue
    if (!isKey(key)) throw new OptionsError(key, source(key), `no such option${nearest(key, OPTION_KEYS)}`)
    const { kind, secret } = optionEntry(key)
    const value = kind.fromValue(given)
    if (value === INVALID) {
      const got = secret ? '' : `, got ${shown(given)}`
      throw new OptionsError(key, source(key), `expected ${kind.expects}${got}`)
    }
    values[key] = value
  }
  return values
}

function fromEnvironment(environment: Environment): Values {
  const values: Values = {}
  for (const key of OPTION_KEYS) {
    for (const name of [optionEntry(key).alsoEnvironment, environmentName(key)]) {
      const text = name === undefined ? undefined : environment[name]
      // An empty variable is how compose files and unit files say "not set".
      if (name !== undefined && text !== undefined && text !== '') values[key] = fromText(key, name, text)
    }
  }
  return values
}

interface Flags {
  readonly values: Values
  readonly config: string | undefined
  readonly help: boolean
  readonly version: boolean
  readonly positionals: readonly string[]
}

const OWN_FLAGS = ['--config', '--help', '--version']

function fromFlags(args: readonly string[]): Flags {
  const flags = new Map(OPTION_KEYS.map((key) => [flagName(key).slice(2), key] as const))
  const isSwitch = (key: OptionKey): boolean => optionEntry(key).kind.placeholder === ''
  const { tokens, positionals } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
      ...Object.fromEntries([...flags].map(([name, key]) => [name, { type: isSwitch(key) ? 'boolean' : 'string' }])),
    },
  })
  const values: Values = {}
  let config: string | undefined
  let help = false
  let version = false
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const key = flags.get(token.name)
    if (token.name === 'help') help = true
    else if (token.name === 'version') version = true
    else if (token.name !== 'config' && key === undefined) {
      const known = [...OPTION_KEYS.map(flagName), ...OWN_FLAGS]
      throw new OptionsError(token.name, token.rawName, `no such option${nearest(token.name, known)}`)
    } else if (token.value === undefined && (key === undefined || !isSwitch(key))) {
      const expects = key === undefined ? 'the path of a JSON file' : optionEntry(key).kind.expects
      throw new OptionsError(key ?? token.name, token.rawName, `expected a value: ${expects}`)
    } else if (key === undefined) config = token.value
    else {
      const value = fromText(key, token.rawName, token.value ?? '')
      const earlier = values[key]
      values[key] = Array.isArray(value) && Array.isArray(earlier) ? [...earlier, ...value] : value
    }
  }
  return { values, config, help, version, positionals }
}

function fromFile(path: string): Values {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new OptionsError('config', path, `cannot be read as JSON: ${why}`, { cause: error })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new OptionsError('config', path, 'expected one JSON object')
  }
  return fromValues(content as Readonly<Record<string, unknown>>, (key) => `"${key}" in ${path}`)
}

/** A packet must hold an envelope with its largest list of receivers. */
const ENVELOPE_ROOM_BYTES = 16_384

function complete(values: Values): ServerOptions {
  const options = Object.fromEntries(
    OPTION_KEYS.map((key) => [key, values[key] ?? optionEntry(key).fallback]),
  ) as unknown as ServerOptions
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined)) {
    throw new OptionsError('tlsKey', '--tls-cert and --tls-key', 'give both or none')
  }
  if (options.tlsCert !== undefined && options.tls === 'self-signed') {
    throw new OptionsError('tls', '--tls self-signed', 'cannot be had together with --tls-cert')
  }
  if ((options.turnTlsCert === undefined) !== (options.turnTlsKey === undefined)) {
    throw new OptionsError('turnTlsKey', '--turn-tls-cert and --turn-tls-key', 'give both or none')
  }
  if (options.packetBytes < options.frameBytes + ENVELOPE_ROOM_BYTES) {
    const least = formatNumber(options.frameBytes + ENVELOPE_ROOM_BYTES)
    throw new OptionsError(
      'packetBytes',
      '--packet-bytes',
      `expected at least ${least}, --frame-bytes and ${ENVELOPE_ROOM_BYTES}`,
    )
  }
  if (options.turnServers.length > 0 && options.turnSecret.length === 0) {
    throw new OptionsError('turnSecret', '--turn-secret', 'needed with --turn-servers, and the same as theirs')
  }
  return Object.freeze(options)
}

/**
 * Check options given by a program and fill in the defaults. The environment is not looked at.
 * @throws OptionsError naming the key and what it accepts; also for a key that does not exist
 */
export function parseServerOptions(input: ServerOptionsInput = {}): ServerOptions {
  return complete(fromValues({ ...input }, (key) => `option "${key}"`))
}

export interface CommandLine {
  readonly command: string | undefined
  readonly help: boolean
  readonly version: boolean
  /** The file of `--config`, if there is one. */
  readonly configFile: string | undefined
  /** Read when they are needed, so that `--help` works whatever else is wrong; the file each time. @throws OptionsError */
  options(): ServerOptions
}

/**
 * Flags win over the environment, the environment over the file, the file over the defaults.
 * @throws OptionsError for flags that cannot be read
 */
export function parseCommandLine(args: readonly string[], environment: Environment): CommandLine {
  const flags = fromFlags(args)
  const [command, extra] = flags.positionals
  if (extra !== undefined) throw new OptionsError(extra, extra, 'expected one command')
  const configFile = flags.config ?? (environment.PARTYLINE_CONFIG || undefined)
  return {
    command,
    help: flags.help,
    version: flags.version,
    configFile,
    options: () => {
      const file = configFile === undefined ? {} : fromFile(configFile)
      return complete({ ...file, ...fromEnvironment(environment), ...flags.values })
    },
  }
}
