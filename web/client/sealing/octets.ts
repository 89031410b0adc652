export const NO_BYTES = new Uint8Array(0)

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** `len(x)` of SEALING.md. */
export const counted = (bytes: Uint8Array): Uint8Array =>
  joined(Uint8Array.of(bytes.length >>> 8, bytes.length & 255), bytes)

/** A label, and what follows it. */
export const labelled = (word: string, ...parts: readonly Uint8Array[]): Uint8Array =>
  joined(new TextEncoder().encode(`partyline 1 ${word}`), ...parts)

/** Below 0: `a` is the smaller, byte by byte. 0: they are the same. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length && index < b.length; index += 1) {
    const difference = (a[index] as number) - (b[index] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Of ids, as the wire has them in texts. */
export const fromHex = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16))

export const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (char) => (char === '+' ? '-' : char === '/' ? '_' : ''))

/** `undefined`: it is none. */
export function fromBase64url(text: string): Uint8Array | undefined {
  try {
    if (/[^\w-]/.test(text)) return undefined
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}
