import type { SeededRandom } from '../../simulation/seeded-random.ts'

/** Bytes at which readers go wrong: ends of ranges, lengths of varints, kinds that there are not. */
const TELLING = [
  0, 1, 2, 3, 4, 5, 6, 7, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xe0, 0xef, 0xf0, 0xfe, 0xff,
]
const TELLING_U32 = [
  0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
]

/** What stands in for a value of JSON. */
const HOSTILE_JSON = [
  'null',
  'true',
  '0',
  '-1',
  '-0',
  '1e999',
  '0.1',
  '9007199254740993',
  '4294967296',
  '""',
  '"__proto__"',
  '"\\ud800"',
  '"\\u0000"',
  '[]',
  '{}',
  '[[]]',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1,"length":-1,"then":{}}',
  `"${'x'.repeat(5_000)}"`,
  `"${'ä'.repeat(3_000)}"`,
  `${'['.repeat(70)}${']'.repeat(70)}`,
  `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
  `{"a":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`,
]
const VALUE = /(?<=[:[,]\s*)(?:"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)/g
const KEY = /"[^"\\]*"(?=:)/g

type Change = (bytes: Buffer, random: SeededRandom, other: Buffer) => Buffer

const at = (bytes: Uint8Array, random: SeededRandom): number => random.integer(0, bytes.length + 1)

const CHANGES: readonly Change[] = [
  // One bit, one byte, one number.
  (bytes, random) => {
    const copy = Buffer.from(bytes)
    const index = random.integer(0, Math.max(1, copy.length))
    if (copy.length > 0) copy[index] = (copy[index] ?? 0) ^ (1 << random.integer(0, 8))
    return copy
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes)
    if (copy.length > 0) copy[random.integer(0, copy.length)] = random.pick(TELLING)
    return copy
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes)
    // Most of what steers a reader stands at the beginning.
    const reach = random.chance(0.5) ? Math.min(copy.length, 48) : copy.length
    if (reach >= 4) copy.writeUInt32BE(random.pick(TELLING_U32), random.integer(0, reach - 3))
    return copy
  },
  // Cut short, cut out, put in.
  (bytes, random) => bytes.subarray(0, at(bytes, random)),
  (bytes, random) => {
    const from = at(bytes, random)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.integer(1, 20))])
  },
  (bytes, random) => {
    const from = at(bytes, random)
    const more = Buffer.alloc(random.integer(1, random.chance(0.1) ? 2_000 : 20))
    if (random.chance(0.7)) random.fill(more)
    else more.fill(random.pick(TELLING))
    return Buffer.concat([bytes.subarray(0, from), more, bytes.subarray(from)])
  },
  // Spliced with another, or with itself.
  (bytes, random, other) => Buffer.concat([bytes.subarray(0, at(bytes, random)), other.subarray(at(other, random))]),
  (bytes, _, other) => Buffer.concat([bytes, other]),
  (bytes, random) => {
    const from = at(bytes, random)
    const part = bytes.subarray(from, from + random.integer(1, 64))
    return Buffer.concat([
      bytes.subarray(0, from),
      ...Array.from({ length: random.integer(2, 9) }, () => part),
      bytes.subarray(from),
    ])
  },
  // Nothing, and something else altogether.
  (_, random) => {
    const noise = Buffer.alloc(random.integer(0, 200))
    random.fill(noise)
    return noise
  },
]

/** Changed once, in one way or another. */
export function mutated(bytes: Uint8Array, random: SeededRandom, other: Uint8Array): Buffer {
  return random.pick(CHANGES)(Buffer.from(bytes), random, Buffer.from(other))
}

/** A control message with another value somewhere, or another key, or changed as bytes are. */
export function mutatedText(text: string, random: SeededRandom, other: string): string {
  if (random.chance(0.4)) return mutated(Buffer.from(text), random, Buffer.from(other)).toString('utf8')
  const places = [...text.matchAll(random.chance(0.8) ? VALUE : KEY)]
  const place = places.length > 0 ? random.pick(places) : undefined
  if (place === undefined) return other
  const values = [...other.matchAll(VALUE)]
  const [borrowed = 'null'] = values.length > 0 ? random.pick(values) : []
  const value = random.chance(0.5) ? random.pick(HOSTILE_JSON) : borrowed
  return text.slice(0, place.index) + value + text.slice(place.index + place[0].length)
}

/** Of a list: one left out, twice there, at another place, or from elsewhere. */
export function mutatedOrder<T>(items: readonly T[], random: SeededRandom, other: T): T[] {
  const list = [...items]
  const index = random.integer(0, Math.max(1, list.length))
  const item = list[index] ?? other
  switch (random.integer(0, 5)) {
    case 0:
      list.splice(index, 1)
      break
    case 1:
      list.splice(index, 0, ...Array.from({ length: random.integer(1, 4) }, () => item))
      break
    case 2:
      list.splice(index, 1)
      list.splice(random.integer(0, list.length + 1), 0, item)
      break
    case 3:
      list.splice(index, 0, other)
      break
    default:
      list.reverse()
  }
  return list
}
