import { type DestinationStream, destination, type Level, pino } from 'pino'

/** Structured logging, as pino does it. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LogOptions {
  readonly logLevel: Level | 'silent'
  readonly logFormat: 'auto' | 'json' | 'text'
}

const LEVEL_NAMES: Readonly<Record<number, string>> = Object.freeze({
  10: 'TRACE',
  20: 'DEBUG',
  30: 'info ',
  40: 'WARN ',
  50: 'ERROR',
})
/** What others sent stands in logs: it must not move the cursor, colour the terminal or begin a line of its own. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu
const harmless = (text: string): string =>
  text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

const NOT_SHOWN = new Set(['level', 'time', 'msg', 'err'])

/** One line a person can read, from one line of pino's: `12:30:01 info  joined room=lobby`. */
export function readableLine(json: string): string {
  const entry = JSON.parse(json) as Record<string, unknown>
  const time = new Date(Number(entry.time)).toTimeString().slice(0, 8)
  const fields = Object.entries(entry)
    .filter(([key]) => !NOT_SHOWN.has(key))
    .map(([key, value]) => ` ${key}=${harmless(typeof value === 'string' ? value : JSON.stringify(value))}`)
  const error = entry.err as { readonly stack?: string; readonly message?: string } | undefined
  const trace = error === undefined ? '' : `\n${error.stack ?? error.message ?? ''}`
  return `${time} ${LEVEL_NAMES[Number(entry.level)] ?? String(entry.level)} ${String(entry.msg ?? '')}${fields.join('')}${trace}\n`
}

/** Logs to standard error, so that standard output is the commands' own. */
export function createLog({ logLevel, logFormat }: LogOptions): Log {
  const readable = logFormat === 'text' || (logFormat === 'auto' && process.stderr.isTTY === true)
  const stream: DestinationStream = readable
    ? { write: (line) => void process.stderr.write(readableLine(line)) }
    : destination({ dest: 2, sync: true })
  return pino({ level: logLevel, base: null }, stream)
}
