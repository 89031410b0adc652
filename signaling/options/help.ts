import { formatNumber } from './kinds.ts'
import { LIVE_OPTIONS } from './live.ts'
import { environmentName, flagName, OPTION_KEYS, type OptionKey, optionEntry } from './table.ts'

const WIDTH = 100
const INDENT = 6

function wrapped(text: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && INDENT + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => ' '.repeat(INDENT) + one).join('\n')
}

function shownDefault(key: OptionKey): string {
  const { fallback } = optionEntry(key)
  if (fallback === undefined || (Array.isArray(fallback) && fallback.length === 0)) return ''
  if (typeof fallback === 'number' && fallback >= 10_000) return ` [${formatNumber(fallback).replaceAll(',', '_')}]`
  return ` [${String(fallback)}]`
}

function optionHelp(key: OptionKey): string {
  const { kind, help, alsoEnvironment } = optionEntry(key)
  const names = [environmentName(key), ...(alsoEnvironment === undefined ? [] : [alsoEnvironment])].join(', ')
  const range = kind.expects.startsWith('a whole number')
    ? ` ${kind.expects[0]?.toUpperCase()}${kind.expects.slice(1)}.`
    : ''
  const live = LIVE_OPTIONS.has(key) ? ' ↻' : ''
  return `  ${`${flagName(key)} ${kind.placeholder}`.trimEnd()}${shownDefault(key)}${live}\n${wrapped(`${help}${range} ${names}`)}`
}

/** The text of `partyline --help`. */
export function helpText(): string {
  const groups = [...new Set(OPTION_KEYS.map((key) => optionEntry(key).group))]
  const sections = groups.map((group) => {
    const keys = OPTION_KEYS.filter((key) => optionEntry(key).group === group)
    return `${group}\n${keys.map(optionHelp).join('\n')}`
  })
  return `Partyline: rooms for browsers. One server for rooms, pages and TURN.

  partyline [serve] [options]         start the server
  partyline turn-config [options]     print turnserver.conf for a coturn that runs elsewhere
  partyline --version | --help

Examples
  partyline                                          http://localhost:8080, coturn when it is installed
  partyline --tls self-signed                        for other machines in your network
  partyline --tls-cert chain.pem --tls-key key.pem --port 443 --turn-external-address 203.0.113.5/10.0.0.5
  PORT=9000 partyline --trusted-proxies loopback     behind a proxy on this machine

Every option can be given as a flag, as an environment variable (its name stands at the end of its
help), or in a JSON file named by --config FILE (PARTYLINE_CONFIG), there in camelCase:
{ "membersPerRoom": 100 }. Flags win over the environment, the environment over the file. Times are
in ms, sizes in bytes, lists are separated by commas. Defaults stand in [brackets]. What is marked with
↻ is taken again while the server runs, when the file changes and on SIGHUP.

${sections.join('\n\n')}
`
}
