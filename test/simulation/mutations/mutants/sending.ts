/** Faults in what sends to one member: what it lacks, and when that goes again, and by which path. */
import { type Mutant, of } from '../mutant.ts'

const SENDING = 'test/unit/delivery/sending.test.ts'
const AUDIENCES = 'test/unit/delivery/audiences.test.ts'
const EDGES = 'test/unit/delivery/edges.test.ts'

export const SENDERS: readonly Mutant[] = [
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
]
