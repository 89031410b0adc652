/**
 * `node delay-line.mjs FD FD MS`: what comes by one of two TAP devices leaves by the other so much later, in the
 * order in which it came.
 */
import { read, writeSync } from 'node:fs'

const [first = 3, second = 4, delayMs = 0] = process.argv.slice(2).map(Number)
const LARGEST_BYTES = 65_536

/** @type {(from: number, to: number) => void} */
function carry(from, to) {
  /** @type {{ packet: Buffer, dueMs: number }[]} */
  const waiting = []
  const buffer = Buffer.alloc(LARGEST_BYTES)
  const release = () => {
    while (waiting[0] !== undefined && waiting[0].dueMs <= performance.now()) {
      try {
        writeSync(to, waiting[0].packet)
      } catch {
        // The other end is down: the packet is lost, as on any line.
      }
      waiting.shift()
    }
    const [next] = waiting
    if (next !== undefined) setTimeout(release, next.dueMs - performance.now())
  }
  const next = () =>
    read(from, buffer, 0, LARGEST_BYTES, null, (error, length) => {
      if (error) throw error
      waiting.push({ packet: Buffer.from(buffer.subarray(0, length)), dueMs: performance.now() + delayMs })
      if (waiting.length === 1) release()
      next()
    })
  next()
}

carry(first, second)
carry(second, first)
console.log('carrying')
