/** The README's configuration table, made from the one declaration of the options. Run: `npx tsx test/support/configuration-table.ts` */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { formatNumber } from '../../signaling/options/kinds.ts'
import { LIVE_OPTIONS } from '../../signaling/options/live.ts'
import { environmentName, flagName, OPTION_KEYS, type OptionKey, optionEntry } from '../../signaling/options/table.ts'

const BEGIN = '<!-- configuration -->'
const END = '<!-- /configuration -->'

const cell = (text: string): string => text.replaceAll('|', '\\|')

function shownDefault(key: OptionKey): string {
  const { fallback } = optionEntry(key)
  if (fallback === undefined || (Array.isArray(fallback) && fallback.length === 0)) return ''
  if (typeof fallback === 'number') return fallback < 10_000 ? String(fallback) : formatNumber(fallback)
  return `\`${String(fallback)}\``
}

function shownRange(key: OptionKey): string {
  const { expects } = optionEntry(key).kind
  const range = /^a whole number from (\S+) to (\S+)$/.exec(expects)
  return range === null ? '' : ` ${range[1]} to ${range[2]}.`
}

function row(key: OptionKey): string {
  const { kind, help, alsoEnvironment } = optionEntry(key)
  const flag = `\`${cell(`${flagName(key)} ${kind.placeholder}`.trim())}\``
  const also = alsoEnvironment === undefined ? '' : ` Also \`${alsoEnvironment}\`.`
  const live = LIVE_OPTIONS.has(key) ? ' ↻' : ''
  return `| ${flag} | ${shownDefault(key)} | ${cell(help)}${shownRange(key)}${also}${live} |`
}

/** One table a group, as Markdown. */
export function configurationTable(): string {
  const groups = [...new Set(OPTION_KEYS.map((key) => optionEntry(key).group))]
  const example = OPTION_KEYS.find((key) => key === 'membersPerRoom') ?? OPTION_KEYS[0] ?? 'port'
  const intro = `Times are in ms, sizes in bytes, lists are separated by commas. \`${flagName(example)} 100\` on the command line is \`${environmentName(example)}=100\` in the environment and \`{ "${example}": 100 }\` in the file. What ends with ↻ can be changed while the server runs: see [Operations](#operations).`
  const tables = groups.map((group) => {
    const rows = OPTION_KEYS.filter((key) => optionEntry(key).group === group).map(row)
    return [`### ${group}`, '', '| option | default | what it sets |', '|---|---|---|', ...rows].join('\n')
  })
  return [intro, ...tables].join('\n\n')
}

/** The README with a fresh table between its two marks. */
export function withConfiguration(readme: string): string {
  const begin = readme.indexOf(BEGIN)
  if (begin < 0) throw new Error(`README.md has no ${BEGIN}`)
  const end = readme.indexOf(END, begin)
  const rest = end < 0 ? readme.slice(begin + BEGIN.length) : readme.slice(end + END.length)
  return `${readme.slice(0, begin)}${BEGIN}\n${configurationTable()}\n${END}${rest}`
}

const README = new URL('../../README.md', import.meta.url)
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(README, withConfiguration(readFileSync(README, 'utf8')))
}
