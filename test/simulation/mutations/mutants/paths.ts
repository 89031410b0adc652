/** Faults in `web/client/paths/`: when attempts begin and end, who numbers them, and slots. */
import { type Mutant, of } from '../mutant.ts'

const INITIATING = 'test/unit/paths/initiating.test.ts'
const ANSWERING = 'test/unit/paths/answering.test.ts'
const DOUBTED = 'test/unit/paths/doubted.test.ts'
const SLOTS = 'test/unit/paths/slots.test.ts'
const BESIDE = 'test/unit/paths/paths-beside.test.ts'
const BESIDE_LINK = 'test/unit/link/beside.test.ts'
const BESIDE_DELIVERY = 'test/unit/delivery/beside.test.ts'

export const PATHS: readonly Mutant[] = [
  ...of('web/client/paths/attempts.ts', [
    {
      name: 'does not end an attempt that opens and carries nothing',
      breaks: 'trust runs out',
      find: '{ afterMs: this.#times.pingMs, run })',
      replace: "'same')",
      killedBy: { file: INITIATING, test: 'that opens but is not usable is given up' },
    },
    {
      name: 'waits for ever for an offer that it asked for',
      breaks: 'trust runs out',
      find: "this.#enter({ is: 'expecting', asked }, { afterMs: this.#times.offerMs, run })",
      replace: "this.#enter({ is: 'expecting', asked }, { afterMs: 1e12, run })",
      killedBy: { file: ANSWERING, test: 'goes on, more and more rarely' },
    },
    {
      name: 'waits for ever for its ICE servers',
      breaks: 'trust runs out',
      find: '{ afterMs: this.#times.iceServersMs, run: () => connect([]) }',
      replace: '{ afterMs: 1e12, run: () => connect([]) }',
      killedBy: { file: INITIATING, test: 'starts without ICE servers when they do not come' },
    },
    {
      name: 'tries once',
      breaks: 'a direct path comes back',
      find: "else this.#wait('retry', delayMs, because, () => this.#next(false))",
      replace: "else this.#wait('retry', delayMs, because, () => {})",
      killedBy: { file: INITIATING, test: 'that is lost is followed by a new attempt after a random part of a second' },
    },
    {
      name: 'does not hear of another network',
      breaks: 'a direct path comes back',
      find: "if (is === 'up' || is === 'waiting' || is === 'preparing' || is === 'connecting') this.#next(false)",
      replace: "if (is === 'up') this.#next(false)",
      killedBy: { file: INITIATING, test: 'ends a back-off at once, and starts without TURN again' },
    },
    {
      name: 'keeps to a path in doubt',
      breaks: 'a direct path comes back',
      find: "this.#wait('answer', this.#times.doubtMs, 'the direct path does not answer', () => this.#next(false))",
      replace: "this.#wait('answer', this.#times.doubtMs, 'the direct path does not answer', () => {})",
      killedBy: { file: DOUBTED, test: 'is kept while another is made beside it, and replaced by that one' },
    },
    {
      name: 'closes the path in use for its replacement',
      breaks: 'make before break',
      find: '      this.#setNewest(this.#newest + 1)\n      this.#prepare(this.#newest, this.#pace.withTurn, undefined)\n',
      replace:
        '      this.#setNewest(this.#newest + 1)\n      this.current?.close()\n      this.#prepare(this.#newest, this.#pace.withTurn, undefined)\n',
      killedBy: { file: INITIATING, test: 'is kept while a replacement is made, and for a moment after' },
    },
    {
      name: 'takes answers to another attempt',
      breaks: 'one numbers the attempts',
      find: 'state.attempt !== answer.attempt ||',
      replace: '',
      killedBy: { file: INITIATING, test: 'takes one answer, and only signals with its number' },
    },
    {
      name: 'takes offers of older attempts',
      breaks: 'one numbers the attempts',
      find: '    if (offer.attempt <= this.#newest) return\n',
      replace: '',
      killedBy: { file: ANSWERING, test: 'of an old attempt is dropped; a newer one replaces the attempt under way' },
    },
    {
      name: 'does not say which attempt failed',
      breaks: 'one numbers the attempts',
      find: "this.#options.say({ t: 'ask', replaces: this.#newest })",
      replace: "this.#options.say({ t: 'ask', replaces: 0 })",
      killedBy: { file: ANSWERING, test: 'names the attempt that failed, after a random part of a second' },
    },
    {
      name: 'keeps its slot when the path is lost',
      breaks: 'at most so many direct peers',
      find: '    slot?.release()\n',
      replace: '',
      killedBy: {
        file: 'test/unit/paths/two-sides.test.ts',
        test: 'are shared: as many links as there are slots are direct, and when one ends the next takes its place',
      },
    },
    {
      name: 'never offers a slot that it has again',
      breaks: 'at most so many direct peers',
      find: "        say({ t: 'slot' })\n",
      replace: '',
      killedBy: { file: ANSWERING, test: 'all taken: the offer is refused, and the other side told when one is free' },
    },
    {
      name: 'leaves its timer running',
      breaks: 'it ends',
      find: '      if (this.#timer !== undefined) clock.clearTimeout(this.#timer)\n',
      replace: '',
      killedBy: { file: INITIATING, test: 'closes every path, gives back the slot, and leaves no timer' },
    },
  ]),
  ...of('web/client/paths/attempt-pace.ts', [
    {
      name: 'gathers with TURN from the start',
      breaks: 'TURN second',
      find: 'this.withTurn = this.#turnOnly && policy.turn\n',
      replace: 'this.withTurn = policy.turn\n',
      killedBy: { file: INITIATING, test: 'gathers without TURN and offers' },
    },
    {
      name: 'never tries with TURN',
      breaks: 'TURN second',
      find: 'if (this.#options.policy.turn) this.withTurn = true',
      replace: '',
      killedBy: { file: INITIATING, test: 'is replaced by one with TURN when it is not usable within 2 s' },
    },
  ]),
  ...of('web/client/paths/slots.ts', [
    {
      name: 'gives one more than the limit',
      breaks: 'at most so many direct peers',
      find: 'return this.#used < this.limit && this.#waiting.size === 0',
      replace: 'return this.#used <= this.limit && this.#waiting.size === 0',
      killedBy: { file: SLOTS, test: 'gives no more than its limit' },
    },
    {
      name: 'serves the last who came first',
      breaks: 'at most so many direct peers',
      find: 'for (const entry of this.#waiting) {',
      replace: 'for (const entry of [...this.#waiting].reverse()) {',
      killedBy: { file: SLOTS, test: 'serves those who wait in their order, before anyone who comes later' },
    },
  ]),
  ...of('web/client/paths/paths-beside.ts', [
    {
      name: 'goes on although it does not pay',
      breaks: 'a file never delays a chat line',
      find: 'if (rate < this.#alone * WORTH) {',
      replace: 'if (rate < 0) {',
      killedBy: { file: BESIDE, test: 'are closed when they bring little, and not tried again for a minute' },
    },
    {
      name: 'answers every offer',
      breaks: 'at most so many direct peers',
      find: ' || this.#paths.size >= MOST_BESIDE) return',
      replace: ') return',
      killedBy: { file: BESIDE, test: 'are not made for offers with a number of ours, an old one, or too many' },
    },
    {
      name: 'takes numbers that are ours',
      breaks: 'one numbers the attempts',
      find: 'if (!theirs || ',
      replace: 'if (',
      killedBy: { file: BESIDE, test: 'are not made for offers with a number of ours, an old one, or too many' },
    },
  ]),
  ...of('web/client/link/link-paths.ts', [
    {
      name: 'takes a path for bulk alone into use',
      breaks: 'a file never delays a chat line',
      find: 'return [...this.#paths].filter(({ beside }) => !beside)',
      replace: 'return [...this.#paths]',
      killedBy: {
        file: BESIDE_LINK,
        test: 'are never the path in use, nor reason to think that the member can be reached',
      },
    },
    {
      name: 'sends bulk by the path in use all the same',
      breaks: 'a file never delays a chat line',
      find: '      best = path\n      leastBytes = bytes\n',
      replace: '',
      killedBy: {
        file: BESIDE_LINK,
        test: 'carry bulk once their own ping was answered, and small messages stay where they are',
      },
    },
  ]),
  ...of('web/client/delivery/link-sender.ts', [
    {
      name: 'waits for what is stuck on one of many paths',
      breaks: 'what is overdue is sent again',
      find: "cursor.stream.lane === 'bulk' && outlet.kind !== 'relay' && next !== outlet",
      replace: 'false && next !== outlet',
      killedBy: { file: BESIDE_DELIVERY, test: 'are left, by what is stuck in one, for another at the first timeout' },
    },
  ]),
]
