import { at, promised } from './promised.ts'

const sending = at('test/unit/delivery/sending.test.ts')
const receiving = at('test/unit/delivery/receiving.test.ts')
const audiences = at('test/unit/delivery/audiences.test.ts')
const numbers = at('test/unit/delivery/numbers.test.ts')
const link = at('test/unit/link/link.test.ts')
const handshake = at('test/unit/link/handshake.test.ts')
const relay = at('test/unit/link/relay-outlet.test.ts')
const outbox = at('test/unit/uplink/outbox.test.ts')

/** How what is sent is ordered, acknowledged, timed and bounded. */
export const STREAMS = promised({
  'a file never delays a chat line': {
    says: 'Messages over 16 KiB go in fragments on the bulk lane, beside the small one.',
    simulated: false,
    tests: [...audiences('of bulk does not hold back small messages of other channels')],
  },
  'a hole holds back one channel': {
    says: 'What is missing on one channel never holds back another; a large message holds back only later ones on its own channel.',
    simulated: false,
    tests: [
      ...sending('in pieces is put together in whatever order they come, and holds back only its own channel'),
      ...receiving('never takes more small messages behind a missing large one than ordinals can tell apart'),
    ],
  },
  'the sender decides the audience': {
    says: 'The members known when a message is accepted get it; a newcomer never waits for what was not meant for it.',
    simulated: true,
    tests: [
      ...audiences(
        'goes to those who are here when it is accepted; who comes later waits for nothing',
        'has its place counted from when it was sent, for those who come before it is accepted',
      ),
      ...receiving('begins where the greeting says: what came before it was not meant for us'),
    ],
  },
  'early frames are held': {
    says: 'Frames that come before the greeting are held, up to 64 KiB; a greeting is repeated until it is confirmed.',
    simulated: false,
    tests: [
      ...link(
        'holds what overtakes the greeting, and repeats a greeting that was lost',
        'holds at most 64 KiB before the greeting, and gets the rest again',
      ),
      ...handshake('is due at once, repeated with growing pauses, and no more once it is confirmed'),
    ],
  },
  'kept until acknowledged end to end': {
    says: "A broadcast's bytes are kept once, until every cursor has passed them; no buffer or socket is taken for an acknowledgement.",
    simulated: true,
    tests: audiences('is kept until the slowest has it, and given to one alone when only that one lost it'),
  },
  'nobody waits for the slowest': {
    says: 'A member further behind than `maxLagBytes` or `maxLagMs` is cut off: `lagging` here, `gap` there; the others go on.',
    simulated: true,
    tests: [
      ...audiences(
        'holds nobody back, and is cut off once it is 8 MiB behind the others',
        'hears from where it was cut on, under its new greeting, and nothing from before',
        'is sent nothing, and believed nothing, until it has confirmed the new greeting',
      ),
      ...link('is told of a gap, and hears everything from there on'),
    ],
  },
  'what was sent is acknowledged': {
    says: 'The receiver acknowledges cumulatively with a bitmap, soon, less often the larger the room; repeats at once, by the way they came.',
    simulated: false,
    tests: [
      ...receiving(
        'of a lone message leaves at once in a small room, and within the delay after another',
        'waits in a large room, so that its members do not answer at once',
        'leaves after 256 frames or 256 KiB, whatever the time',
      ),
      ...link(
        'acknowledges a repeat at once, however long it may wait otherwise',
        'is acknowledged by the way its frames came, though the receiver still trusts a path that is dead',
      ),
    ],
  },
  'a slow consumer closes the window': {
    says: 'The receiver takes no more than its budget, shared over all senders; the next missing frame is always taken by one that reads.',
    simulated: true,
    tests: [
      ...receiving(
        'refuses what does not fit, but never the next missing frame of an application that reads',
        'refuses even the next frame of one that does not read, and of what only waits behind a hole',
        'gets back all that a link held when it ends',
      ),
      ...audiences('that opens again is used at once, from the frame that was refused on'),
    ],
  },
  'the window is what a bitmap spans': {
    says: 'No more frames are unacknowledged than an acknowledgement can tell of, nor more bytes than the peer takes.',
    simulated: false,
    tests: audiences(
      'is never more frames than an acknowledgement can tell of',
      'is what the receiver has room for, but one frame always goes',
    ),
  },
  'the timeout follows the path': {
    says: 'The retransmission timeout is the smoothed round trip + 4 variations + the announced delay, doubling, never below the real path.',
    simulated: false,
    tests: numbers(
      'is smoothed, with a timeout of four variations and the peer’s delay on top',
      'is never taken to be negative, and its timeout doubles up to a limit that is never below the path',
    ),
  },
  'repeats give no samples': {
    says: 'A frame that was sent more than once tells nothing about the round trip.',
    simulated: false,
    tests: sending('gives no round-trip time when it is acknowledged'),
  },
  'a gap is a loss on one path': {
    says: 'A gap counts as loss only among frames sent by one path, after three later ones.',
    simulated: false,
    tests: sending(
      'is sent again once three later ones have arrived, without waiting for a timeout',
      'on an old path is sent again though all goes well on the new one',
    ),
  },
  'what is overdue is sent again': {
    says: 'Where nothing is acknowledged any more, the timeout sends it again.',
    simulated: true,
    tests: sending('at the end of the stream is sent again after its timeout, which doubles'),
  },
  'the relay is not flooded': {
    says: 'The relay has a congestion window, is paced to the limits told in the welcome, and packs frames into one message.',
    simulated: false,
    tests: [
      ...relay('is halved when frames were lost, once a round trip, and grows slowly from there'),
      ...outbox(
        'stays within the limits of the server, and uses most of them (seed %i)',
        'frames of one turn are one message, those of the next another',
      ),
      ...audiences('is one uplink frame for all who are on the relay'),
    ],
  },
  '`accepted`': {
    says: '`accepted` resolves when the message is in the window; what waits before it is bounded, and beyond that `send()` throws `queue-full`.',
    simulated: false,
    tests: audiences(
      'is bounded: then send throws queue-full, and goes on when there is room',
      'counts messages too, so that empty ones are bounded',
      'for one member holds back neither the room nor other members',
    ),
  },
  '`delivered`': {
    says: '`delivered` resolves when every addressed member’s library has handed the message on, and tells for each what failed.',
    simulated: true,
    tests: [
      ...sending(
        'is handed on once, and delivered resolves when its acknowledgement comes',
        'is not delivered before the application has taken it, and the sender asks when it is not told',
        'that was sent to nobody is delivered to nobody, at once',
      ),
      ...audiences('who is not here is missed as left, at once'),
    ],
  },
  'given up in time': {
    says: 'A message given up while it waits is told so, and those after it are not held back by its place.',
    simulated: false,
    tests: [
      ...sending('given up while it waits is told so, and those after it are not held back by its place'),
      ...receiving('passes over the place of a message that was given up'),
    ],
  },
  'across the wrap': {
    says: 'Sequence numbers and ordinals compare by serial arithmetic, also across the wrap.',
    simulated: true,
    tests: [
      ...numbers('wrap, and compare within half the circle'),
      ...sending('keeps its place where ordinals wrap (%i)'),
    ],
  },
})
