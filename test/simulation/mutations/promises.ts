import type { NamedTest } from './mutant.ts'

/** A promise of the design about delivery, and what holds it beside the simulation. */
export interface Promised {
  readonly says: string
  /** Where the simulation checks it too, it says so. */
  readonly simulated: boolean
  readonly tests: readonly NamedTest[]
}

const at =
  (file: string) =>
  (...tests: readonly string[]): readonly NamedTest[] =>
    tests.map((test) => ({ file, test }))

const rooms = at('test/simulation/rooms.test.ts')
const sending = at('test/unit/delivery/sending.test.ts')
const receiving = at('test/unit/delivery/receiving.test.ts')
const audiences = at('test/unit/delivery/audiences.test.ts')
const numbers = at('test/unit/delivery/numbers.test.ts')
const link = at('test/unit/link/link.test.ts')
const handshake = at('test/unit/link/handshake.test.ts')
const watched = at('test/unit/link/watched-path.test.ts')
const choice = at('test/unit/link/path-choice.test.ts')
const relay = at('test/unit/link/relay-outlet.test.ts')
const initiating = at('test/unit/paths/initiating.test.ts')
const answering = at('test/unit/paths/answering.test.ts')
const doubted = at('test/unit/paths/doubted.test.ts')
const twoSides = at('test/unit/paths/two-sides.test.ts')
const slots = at('test/unit/paths/slots.test.ts')
const uplink = at('test/unit/uplink/uplink.test.ts')
const outbox = at('test/unit/uplink/outbox.test.ts')
const membership = at('test/unit/uplink/membership.test.ts')
const room = at('test/unit/room/room.test.ts')
const latest = at('test/unit/channel/latest.test.ts')
const offers = at('test/unit/channel/offer.test.ts')
const procedures = at('test/unit/channel/procedure.test.ts')
const forwarding = at('test/unit/signaling/hub-forwarding.test.ts')
const gathering = at('test/unit/signaling/hub-gathering.test.ts')
const sessions = at('test/unit/signaling/hub-sessions.test.ts')
const joining = at('test/unit/signaling/hub-join.test.ts')
const slowReader = at('test/unit/signaling/hub-slow-reader.test.ts')

const promised = <Name extends string>(promises: Readonly<Record<Name, Promised>>) => promises

/** In the order of the design: the promises themselves, members, streams, paths, `latest`, the server, channels. */
export const PROMISES = promised({
  'talk at once': {
    says: 'A message sent before the welcome, or right then, is delivered; nobody waits for ICE or for a round trip.',
    simulated: true,
    tests: [
      ...rooms('talk at once: what was sent before the welcome arrives'),
      ...link('carries the first message beside its greeting: nobody waits for a round trip'),
    ],
  },
  'nothing lost': {
    says: 'A message reaches every member it was addressed to, whatever happens to paths, server and carrier.',
    simulated: true,
    tests: [
      ...rooms(
        'go over to a direct path and lose nothing on the way',
        'lose nothing when the server is killed and started again',
        'lose nothing when the direct path dies in silence, and the longest gap is short',
      ),
      ...sending('is sent again once three later ones have arrived, without waiting for a timeout'),
    ],
  },
  'nothing twice': {
    says: 'A message is handed to the application once, however often and by however many ways it came.',
    simulated: true,
    tests: [
      ...sending('that arrives by two ways is handed on once, and its repeat is acknowledged again'),
      ...receiving(
        'tells new from repeated from impossible, starting at %i',
        'takes a message whose handler throws it away no second time',
      ),
      ...at('test/unit/link/edges.test.ts')(
        'is not handed on again when it comes in the new one, and counts as delivered',
      ),
      ...at('test/unit/room/coming-back.test.ts')(
        'one who comes back as somebody new hears once what was said to both, the old and the new',
      ),
    ],
  },
  'in order': {
    says: 'Messages of one channel to one audience are handed on in the order they were sent.',
    simulated: true,
    tests: [
      ...sending('in pieces is put together in whatever order they come, and holds back only its own channel'),
      ...receiving('waits for what it is called before anything is handed on'),
    ],
  },
  intact: {
    says: 'What is handed on is what was sent, of any size up to the limit.',
    simulated: true,
    tests: rooms('send messages of several megabytes beside small ones'),
  },
  'both told': {
    says: 'When delivery is impossible, both sides are told: `missed` here, `gap` or `leave` there. Nothing is dropped in silence.',
    simulated: true,
    tests: [
      ...link(
        'is told of a gap, and hears everything from there on',
        'has reported everything when the link ends, and leaves no timer',
      ),
      ...audiences('says who left before they had it'),
    ],
  },
  'it ends': {
    says: 'All is quiet when nothing is said: no timer is left, nothing goes round in circles.',
    simulated: true,
    tests: [
      ...rooms('are quiet when nothing is said, and leave no timers when they leave'),
      ...twoSides('end with no timer left'),
      ...link('rests while there is no way to the member, whatever is due'),
    ],
  },
  'path is told': {
    says: 'For every peer the application sees which path is in use, its round-trip time, and why.',
    simulated: false,
    tests: [
      ...rooms('go over to a direct path and lose nothing on the way'),
      ...link('goes over to a direct path when a ping on it was answered, and back when it goes silent'),
    ],
  },

  'versions without a gap': {
    says: 'Membership events carry consecutive versions under an epoch; on a gap the client takes a snapshot.',
    simulated: true,
    tests: [
      ...membership('old versions are ignored; a missing one asks for a snapshot, once, and nothing counts before it'),
      ...sessions('gives events consecutive versions, and snapshots at one'),
    ],
  },
  'away, not gone': {
    says: 'In a new epoch, members that the snapshot lacks are away for one grace period, not gone.',
    simulated: true,
    tests: membership(
      'who is missing is away for a grace period, and back when it shows up',
      'the grace period is one online: it starts anew when the uplink was lost meanwhile',
    ),
  },
  'gone when nobody reaches it': {
    says: 'A link ends only by leave, by removal, or after a whole grace period in which neither server nor direct path knows the member.',
    simulated: true,
    tests: membership(
      'stays, away, when its grace at the server ran out, until the path is gone for a grace period',
      'is gone at once when it left or was removed',
    ),
  },
  'never continued': {
    says: 'An ended link is never continued: both sides report what was unacknowledged, and show leave, then join.',
    simulated: true,
    tests: [
      ...link(
        'begins anew on both sides, and nothing is heard twice or lost',
        'is not sent to before it has confirmed, so that its old receiver takes nothing',
      ),
      ...membership('the same id with another instance is another member'),
    ],
  },
  'sessions outlive connections': {
    says: 'The session token lets a client come back as the same member, also after a restart of the server.',
    simulated: true,
    tests: [
      ...uplink('resumes with the token nearly at once after a drop'),
      ...sessions(
        'brings a member back after its uplink dropped, as the same member',
        'brings a member back after a restart with the same key, in a new epoch',
      ),
    ],
  },
  'tokens are renewed': {
    says: 'Session tokens and TURN credentials are renewed on the uplink before they end.',
    simulated: false,
    tests: [
      ...uplink('are renewed before the first of them ends'),
      ...sessions('refuses a token that has run out, and renews it in time when asked'),
    ],
  },
  'the newer connection wins': {
    says: 'A newer connection of a session replaces the older, and a client closed as `replaced` does not reconnect.',
    simulated: false,
    tests: sessions('replaces the older uplink by the newer one, and nobody sees a change'),
  },
  'departed ids are refused': {
    says: 'Ids that left or were removed are refused until their token has run out, also after a restart.',
    simulated: false,
    tests: sessions('that %s are refused %s'),
  },
  'closed tabs do not linger': {
    says: 'Hiding a page shortens its grace to a few seconds; leaving on purpose is immediate.',
    simulated: false,
    tests: [
      ...uplink('asks for a short grace, and for the whole one when it is back'),
      ...sessions('lets a member go when its grace period is over', 'lets a member leave at once'),
    ],
  },

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

  'the newest wins': {
    says: '`latest`: never an older value after a newer one, one counter over all paths, across the wrap.',
    simulated: true,
    tests: latest(
      'hands on each newer one, with when it was sent, and drops what is repeated or older',
      'never goes back, in any order of arrival, across the wrap of the counter',
    ),
  },
  'the last value arrives': {
    says: '`latest`: the last value before silence is repeated twice, and newcomers get what stands in the room.',
    simulated: true,
    tests: latest(
      'sends it at once, and twice more when nothing newer comes',
      'gets what stands in the room, twice, and nothing that was for some only',
    ),
  },
  'one waits in a slot': {
    says: '`latest`: client and server each keep at most one waiting frame of a (sender, slot), the newest.',
    simulated: false,
    tests: [
      ...outbox('take the place of the one that waits in the same slot for the same address'),
      ...slowReader('gets only the newest droppable frame of each sender and slot'),
    ],
  },
  'latest is bounded': {
    says: '`latest`: 1,024 keys, 16 KiB a value.',
    simulated: false,
    tests: latest(
      'is refused when value, key or receiver is not within the limits, or the room is over',
      'forgets the first keys of a sender that floods, and of nobody else',
    ),
  },

  'to whom it is addressed': {
    says: 'The server forwards a frame to the named members or to all, and to nobody twice, nor back.',
    simulated: false,
    tests: forwarding(
      'reaches one, several, all, and all but some, with the sender the session has',
      'gives a member named twice one frame, and one who names itself none',
      'reaches nobody in another room, though its id be known',
    ),
  },
  'nobody speaks for another': {
    says: 'The sender of a frame is the session that sent it; a client cannot claim another.',
    simulated: false,
    tests: forwarding('overwrites whatever sender a client writes', 'takes no envelope of the kind the server sends'),
  },
  'drops are told': {
    says: 'A full queue for a slow reader drops frames and tells their senders, as frames for who is away are told.',
    simulated: false,
    tests: [
      ...slowReader('has frames beyond its bound dropped, its senders told, and nobody else hurt'),
      ...forwarding('tells the sender who was away, at most once in 100 ms'),
    ],
  },
  'a slow reader is closed late': {
    says: 'The carrier of a slow reader is closed only when nothing drains for 10 s.',
    simulated: false,
    tests: slowReader('is closed when nothing drains for 10 s, and may come back as the same member'),
  },
  'gathered in order': {
    says: 'Small frames for one receiver are gathered when the server is busy, and keep their order with membership.',
    simulated: false,
    tests: gathering('keeps frames and membership in order: joined before the first frame, left behind the last'),
  },
  'requests are idempotent': {
    says: 'Client requests have ids: what is unanswered is asked again, and a repeated join makes no second member.',
    simulated: true,
    tests: [
      ...uplink('an unanswered request is repeated on the next carrier'),
      ...joining('makes one member of a join that is repeated on another uplink because its answer was lost'),
    ],
  },

  'nothing is missed in the first turn': {
    says: 'Messages for a channel wait, bounded, until its first listener; a reader that is slow holds the others back, one that stops does not.',
    simulated: true,
    tests: room('each get everything, at the pace of the slowest', 'that stop reading let the others go on'),
  },
  'bytes move to those who accept': {
    says: 'Offers: bytes move only to those who accept, whole and in order, never more than a window ahead of the reader.',
    simulated: false,
    tests: offers(
      'moves to whoever accepts, whole and in order, with progress by what the reader took',
      'waits for a slow reader with 4 MiB under way at most',
      'is for those addressed: another who names it gets nothing',
    ),
  },
  'every ask ends': {
    says: 'Procedures: each ask gets the answer to its own question, or an error that says why.',
    simulated: false,
    tests: procedures(
      'gets each answer to its own question, however long each takes',
      'gives up after the time-out, and tells the handler',
      'ends when the member leaves, and its handler is told when the asker does',
    ),
  },
})

export type PromiseName = keyof typeof PROMISES
