import { at, promised } from './promised.ts'

const sending = at('test/unit/delivery/sending.test.ts')
const link = at('test/unit/link/link.test.ts')
const watched = at('test/unit/link/watched-path.test.ts')
const choice = at('test/unit/link/path-choice.test.ts')
const initiating = at('test/unit/paths/initiating.test.ts')
const answering = at('test/unit/paths/answering.test.ts')
const doubted = at('test/unit/paths/doubted.test.ts')
const twoSides = at('test/unit/paths/two-sides.test.ts')
const slots = at('test/unit/paths/slots.test.ts')

/** Which way frames take. */
export const PATHS = promised({
  'usable once its own ping was answered': {
    says: 'A WebRTC path carries frames only when a ping sent on it was answered on it, and returns from suspicion only so.',
    simulated: true,
    tests: watched(
      'is not usable before its own ping was answered',
      'is not cleared by the answer to a ping from before the suspicion',
    ),
  },
  'trust runs out': {
    says: 'Every state has a timer of our own: a silent path is suspected, suspended, given up; an attempt that leads nowhere ends.',
    simulated: true,
    tests: [
      ...watched('notices its death while it is idle', 'is given up after some seconds of silence, and not before'),
      ...initiating('that opens but is not usable is given up'),
      ...answering('ends an attempt of which nothing more is heard'),
    ],
  },
  'the best path': {
    says: 'Direct before turn before relay, then round-trip time, with hysteresis; one that failed is held back, longer each time.',
    simulated: false,
    tests: [
      ...choice('of %s with %s in use, %s is chosen: %s'),
      ...watched('that returns is held back, longer with each failure, until it has been good for a while'),
    ],
  },
  'make before break': {
    says: 'No pausing: what was unacknowledged on a path that died goes by another; a path in use stays until its replacement is usable.',
    simulated: true,
    tests: [
      ...sending('by a path that closed goes by the next one'),
      ...initiating('is kept while a replacement is made, and for a moment after'),
    ],
  },
  'suspicion is quick and cheap': {
    says: 'The oldest small frame that is overdue goes once by the relay too and the path is pinged; bulk moves only when that is unanswered.',
    simulated: false,
    tests: [
      ...sending('is hedged once by the relay, and the path is reported; bulk is not'),
      ...watched('is suspended when the ping is overdue too, within half a second on a quick path'),
    ],
  },
  'TURN second': {
    says: 'The first attempt gathers without TURN; when it is not usable within 2 s, one with TURN replaces it.',
    simulated: false,
    tests: initiating(
      'gathers without TURN and offers',
      'is replaced by one with TURN when it is not usable within 2 s',
    ),
  },
  'a direct path comes back': {
    says: 'After a path is lost a new attempt starts in the background: at once on a change of network, else with back-off and jitter.',
    simulated: false,
    tests: [
      ...initiating(
        'that is lost is followed by a new attempt after a random part of a second',
        'follows at longer and longer intervals, with full jitter, up to a minute',
        'ends a back-off at once, and starts without TURN again',
      ),
      ...doubted('is kept while another is made beside it, and replaced by that one'),
    ],
  },
  'one numbers the attempts': {
    says: 'The smaller id numbers the attempts; signals of another attempt are dropped; the other side asks, naming the one it replaces.',
    simulated: true,
    tests: [
      ...initiating('takes one answer, and only signals with its number'),
      ...answering(
        'of an old attempt is dropped; a newer one replaces the attempt under way',
        'names the attempt that failed, after a random part of a second',
      ),
    ],
  },
  'signals always arrive': {
    says: 'Signals are reliable traffic with room reserved, always also sent by the relay.',
    simulated: false,
    tests: [
      ...at('test/unit/delivery/audiences.test.ts')(
        'a signal on a direct path goes by the relay too',
        'never includes signals of the link, which go ahead of everything',
      ),
      ...link('passes over a signal that it does not know, so that those after it are heard'),
    ],
  },
  'at most so many direct peers': {
    says: 'A slot is reserved on both sides before an offer; a link refused as `full` waits for an offered slot.',
    simulated: false,
    tests: [
      ...slots('gives no more than its limit', 'serves those who wait in their order, before anyone who comes later'),
      ...answering('all taken: the offer is refused, and the other side told when one is free'),
      ...twoSides(
        'are shared: as many links as there are slots are direct, and when one ends the next takes its place',
      ),
    ],
  },
})
