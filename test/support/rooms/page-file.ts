/** Runs in the page: large files, and whether they came through whole. */
import type { FileOffer } from 'partyline'

export interface FileTaken {
  readonly name: string
  readonly sizeBytes: number
  readonly sha256: string
}

/** Bytes that no compression and no repetition can stand in for. */
export function noise(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4))
  let state = 2_463_534_242
  for (let index = 0; index < words.length; index += 1) {
    // xorshift32 (Marsaglia 2003).
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer, 0, sizeBytes)
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

export async function takeWhole(offer: FileOffer): Promise<FileTaken> {
  const bytes = new Uint8Array(await new Response(offer.accept()).arrayBuffer())
  return { name: offer.name, sizeBytes: bytes.length, sha256: await sha256(bytes) }
}
