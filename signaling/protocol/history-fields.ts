/** Fields that several messages about what is kept have. */
import { asBoolean, asInteger, asString, type Fields } from './guards.ts'

const MOST = Number.MAX_SAFE_INTEGER
export const EPOCH_BYTES = 64

export const uint = (fields: Fields, key: string, least = 0): number => asInteger(fields[key], key, least, MOST)
export const epochOf = ({ epoch }: Fields): { readonly epoch?: string } =>
  epoch === undefined ? {} : { epoch: asString(epoch, 'epoch', EPOCH_BYTES, 1) }

/** A flag that is there only when it was said. */
export function flag<const K extends string>(fields: Fields, key: K): { readonly [P in K]?: boolean } {
  const value = fields[key]
  return (value === undefined ? {} : { [key]: asBoolean(value, key) }) as { readonly [P in K]?: boolean }
}
