/** Faults in sequence numbers and round-trip times. */
import { type Mutant, of } from '../mutant.ts'

const SENDING = 'test/unit/delivery/sending.test.ts'
const NUMBERS = 'test/unit/delivery/numbers.test.ts'

export const NUMBERS_AND_TIMES: readonly Mutant[] = [
  ...of('web/client/delivery/serial.ts', [
    {
      name: 'compares numbers as numbers',
      breaks: 'across the wrap',
      find: '((a - b) | 0) < 0',
      replace: 'a < b',
      killedBy: { file: NUMBERS, test: 'wrap, and compare within half the circle' },
    },
    {
      name: 'counts beyond 32 bits',
      breaks: 'across the wrap',
      find: '(seq + count) >>> 0',
      replace: 'seq + count',
      killedBy: { file: NUMBERS, test: 'wrap, and compare within half the circle' },
      quick: true,
    },
  ]),
  ...of('web/client/delivery/round-trip.ts', [
    {
      name: 'takes the announced delay for no delay',
      breaks: 'the timeout follows the path',
      find: '+ 4 * this.#variationMs) + peerDelayMs',
      replace: '+ 4 * this.#variationMs)',
      killedBy: { file: NUMBERS, test: 'is smoothed, with a timeout of four variations and the peer’s delay on top' },
    },
    {
      name: 'caps the timeout below the path',
      breaks: 'the timeout follows the path',
      find: 'Math.max(base, Math.min(MOST_TIMEOUT_MS, base * 2 ** backoff))',
      replace: 'Math.min(MOST_TIMEOUT_MS, base * 2 ** backoff)',
      killedBy: {
        file: NUMBERS,
        test: 'is never taken to be negative, and its timeout doubles up to a limit that is never below the path',
      },
    },
    {
      name: 'never doubles the timeout',
      breaks: 'the timeout follows the path',
      find: 'base * 2 ** backoff',
      replace: 'base',
      killedBy: { file: SENDING, test: 'at the end of the stream is sent again after its timeout, which doubles' },
    },
  ]),
]
