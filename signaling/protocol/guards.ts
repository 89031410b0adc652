import { ProtocolError } from './errors.ts'

/** JSON as it came off the wire: nothing about it is known yet. */
export type Fields = Readonly<Record<string, unknown>>
/** What `JSON.parse` can give. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const encoder = new TextEncoder()
export const utf8Bytes = (text: string): number => encoder.encode(text).length

export function parseJson(text: string, field: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProtocolError(field, 'expected JSON')
  }
}

export function asObject(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError(field, 'expected an object')
  }
  return value as Fields
}

export function asArray(value: unknown, field: string, maxLength: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new ProtocolError(field, 'expected an array')
  if (value.length > maxLength) throw new ProtocolError(field, `expected at most ${maxLength} items`)
  return value
}

export function asString(value: unknown, field: string, maxBytes: number, minBytes = 0): string {
  if (typeof value !== 'string') throw new ProtocolError(field, 'expected a string')
  const size = value.length > maxBytes ? value.length : utf8Bytes(value)
  if (size > maxBytes || size < minBytes) {
    throw new ProtocolError(field, `expected ${minBytes} to ${maxBytes} bytes of UTF-8`)
  }
  return value
}

export function asInteger(value: unknown, field: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new ProtocolError(field, `expected an integer from ${min} to ${max}`)
  }
  return value
}

export function asNumber(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ProtocolError(field, 'expected a finite number')
  return value
}

export function asBoolean(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw new ProtocolError(field, 'expected true or false')
  return value
}

export function asOneOf<T extends string>(value: unknown, field: string, choices: readonly T[]): T {
  if (typeof value !== 'string' || !choices.includes(value as T)) {
    throw new ProtocolError(field, `expected one of ${choices.join(', ')}`)
  }
  return value as T
}

/** Deeper JSON than this serves no profile, and overflows the stack of those who walk it. */
const JSON_LEVELS = 64

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** How many values are in it, itself included. */
export function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, inner) => sum + valuesIn(inner), 1)
}

/** JSON whose text is at most `maxBytes` long, nested at most 64 levels deep, and of at most `maxValues`. */
export function asJson(value: unknown, field: string, maxBytes: number, maxValues = Number.POSITIVE_INFINITY): Json {
  if (value === undefined) throw new ProtocolError(field, 'missing')
  if (isDeeper(value, JSON_LEVELS)) throw new ProtocolError(field, `expected at most ${JSON_LEVELS} levels of nesting`)
  if (valuesIn(value) > maxValues) throw new ProtocolError(field, `expected at most ${maxValues} values`)
  if (utf8Bytes(JSON.stringify(value)) > maxBytes) {
    throw new ProtocolError(field, `expected at most ${maxBytes} bytes of JSON`)
  }
  return value as Json
}
