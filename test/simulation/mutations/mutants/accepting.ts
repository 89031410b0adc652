/** Faults in what is accepted, kept for everyone addressed, and said to be delivered. */
import { type Mutant, of } from '../mutant.ts'

const SENDING = 'test/unit/delivery/sending.test.ts'
const AUDIENCES = 'test/unit/delivery/audiences.test.ts'
const EDGES = 'test/unit/delivery/edges.test.ts'

export const MESSAGES: readonly Mutant[] = [
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
]
