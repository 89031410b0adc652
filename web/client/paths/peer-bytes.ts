/**
 * Stands in for the package `uint8-util`, which simple-peer imports: its build for browsers calls
 * `Uint8Array.prototype.toHex`, which Node 20 to 24 and browsers from before 2025 do not have.
 */
export const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

export const arr2hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export const text2arr = (text: string): Uint8Array => new TextEncoder().encode(text)
