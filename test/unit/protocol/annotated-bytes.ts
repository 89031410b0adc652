/**
 * Bytes as people read them: hex, and behind `#` what they are.
 *
 *     61           # ping
 *     00 00 00 2a  # nonce
 */
export function annotatedBytes(text: string): Uint8Array {
  const bytes: number[] = []
  for (const line of text.split('\n')) {
    const [hex = ''] = line.split('#')
    for (const pair of hex.split(/\s+/).filter((part) => part !== '')) {
      if (!/^[0-9a-f]{2}$/.test(pair)) throw new Error(`not a byte: ${pair}`)
      bytes.push(Number.parseInt(pair, 16))
    }
  }
  return Uint8Array.from(bytes)
}
