/** Says that a text or value is none of a kind; `undefined` is a value that some kinds have. */
export const INVALID = Symbol('invalid')

/** What values an option takes, and how they are written. */
export interface Kind<T> {
  /** Ends the sentence "expected …". */
  readonly expects: string
  /** Stands for the value in `--help`; empty for a switch. */
  readonly placeholder: string
  readonly many: boolean
  /** From a flag or the environment. */
  fromText(text: string): T | typeof INVALID
  /** From the file or a program. */
  fromValue(value: unknown): T | typeof INVALID
}

const formatter = new Intl.NumberFormat('en-US')
export const formatNumber = (value: number): string => formatter.format(value)

export function integer(min: number, max: number, placeholder = 'N'): Kind<number> {
  const fromValue = (value: unknown): number | typeof INVALID =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : INVALID
  return {
    expects: `a whole number from ${formatNumber(min)} to ${formatNumber(max)}`,
    placeholder,
    many: false,
    fromText: (text) => (/^\d[\d_]*$/.test(text) ? fromValue(Number(text.replaceAll('_', ''))) : INVALID),
    fromValue,
  }
}

export function text(
  placeholder: string,
  expects: string,
  accepts: (value: string) => boolean = (value) => value.length > 0,
): Kind<string> {
  const fromText = (value: string): string | typeof INVALID => (accepts(value) ? value : INVALID)
  return {
    expects,
    placeholder,
    many: false,
    fromText,
    fromValue: (value) => (typeof value === 'string' ? fromText(value) : INVALID),
  }
}

/** An option that may be left unset. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return { ...kind, fromValue: (value) => (value === undefined ? undefined : kind.fromValue(value)) }
}

export function choice<const T extends string>(choices: readonly T[]): Kind<T> {
  const find = (value: unknown): T | typeof INVALID => choices.find((one) => one === value) ?? INVALID
  return {
    expects: `one of ${choices.join(', ')}`,
    placeholder: choices.join('|'),
    many: false,
    fromText: find,
    fromValue: find,
  }
}

export const toggle: Kind<boolean> = {
  expects: 'true or false',
  placeholder: '',
  many: false,
  fromText: (value) => {
    if (['', '1', 'true', 'yes', 'on'].includes(value.toLowerCase())) return true
    return ['0', 'false', 'no', 'off'].includes(value.toLowerCase()) ? false : INVALID
  },
  fromValue: (value) => (typeof value === 'boolean' ? value : INVALID),
}

/** Values separated by commas or white space, or the flag repeated; in the file, an array. */
export function list(
  placeholder: string,
  expects: string,
  accepts: (item: string) => boolean = (item) => item.length > 0,
): Kind<readonly string[]> {
  const check = (items: readonly unknown[]): readonly string[] | typeof INVALID => {
    const texts = items.filter((item): item is string => typeof item === 'string' && accepts(item))
    return texts.length === items.length ? texts : INVALID
  }
  return {
    expects,
    placeholder,
    many: true,
    fromText: (value) => check(value.split(/[\s,]+/).filter((item) => item !== '')),
    fromValue: (value) => (Array.isArray(value) ? check(value) : INVALID),
  }
}
