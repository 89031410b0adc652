/** Faults in what stands on the streams: channels, `latest`, offers, procedures, and the room itself. */
import { type Mutant, of } from '../mutant.ts'

const LATEST = 'test/unit/channel/latest.test.ts'
const OFFER = 'test/unit/channel/offer.test.ts'
const OFFERING = 'test/unit/channel/offering.test.ts'
const OFFER_HOSTILE = 'test/unit/channel/offer-hostile.test.ts'
const PROCEDURE = 'test/unit/channel/procedure.test.ts'

export const CHANNELS: readonly Mutant[] = [
  ...of('web/client/channel/latest-held.ts', [
    {
      name: 'takes an older value after a newer one',
      breaks: 'the newest wins',
      find: '((counter - of) | 0) > 0',
      replace: '((counter - of) | 0) !== 0',
      killedBy: {
        file: LATEST,
        test: 'hands on each newer one, with when it was sent, and drops what is repeated or older',
      },
      quick: true,
    },
    {
      name: 'compares counters as numbers',
      breaks: 'the newest wins',
      find: '((counter - of) | 0) > 0',
      replace: 'counter > of',
      killedBy: { file: LATEST, test: 'never goes back, in any order of arrival, across the wrap of the counter' },
    },
    {
      name: 'holds as many keys as anyone sends',
      breaks: 'latest is bounded',
      find: 'values.size > LIMITS.latestKeys ?',
      replace: 'values.size > 1e9 ?',
      killedBy: { file: LATEST, test: 'forgets the first keys of a sender that floods, and of nobody else' },
    },
    {
      name: 'forgets the counter with the key',
      breaks: 'the newest wins',
      find: 'sender.floor = counter',
      replace: 'sender.floor = undefined',
      killedBy: { file: LATEST, test: 'takes nothing for a key it forgot that is as old as what it forgot' },
    },
  ]),
  ...of('web/client/channel/latest-own.ts', [
    {
      name: 'says the last value once',
      breaks: 'the last value arrives',
      find: '    this.#wakeAt(dueAtMs)\n    this.#transmit(own)\n',
      replace: '    this.#transmit(own)\n',
      killedBy: { file: LATEST, test: 'sends it at once, and twice more when nothing newer comes' },
    },
    {
      name: 'tells newcomers nothing',
      breaks: 'the last value arrives',
      find: '      this.#transmit(key.room, [id])\n',
      replace: '',
      killedBy: { file: LATEST, test: 'gets what stands in the room, twice, and nothing that was for some only' },
    },
    {
      name: 'sets as many keys as it is asked to',
      breaks: 'latest is bounded',
      find: 'if (this.#keys.size >= LIMITS.latestKeys) {',
      replace: 'if (this.#keys.size >= 1e9) {',
      killedBy: {
        file: LATEST,
        test: 'is refused when value, key or receiver is not within the limits, or the room is over',
      },
    },
  ]),
  ...of('web/client/channel/reliable.ts', [
    {
      name: 'throws away what nobody listens to yet',
      breaks: 'nothing is missed in the first turn',
      find: "if (this.#emitter.count('message') === 0 && this.#readers.size === 0) return false",
      replace: "if (this.#emitter.count('message') === 0 && this.#readers.size === 0) return true",
      killedBy: 'simulation',
    },
    {
      name: 'gives to a reader that has not read the one before',
      breaks: 'nothing is missed in the first turn',
      find: 'for (const reader of this.#readers) if (!reader.free) return false\n',
      replace: '',
      killedBy: 'simulation',
    },
    {
      name: 'does not go on when a first handler comes',
      breaks: 'nothing is missed in the first turn',
      find: 'if (first) queueMicrotask(() => this.port.drain())',
      replace: '',
      killedBy: {
        file: 'test/unit/room/listening.test.ts',
        test: 'what came before the first listener is handed on to it, though nothing follows',
      },
    },
  ]),
  ...of('web/client/channel/offer-in.ts', [
    {
      name: 'takes chunks in any order',
      breaks: 'bytes move to those who accept',
      find: 'index !== this.#chunkCount >>> 0 ||',
      replace: '',
      killedBy: {
        file: OFFER_HOSTILE,
        test: 'that sends other chunks than are due ends its own transfer with protocol',
      },
    },
  ]),
  ...of('web/client/channel/offer-out.ts', [
    {
      name: 'sends without waiting for its reader',
      breaks: 'bytes move to those who accept',
      find: 'const granted = taken + windowBytes',
      replace: 'const granted = size + taken + windowBytes',
      killedBy: { file: OFFER, test: 'waits for a slow reader with 4 MiB under way at most' },
    },
    {
      name: 'sends to whoever asks',
      breaks: 'bytes move to those who accept',
      find: 'if (!this.#open.has(peer)) {\n      // Over',
      replace: 'if (this.#open.size < 0) {\n      // Over',
      killedBy: { file: OFFER, test: 'is for those addressed: another who names it gets nothing' },
    },
    {
      name: 'goes on after a hole',
      breaks: 'bytes move to those who accept',
      find: '      for (const peer of missed.keys()) this.fail(peer)\n',
      replace: '      missed.keys()\n',
      killedBy: {
        file: OFFERING,
        test: 'is over when the announcement was addressed to nobody after all, or reached nobody',
      },
    },
  ]),
  ...of('web/client/channel/procedure.ts', [
    {
      name: 'never runs out of time',
      breaks: 'every ask ends',
      find: '() => giveUp(new PartylineError(',
      replace: '() => void (new PartylineError(',
      killedBy: { file: PROCEDURE, test: 'gives up after the time-out, and tells the handler' },
    },
    {
      name: 'waits for one that left',
      breaks: 'every ask ends',
      find: "if (asked === peer) end(missed('left'))",
      replace: "if (asked !== peer) end(missed('left'))",
      killedBy: { file: PROCEDURE, test: 'ends when the member leaves, and its handler is told when the asker does' },
    },
    {
      name: 'takes the answer of another',
      breaks: 'every ask ends',
      find: 'if (asked?.peer !== from) return',
      replace: 'if (asked === undefined) return',
      killedBy: { file: PROCEDURE, test: 'cannot answer for another, nor disturb with any bytes' },
    },
  ]),
  ...of('web/client/room-channels.ts', [
    {
      name: 'says of several that the first was all',
      breaks: '`delivered`',
      find: 'for (const outcome of outcomes) for (const [peer, reason] of outcome.missed) missed.set(peer, reason)',
      replace:
        'for (const outcome of outcomes.slice(0, 1)) for (const [peer, reason] of outcome.missed) missed.set(peer, reason)',
      killedBy: 'simulation',
    },
  ]),
  ...of('web/client/room-links.ts', [
    {
      name: 'forgets what it was handed by a link that is over',
      breaks: 'nothing twice',
      find: 'past?.instance === info.instance ? past.handed : undefined',
      replace: 'past?.instance !== info.instance ? past?.handed : undefined',
      killedBy: {
        file: 'test/unit/room/coming-back.test.ts',
        test: 'one who comes back as somebody new hears once what was said to both, the old and the new',
      },
    },
    {
      name: 'keeps the paths of a hidden page',
      breaks: 'closed tabs do not linger',
      find: 'attempts?.current?.close()',
      replace: 'attempts?.current',
      killedBy: {
        file: 'test/unit/room/hiding.test.ts',
        test: 'a page that goes away closes its direct paths, so that the others need not wait for their silence',
      },
    },
  ]),
  ...of('web/client/room-members.ts', [
    {
      name: 'asks for no snapshot',
      breaks: 'versions without a gap',
      find: "membership.on('gap', () => uplink.snapshot())",
      replace: "membership.on('gap', () => {})",
      killedBy: 'simulation',
    },
  ]),
  ...of('web/client/room.ts', [
    {
      name: 'does not tell that it was away too long',
      breaks: 'both told',
      find: "for (const peer of this.peers.values()) this.#events.emit('gap', { peer, reason: 'expired' })",
      replace: '',
      killedBy: {
        file: 'test/unit/room/coming-back.test.ts',
        test: 'one who comes back as somebody new is told that there may be a gap',
      },
    },
  ]),
]
