/** Faults in what receives: repeats, order in a channel, pieces put together, what is acknowledged. */
import { type Mutant, of } from '../mutant.ts'

const RECEIVING = 'test/unit/delivery/receiving.test.ts'
const EDGES = 'test/unit/delivery/edges.test.ts'

export const RECEIVERS: readonly Mutant[] = [
  ...of('web/client/delivery/incoming-stream.ts', [
    {
      name: 'takes what came before for new',
      breaks: 'nothing twice',
      find: "if (before(seq, this.next)) return 'repeat'",
      replace: "if (before(seq, this.next)) return 'new'",
      killedBy: 'simulation',
      quick: true,
    },
    {
      name: 'takes what came beyond a gap for new',
      breaks: 'nothing twice',
      find: "=== 1 ? 'repeat' : 'new'",
      replace: "=== 2 ? 'repeat' : 'new'",
      killedBy: { file: RECEIVING, test: 'tells new from repeated from impossible, starting at %i' },
    },
    {
      name: 'acknowledges the frame that is missing',
      breaks: 'nothing lost',
      find: '    this.next = plus(seq, 1)\n    while (',
      replace: '    this.next = plus(seq, 2)\n    while (',
      killedBy: { file: RECEIVING, test: 'tells new from repeated from impossible, starting at %i' },
    },
    {
      name: 'forgets to clear the mark of a frame',
      breaks: 'nothing lost',
      find: '      this.#come[this.next % LIMITS.windowFrames] = 0\n',
      replace: '',
      killedBy: {
        file: EDGES,
        test: 'tells new from repeated for many windows of frames that come in pairs the wrong way round',
      },
    },
    {
      name: 'is off by one in its window',
      breaks: 'the window is what a bitmap spans',
      find: 'distance(this.next, seq) >= LIMITS.windowFrames',
      replace: 'distance(this.next, seq) > LIMITS.windowFrames',
      killedBy: { file: RECEIVING, test: 'tells new from repeated from impossible, starting at %i' },
    },
    {
      name: 'is off by one in its bitmap',
      breaks: 'nothing lost',
      find: 'if (this.#come[plus(this.next, 1 + index) % LIMITS.windowFrames] === 1)',
      replace: 'if (this.#come[plus(this.next, 2 + index) % LIMITS.windowFrames] === 1)',
      killedBy: { file: RECEIVING, test: 'tells new from repeated from impossible, starting at %i' },
    },
  ]),
  ...of('web/client/delivery/channel-order.ts', [
    {
      name: 'hands on what is there, holes or not',
      breaks: 'in order',
      find: '        if (whole === undefined) return count\n',
      replace: `        if (whole === undefined) {
          const [earliest] = this.#whole.keys()
          if (earliest === undefined) return count
          this.next = earliest
          continue
        }\n`,
      killedBy: 'simulation',
      quick: true,
    },
    {
      name: 'stands still behind an empty place',
      breaks: 'given up in time',
      find: 'if (!over && !handOn(',
      replace: 'if (over || !handOn(',
      killedBy: { file: RECEIVING, test: 'passes over the place of a message that was given up' },
    },
    {
      name: 'begins at the first it hears, wherever the greeting says',
      breaks: 'the sender decides the audience',
      find: '    this.next = ordinal\n',
      replace: '    this.next = 0\n',
      killedBy: 'simulation',
    },
    {
      name: 'keeps what lies before its beginning',
      breaks: 'the sender decides the audience',
      find: '((piece.ordinal - this.next) & 0xffff) >= HALF) return',
      replace: '((piece.ordinal - this.next) & 0xffff) > 0xffff) return',
      killedBy: { file: EDGES, test: 'is not kept: it takes no room, and is not said to be unread' },
    },
    {
      name: 'hands on before it knows the name',
      breaks: 'in order',
      find: '    const name = this.name\n',
      replace: `    const name = this.name ?? 'm:chat'
    if (this.name === undefined) this.next = this.#whole.keys().next().value ?? 0\n`,
      killedBy: { file: RECEIVING, test: 'waits for what it is called before anything is handed on' },
    },
    {
      name: 'lets small messages run ahead of a large one without end',
      breaks: 'a hole holds back one channel',
      find: 'const MOST_AHEAD = 0x4000',
      replace: 'const MOST_AHEAD = 0x8000',
      killedBy: {
        file: RECEIVING,
        test: 'never takes more small messages behind a missing large one than ordinals can tell apart',
      },
    },
    {
      name: 'does not give back what a link held',
      breaks: 'a slow consumer closes the window',
      find: 'for (const { body } of this.#whole.values()) this.held(-(body.length + OVERHEAD_BYTES))',
      replace: '',
      killedBy: { file: RECEIVING, test: 'gets back all that a link held when it ends' },
    },
    {
      name: 'gives back twice what a link held when its handler ends it',
      breaks: 'a slow consumer closes the window',
      find: '        if (!this.#whole.delete(ordinal & 0xffff)) return count\n',
      replace: '        this.#whole.delete(ordinal & 0xffff)\n',
      killedBy: { file: EDGES, test: 'is given back once, though its handler ends the link' },
    },
  ]),
  ...of('web/client/delivery/assembly.ts', [
    {
      name: 'puts pieces together in the order they came',
      breaks: 'intact',
      find: 'this.#pieces[piece.index] = piece.body',
      replace: 'this.#pieces.push(piece.body)',
      killedBy: 'simulation',
    },
  ]),
  ...of('web/client/delivery/link-receiver.ts', [
    {
      name: 'does not acknowledge repeats',
      breaks: 'what was sent is acknowledged',
      find: "    this.#dirty |= 1 << piece.stream\n    if (arrival === 'repeat') {\n",
      replace: "    if (arrival === 'repeat') {\n",
      killedBy: 'simulation',
    },
    {
      name: 'forgets an acknowledgement that was due',
      breaks: 'what was sent is acknowledged',
      find: '    return nowMs >= this.ackDueMs\n',
      replace: '    return false\n',
      killedBy: {
        file: RECEIVING,
        test: 'of a lone message leaves at once in a small room, and within the delay after another',
      },
    },
    {
      name: 'answers at once, however large the room',
      breaks: 'what was sent is acknowledged',
      find: 'const idle = nowMs - this.#lastAckAtMs >= delayMs',
      replace: 'const idle = true\n      delayMs = 0',
      killedBy: { file: RECEIVING, test: 'waits in a large room, so that its members do not answer at once' },
    },
    {
      name: 'takes no more than the budget, not even the next frame',
      breaks: 'a slow consumer closes the window',
      find: '(!next && !this.#share.fits(piece.body.length))',
      replace: '!this.#share.fits(piece.body.length)',
      killedBy: {
        file: RECEIVING,
        test: 'refuses what does not fit, but never the next missing frame of an application that reads',
      },
    },
    {
      name: 'takes the next frame of one that does not read',
      breaks: 'a slow consumer closes the window',
      find: 'piece.seq === stream.next && ahead === 0 && !order.blocked',
      replace: 'piece.seq === stream.next',
      killedBy: {
        file: RECEIVING,
        test: 'refuses even the next frame of one that does not read, and of what only waits behind a hole',
      },
    },
    {
      name: 'acknowledges what it refused',
      breaks: 'nothing lost',
      find: "!this.#share.fits(piece.body.length))) return 'refused'\n",
      replace:
        "!this.#share.fits(piece.body.length))) {\n      stream.take(piece.seq)\n      return 'refused'\n    }\n",
      killedBy: {
        file: RECEIVING,
        test: 'refuses what does not fit, but never the next missing frame of an application that reads',
      },
    },
    {
      name: 'does not say what its application has not read',
      breaks: '`delivered`',
      find: 'if (order.waiting && (audiences',
      replace: 'if (!order.waiting && (audiences',
      killedBy: { file: RECEIVING, test: 'says which channels have messages that nobody has taken' },
      quick: true,
    },
    {
      name: 'does not say that it has been read at last',
      breaks: '`delivered`',
      find: "      this.#dirty |= order.audience === 'room' ? 0b0011 : 0b1100\n",
      replace: '',
      killedBy: 'simulation',
    },
    {
      name: 'hands on again what reached it before it began anew',
      breaks: 'nothing twice',
      find: "    if (audience === 'room') order.handed = this.handed.get(channel)\n",
      replace: '',
      killedBy: {
        file: 'test/unit/link/edges.test.ts',
        test: 'is not handed on again when it comes in the new one, and counts as delivered',
      },
    },
  ]),
]
