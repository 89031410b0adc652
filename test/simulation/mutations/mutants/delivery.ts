/** Faults in `web/client/delivery/`: repeats, loss, order, acknowledgements, windows, timers. */
import { type Mutant, of } from '../mutant.ts'

const SENDING = 'test/unit/delivery/sending.test.ts'
const RECEIVING = 'test/unit/delivery/receiving.test.ts'
const AUDIENCES = 'test/unit/delivery/audiences.test.ts'
const EDGES = 'test/unit/delivery/edges.test.ts'
const NUMBERS = 'test/unit/delivery/numbers.test.ts'

export const DELIVERY: readonly Mutant[] = [
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
  ]),
  ...of('web/client/delivery/link-receiver.ts', [
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
  ...of('web/client/delivery/cursor.ts', [
    {
      name: 'never sends lost frames again',
      breaks: 'nothing lost',
      find: 'if (this.#flights.get(seq)?.lost !== true) continue',
      replace: 'if (this.#flights.get(seq)?.lost !== false) continue',
      killedBy: 'simulation',
      quick: true,
    },
    {
      name: 'takes one frame more than was acknowledged',
      breaks: 'nothing lost',
      find: 'if (before(this.acked, next)) this.acked = next',
      replace: 'if (before(this.acked, next)) this.acked = next === this.sent ? next : plus(next, 1)',
      killedBy: 'simulation',
      quick: true,
    },
    {
      name: 'is off by one in reading the bitmap',
      breaks: 'nothing lost',
      find: 'this.#arrive(plus(next, 1 + byte * 8 + bit), news)',
      replace: 'this.#arrive(plus(next, byte * 8 + bit), news)',
      killedBy: 'simulation',
    },
    {
      name: 'settles a message before its last frame is acknowledged',
      breaks: '`delivered`',
      find: '!before(placed.lastSeq, this.acked)) return',
      replace: 'before(this.acked, placed.lastSeq)) return',
      killedBy: 'simulation',
    },
    {
      name: 'is off by one in its window',
      breaks: 'the window is what a bitmap spans',
      find: 'return ahead < LIMITS.windowFrames &&',
      replace: 'return ahead <= LIMITS.windowFrames &&',
      killedBy: { file: AUDIENCES, test: 'is never more frames than an acknowledgement can tell of' },
    },
    {
      name: "sends beyond the peer's window",
      breaks: 'the window is what a bitmap spans',
      find: 'this.unacknowledgedBytes + this.stream.frame(this.sent).length <= windowBytes',
      replace: 'this.unacknowledgedBytes <= windowBytes',
      killedBy: { file: AUDIENCES, test: 'is what the receiver has room for, but one frame always goes' },
    },
    {
      name: 'leaves what flew by a dead path where it is',
      breaks: 'make before break',
      find: 'if (flight.tag === tag) this.#lose(seq, flight)',
      replace: 'if (flight.tag === tag && flight.repeated) this.#lose(seq, flight)',
      killedBy: { file: SENDING, test: 'by a path that closed goes by the next one' },
    },
    {
      name: 'compares flights of different paths',
      breaks: 'a gap is a loss on one path',
      find: 'if (flight.tag !== tag || flight.lost) continue',
      replace: 'if (flight.lost) continue',
      killedBy: {
        file: EDGES,
        test: 'under way by an old path is not taken for lost because of what overtook it on another',
      },
    },
    {
      name: 'waits for the timeout, whatever the gaps show',
      breaks: 'a gap is a loss on one path',
      find: 'if (this.#arrived !== arrived) this.#findGaps(news)',
      replace: 'if (this.#arrived === undefined) this.#findGaps(news)',
      killedBy: {
        file: SENDING,
        test: 'is sent again once three later ones have arrived, without waiting for a timeout',
      },
    },
    {
      name: 'samples frames that were sent twice',
      breaks: 'repeats give no samples',
      find: 'if (!flight.repeated && (news',
      replace: 'if ((news',
      killedBy: { file: SENDING, test: 'gives no round-trip time when it is acknowledged' },
    },
  ]),
  ...of('web/client/delivery/link-sender.ts', [
    {
      name: 'lets the timeout pass on the relay',
      breaks: 'what is overdue is sent again',
      find: '      cursor.loseOverdue(nowMs - afterMs)\n      this.events.relayLoss(true)\n',
      replace: '      this.events.relayLoss(true)\n',
      killedBy: 'simulation',
    },
    {
      name: 'hedges nothing',
      breaks: 'suspicion is quick and cheap',
      find: '      this.#hedge(cursor, stream)\n',
      replace: '',
      killedBy: { file: SENDING, test: 'is hedged once by the relay, and the path is reported; bulk is not' },
    },
    {
      name: 'hedges bulk, too',
      breaks: 'suspicion is quick and cheap',
      find: "if (cursor.stream.lane === 'bulk' || this.#hedgedSeqs[stream] === seq) return",
      replace: 'if (this.#hedgedSeqs[stream] === seq) return',
      killedBy: { file: SENDING, test: 'is hedged once by the relay, and the path is reported; bulk is not' },
    },
    {
      name: 'suspects no path',
      breaks: 'suspicion is quick and cheap',
      find: '      this.events.overdue(outlet)\n    }\n    this.pump(nowMs)',
      replace: '    }\n    this.pump(nowMs)',
      killedBy: { file: SENDING, test: 'is hedged once by the relay, and the path is reported; bulk is not' },
    },
    {
      name: 'takes what came for delivered, read or not',
      breaks: '`delivered`',
      find: 'if (covered && !isUnread(ack.unread, waiting))',
      replace: 'if (covered)',
      killedBy: {
        file: SENDING,
        test: 'is not delivered before the application has taken it, and the sender asks when it is not told',
      },
    },
    {
      name: 'never asks what became of unread messages',
      breaks: '`delivered`',
      find: '      this.events.askForAck()\n',
      replace: '',
      killedBy: {
        file: SENDING,
        test: 'is not delivered before the application has taken it, and the sender asks when it is not told',
      },
    },
    {
      name: 'sends before the new greeting is confirmed',
      breaks: 'nobody waits for the slowest',
      find: 'if (this.held || !cursor.mayAdvance(this.peerWindowBytes)) return false',
      replace: 'if (!cursor.mayAdvance(this.peerWindowBytes)) return false',
      killedBy: { file: EDGES, test: 'is sent nothing by the relay, either, until it has confirmed the new greeting' },
    },
    {
      name: 'believes acknowledgements of what it has given up',
      breaks: 'nobody waits for the slowest',
      find: '    if (this.held) return\n    this.peerDelayMs',
      replace: '    this.peerDelayMs',
      killedBy: { file: EDGES, test: 'is not believed, though a broadcast to the others reached it' },
    },
    {
      name: 'gives up without a word',
      breaks: 'both told',
      find: 'cursor.skipToEnd((message) => message.settle(this.member, reason))',
      replace: 'cursor.skipToEnd(() => {})',
      killedBy: 'simulation',
      quick: true,
    },
    {
      name: 'says of those who were cut off that they have it',
      breaks: 'both told',
      find: 'cursor.skipToEnd((message) => message.settle(this.member, reason))',
      replace: 'cursor.skipToEnd((message) => message.settle(this.member, undefined))',
      killedBy: 'simulation',
    },
    {
      name: 'does not go on when the window opens again',
      breaks: 'a slow consumer closes the window',
      find: 'if (news.frames > 0 || opened) this.events.progress(',
      replace: 'if (news.frames > 0) this.events.progress(',
      killedBy: { file: AUDIENCES, test: 'is sent no more than its window, and the rest when the window opens' },
    },
    {
      name: 'keeps signals to the path that they are about',
      breaks: 'signals always arrive',
      find: "if (outlet.kind !== 'relay' && frame[CHANNEL_AT] === LINK_CHANNEL)",
      replace: "if (outlet.kind === 'relay' && frame[CHANNEL_AT] === LINK_CHANNEL)",
      killedBy: { file: AUDIENCES, test: 'a signal on a direct path goes by the relay too' },
    },
    {
      name: 'sends a message through a socket that is full, and takes that for sent',
      breaks: 'nothing lost',
      find: 'if (!outlet.send(cursor.stream.lane, frame)) {',
      replace: 'if (outlet.send(cursor.stream.lane, frame) === undefined) {',
      killedBy: {
        file: EDGES,
        test: 'that a path does not take is neither in flight nor lost: it goes when there is room',
      },
    },
  ]),
  ...of('web/client/delivery/outbox.ts', [
    {
      name: 'does not wait for the welcome',
      breaks: 'talk at once',
      find: 'this.#open && ',
      replace: '',
      killedBy: {
        file: 'test/simulation/rooms.test.ts',
        test: 'talk at once: what was sent before the welcome arrives',
      },
    },
    {
      name: 'cuts nobody off',
      breaks: 'nobody waits for the slowest',
      find: 'for (const lagging of this.#room.flatMap((stream) => stream.lagging())) this.deps.lagging(lagging)',
      replace: '',
      killedBy: { file: AUDIENCES, test: 'holds nobody back, and is cut off once it is 8 MiB behind the others' },
    },
    {
      name: 'takes everything that is sent, without bound',
      breaks: '`accepted`',
      find: 'if (channel.id !== 0) this.waiting.ensureRoom(body.length, 1)',
      replace: '',
      killedBy: { file: AUDIENCES, test: 'is bounded: then send throws queue-full, and goes on when there is room' },
    },
    {
      name: 'addresses those who come while a message waits, from where it is now',
      breaks: 'the sender decides the audience',
      find: 'ordinal: this.waiting.first(id)?.ordinal ?? roomOrdinal',
      replace: 'ordinal: roomOrdinal',
      killedBy: {
        file: AUDIENCES,
        test: 'has its place counted from when it was sent, for those who come before it is accepted',
      },
    },
    {
      name: 'sends large messages with the small ones',
      breaks: 'a file never delays a chat line',
      find: "body.length > LIMITS.fragmentBytes ? 'bulk' : 'small'",
      replace: "body.length < 0 ? 'bulk' : 'small'",
      killedBy: {
        file: EDGES,
        test: 'of more than 16 KiB goes in pieces on the bulk lane, one of 16 KiB whole on the small one',
      },
    },
    {
      name: 'waits for ever for one that left before',
      breaks: '`delivered`',
      find: "      message.settle(to, 'left')\n",
      replace: '',
      killedBy: { file: AUDIENCES, test: 'who is not here is missed as left, at once' },
    },
    {
      name: 'lets signals wait like anything',
      breaks: 'signals always arrive',
      find: 'if (channel === 0) return true',
      replace: 'if (channel < 0) return true',
      killedBy: {
        file: EDGES,
        test: 'goes at once though its member has more of ours than is accepted for anything else',
      },
    },
  ]),
  ...of('web/client/delivery/waiting-messages.ts', [
    {
      name: 'counts no messages',
      breaks: '`accepted`',
      find: 'this.#messages + messages > LIMITS.queuedMessages ||',
      replace: '',
      killedBy: { file: AUDIENCES, test: 'counts messages too, so that empty ones are bounded' },
    },
    {
      name: 'lets later messages of a channel overtake',
      breaks: 'in order',
      find: '      blocked.add(channel)\n',
      replace: '',
      killedBy: 'simulation',
    },
    {
      name: 'forgets what waited for one who left',
      breaks: 'both told',
      find: '      message.refuse(to, reason)\n',
      replace: '',
      killedBy: 'simulation',
    },
  ]),
  ...of('web/client/delivery/outgoing-channel.ts', [
    {
      name: 'says a channel’s name to nobody',
      breaks: 'in order',
      find: '    this.roomOpened = true\n    return true\n',
      replace: '    this.roomOpened = true\n    return false\n',
      killedBy: 'simulation',
    },
  ]),
  ...of('web/client/delivery/relayed-frames.ts', [
    {
      name: 'writes to each relayed member alone',
      breaks: 'the relay is not flooded',
      find: '    } else if (position === least) {\n      group.push(sender)\n    }',
      replace: '    }',
      killedBy: { file: AUDIENCES, test: 'is one uplink frame for all who are on the relay' },
    },
  ]),
  ...of('web/client/delivery/room-stream.ts', [
    {
      name: 'waits for the slowest',
      breaks: 'nobody waits for the slowest',
      find: 'Math.min(...senders',
      replace: 'Math.max(...senders',
      killedBy: { file: AUDIENCES, test: 'holds nobody back, and is cut off once it is 8 MiB behind the others' },
    },
    {
      name: 'forgets frames that the slowest lacks',
      breaks: 'kept until acknowledged end to end',
      find: 'if (distance(stream.base, cursor.acked) < distance(stream.base, seq)) seq = cursor.acked',
      replace: 'seq = cursor.acked',
      killedBy: 'simulation',
    },
    {
      name: 'never forgets a frame',
      breaks: 'kept until acknowledged end to end',
      find: '    stream.trim(seq, position)\n',
      replace: '',
      killedBy: {
        file: AUDIENCES,
        test: 'is kept until the slowest has it, and given to one alone when only that one lost it',
      },
    },
    {
      name: 'does not look again when the slowest moves',
      breaks: 'kept until acknowledged end to end',
      find: 'if (this.#slowest !== undefined && this.#slowest !== sender) return',
      replace: 'if (this.#slowest !== undefined) return',
      killedBy: {
        file: AUDIENCES,
        test: 'is kept until the slowest has it, and given to one alone when only that one lost it',
      },
    },
  ]),
  ...of('web/client/delivery/outgoing-message.ts', [
    {
      name: 'is delivered when the first has it',
      breaks: '`delivered`',
      find: '    this.#left -= 1\n    if (this.#left === 0) this.#finish()',
      replace: '    this.#left -= 1\n    this.#finish()',
      killedBy: 'simulation',
    },
    {
      name: 'forgets who missed it',
      breaks: 'both told',
      find: '      this.#missed.set(member, missed)\n',
      replace: '',
      killedBy: 'simulation',
    },
    {
      name: 'sent to nobody is never over',
      breaks: '`delivered`',
      find: '    this.#accepted.settle(ACCEPTED)\n    if (this.#left === 0) this.#finish()',
      replace: '    this.#accepted.settle(ACCEPTED)',
      killedBy: { file: SENDING, test: 'that was sent to nobody is delivered to nobody, at once' },
    },
  ]),
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
