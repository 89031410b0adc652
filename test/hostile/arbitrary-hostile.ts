import fc from '../support/properties.ts'

/** Values that readers of JSON trip over. */
const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -0,
    -1,
    1.5,
    2 ** 32,
    2 ** 53,
    Number.MAX_VALUE,
    '',
    '\ud800',
    '\u0000',
    [],
    {},
  ),
  fc.constantFrom<unknown>('__proto__', 'constructor', 'toString', '0', 'x'.repeat(10_000), 'ä'.repeat(3_000)),
  fc.constantFrom<unknown>(JSON.parse('{"__proto__":{"polluted":true}}'), {
    toString: 1,
    valueOf: 2,
    length: -1,
  }),
  fc.constant(JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) as unknown),
  fc.jsonValue(),
)

/** An object like this one, with some of its values (at any depth) replaced, left out, or joined by others. */
export function almost(example: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(example)) {
    const items = example.length === 0 ? fc.constant<unknown[]>([]) : fc.tuple(...example.map(almost))
    return fc.oneof({ weight: 6, arbitrary: items }, { weight: 1, arbitrary: hostileValue })
  }
  if (typeof example !== 'object' || example === null) {
    return fc.oneof({ weight: 6, arbitrary: fc.constant(example) }, { weight: 1, arbitrary: hostileValue })
  }
  const keys: readonly string[] = Object.keys(example)
  const fields = fc.tuple(...keys.map((key) => almost(Reflect.get(example, key))))
  const whole = fc
    .tuple(
      fields,
      fc.option(fc.subarray([...keys]), { freq: 6, nil: [] as string[] }),
      fc.option(fc.dictionary(fc.string(), hostileValue), { freq: 6, nil: {} }),
    )
    .map(([values, leftOut, more]) => {
      const pairs = keys.map((key, index) => [key, values[index]] as const).filter(([key]) => !leftOut.includes(key))
      return { ...more, ...Object.fromEntries(pairs) }
    })
  return fc.oneof({ weight: 12, arbitrary: whole }, { weight: 1, arbitrary: hostileValue })
}

/** Bytes like these: cut, changed, joined, or nothing of the kind. */
export function almostBytes(source: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changed = fc
    .tuple(source, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
    .map(([bytes, changes]) => {
      const copy = bytes.slice()
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value
      return copy
    })
  const cut = fc.tuple(changed, fc.nat()).map(([bytes, at]) => bytes.slice(0, at % (bytes.length + 1)))
  const joined = fc.tuple(changed, changed).map(([one, other]) => new Uint8Array(Buffer.concat([one, other])))
  return fc.oneof(changed, cut, joined, fc.uint8Array({ maxLength: 200 }))
}
