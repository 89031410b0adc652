/** Which rooms keep what: `ROOMS;messages=N;age=TIME;channels=A|B;mail=N`, in the order in which they count. */
import { fitsPattern } from '../access/room-pattern.ts'
import { utf8Bytes } from '../protocol/guards.ts'
import { LIMITS } from '../protocol/limits.ts'

/** What is kept of the rooms that fit a pattern. */
export interface HistoryRule {
  /** `*` stands for any characters. */
  readonly rooms: string
  /** The most of a room. */
  readonly messages: number
  readonly ageMs: number
  /** Patterns on the application's names of channels. */
  readonly channels: readonly string[]
  /** The most for one user who is away; 0: no mailboxes. */
  readonly mail: number
}

/** A page or two of a chat, for a day. */
const DEFAULTS = Object.freeze({ messages: 100, ageMs: 86_400_000, channels: ['*'], mail: 0 })
/** An answer from the log looks at no more than its page, so this bounds only what a room takes of the disk. */
const MOST_MESSAGES = 1_000_000
const MOST_MAIL = 10_000
const MOST_AGE_MS = 3_660 * 86_400_000
const MOST_CHANNELS = 64
/** Patterns may be longer than names, for each `*`. */
const PATTERN_BYTES = 2 * LIMITS.roomNameBytes

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function countOf(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

function ageOf(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const ms = Number(digits) * (UNIT_MS[unit] ?? 0)
  return ms >= 1_000 && ms <= MOST_AGE_MS ? ms : undefined
}

const isPattern = (text: string): boolean => text !== '' && utf8Bytes(text) <= PATTERN_BYTES

function channelsOf(text: string): readonly string[] | undefined {
  const channels = text.split('|')
  return channels.length <= MOST_CHANNELS && channels.every(isPattern) ? channels : undefined
}

const defined = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } | undefined =>
  value === undefined ? undefined : ({ [key]: value } as { readonly [P in K]?: V })

function partOf(key: string, value: string): Partial<HistoryRule> | undefined {
  if (key === 'messages') return defined('messages', countOf(value, 1, MOST_MESSAGES))
  if (key === 'age') return defined('ageMs', ageOf(value))
  if (key === 'channels') return defined('channels', channelsOf(value))
  return key === 'mail' ? defined('mail', countOf(value, 0, MOST_MAIL)) : undefined
}

/** Undefined when it is none. */
export function parseHistoryRule(text: string): HistoryRule | undefined {
  const [rooms = '', ...parts] = text.split(';')
  if (!isPattern(rooms)) return undefined
  let rule: HistoryRule = { rooms, ...DEFAULTS }
  const given = new Set<string>()
  for (const part of parts) {
    const at = part.indexOf('=')
    const [key, value] = [part.slice(0, Math.max(at, 0)), part.slice(at + 1)]
    if (given.has(key)) return undefined
    given.add(key)
    const more = partOf(key, value)
    if (more === undefined) return undefined
    rule = { ...rule, ...more }
  }
  return rule
}

/** The first rule that a room's name fits; undefined: nothing of it is kept. */
export const ruleFor = (rules: readonly HistoryRule[], room: string): HistoryRule | undefined =>
  rules.find(({ rooms }) => fitsPattern(room, rooms))

export const keepsChannel = ({ channels }: HistoryRule, name: string): boolean =>
  channels.some((pattern) => fitsPattern(name, pattern))
