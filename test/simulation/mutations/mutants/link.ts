/** Faults in `web/client/link/`: greetings, trust, the choice of the path, the end of a link. */
import { type Mutant, of } from '../mutant.ts'

const LINK = 'test/unit/link/link.test.ts'
const EDGES = 'test/unit/link/edges.test.ts'
const WATCHED = 'test/unit/link/watched-path.test.ts'
const CHOICE = 'test/unit/link/path-choice.test.ts'

export const LINKS: readonly Mutant[] = [
  ...of('web/client/link/handshake.ts', [
    {
      name: 'says its greeting once',
      breaks: 'early frames are held',
      find: 'this.#dueMs = nowMs + this.#repeatMs\n',
      replace: 'this.#dueMs = Number.POSITIVE_INFINITY\n',
      killedBy: { file: LINK, test: 'holds what overtakes the greeting, and repeats a greeting that was lost' },
    },
    {
      name: 'takes a repeated greeting for a new one',
      breaks: 'nothing twice',
      find: "if (generation === this.#theirs) return 'repeat'",
      replace: "if (generation === this.#theirs) return 'start'",
      killedBy: 'simulation',
    },
    {
      name: 'believes greetings of an older beginning',
      breaks: 'never continued',
      find: 'generation < this.#theirs ||',
      replace: '',
      killedBy: { file: 'test/unit/link/handshake.test.ts', test: '%s: %#' },
    },
    {
      name: 'does not see that the other has ended the link',
      breaks: 'never continued',
      find: "if (this.#theirs !== 0 && known === 0 && (this.#confirmed || !afterCut)) return 'forgotten'",
      replace: '',
      killedBy: { file: 'test/unit/link/handshake.test.ts', test: '%s: %#' },
    },
  ]),
  ...of('web/client/link/link.ts', [
    {
      name: 'does not tell of a gap',
      breaks: 'both told',
      find: '    if (greeting.afterCut) this.deps.gap(this)\n',
      replace: '',
      killedBy: { file: LINK, test: 'is told of a gap, and hears everything from there on' },
    },
    {
      name: 'stands still behind a signal that it cannot read',
      breaks: 'signals always arrive',
      find: '      this.badFrames += 1\n      return true\n',
      replace: '      this.badFrames += 1\n      return false\n',
      killedBy: { file: LINK, test: 'passes over a signal that it does not know, so that those after it are heard' },
    },
    {
      name: 'cuts nobody off who is silent',
      breaks: 'nobody waits for the slowest',
      find: 'this.sender.stalledMs(nowMs) > this.deps.maxLagMs()) this.cut()',
      replace: 'this.sender.stalledMs(nowMs) < 0) this.cut()',
      killedBy: { file: LINK, test: 'is told of a gap, and hears everything from there on' },
    },
    {
      name: 'does not wait for the new greeting to be confirmed',
      breaks: 'never continued',
      find: '    this.sender.held = again\n',
      replace: '',
      killedBy: { file: LINK, test: 'is not sent to before it has confirmed, so that its old receiver takes nothing' },
    },
    {
      name: 'leaves its timer running',
      breaks: 'it ends',
      find: '    this.#alarm.stop()\n',
      replace: '',
      killedBy: { file: LINK, test: 'has reported everything when the link ends, and leaves no timer' },
    },
    {
      name: 'reports nothing when the link ends',
      breaks: 'both told',
      find: '    this.sender.abandon(reason)\n',
      replace: '',
      killedBy: 'simulation',
      quick: true,
    },
    {
      name: 'answers pings by another path',
      breaks: 'usable once its own ping was answered',
      find: "if (via !== undefined) via.send('control', frame)\n    else this.#paths.relay?.send('control', frame)",
      replace: "this.sender.outlet?.send('control', frame)",
      killedBy: { file: LINK, test: 'answers a ping on the path it came by' },
    },
  ]),
  ...of('web/client/link/early-frames.ts', [
    {
      name: 'holds without bound what comes before the greeting',
      breaks: 'early frames are held',
      find: 'if (this.#bytes + frame.length > LIMITS.earlyBytes) return',
      replace: '',
      killedBy: { file: EDGES, test: 'is held up to 64 KiB, and no further' },
    },
  ]),
  ...of('web/client/link/link-intake.ts', [
    {
      name: 'drops what comes before the greeting',
      breaks: 'early frames are held',
      find: 'of this.#early.take()) take(frame, via)',
      replace: 'of this.#early.take().slice(0, 0)) take(frame, via)',
      killedBy: { file: EDGES, test: 'is handed on with the greeting, without another round trip' },
    },
    {
      name: 'does not acknowledge repeats at once',
      breaks: 'what was sent is acknowledged',
      find: "if (taken === 'repeat' && nowMs - this.#lastRepeatAckMs >= REPEAT_ACK_MS) {",
      replace: "if (taken === 'repeat' && nowMs < 0) {",
      killedBy: { file: LINK, test: 'acknowledges a repeat at once, however long it may wait otherwise' },
    },
    {
      name: 'acknowledges by its own path, however frames came',
      breaks: 'what was sent is acknowledged',
      find: 'const outlet = came ?? paths.outlet\n',
      replace: 'const outlet = paths.outlet ?? came\n',
      killedBy: {
        file: LINK,
        test: 'is acknowledged by the way its frames came, though the receiver still trusts a path that is dead',
      },
    },
  ]),
  ...of('web/client/link/link-paths.ts', [
    {
      name: 'sends nothing again that flew by a closed path',
      breaks: 'make before break',
      find: '    this.choose()\n    this.#deps.sender.loseFlight(path.tag)\n    return true\n',
      replace: '    this.choose()\n    return true\n',
      killedBy: { file: EDGES, test: 'by a path that closes goes by the relay at once' },
    },
    {
      name: 'sends nothing again that flew by a suspended path',
      breaks: 'suspicion is quick and cheap',
      find: '        this.choose()\n        sender.loseFlight(path.tag)\n      }\n',
      replace: '        this.choose()\n      }\n',
      killedBy: {
        file: 'test/simulation/rooms.test.ts',
        test: 'lose nothing when the direct path dies in silence, and the longest gap is short',
      },
    },
    {
      name: 'sends nothing again that went by a lost uplink',
      breaks: 'nothing lost',
      find: '    if (old !== undefined) this.#deps.sender.loseFlight(old.tag)\n',
      replace: '',
      killedBy: { file: EDGES, test: 'by an uplink that was lost goes by the new one at once' },
    },
    {
      name: 'does not tell which path is in use',
      breaks: 'path is told',
      find: '    this.#kind = kind\n',
      replace: '',
      killedBy: {
        file: LINK,
        test: 'goes over to a direct path when a ping on it was answered, and back when it goes silent',
      },
    },
  ]),
  ...of('web/client/link/watched-path.ts', [
    {
      name: 'trusts a path that has just opened',
      breaks: 'usable once its own ping was answered',
      find: "#trust: Trust = 'probing'",
      replace: "#trust: Trust = 'usable'",
      killedBy: { file: WATCHED, test: 'is not usable before its own ping was answered' },
    },
    {
      name: 'is cleared by the answer to an old ping',
      breaks: 'usable once its own ping was answered',
      find: '    this.#pings.clear()\n    this.#pingAtMs = nowMs\n',
      replace: '    this.#pingAtMs = nowMs\n',
      killedBy: { file: WATCHED, test: 'is not cleared by the answer to a ping from before the suspicion' },
    },
    {
      name: 'waits for ICE to notice a dead path',
      breaks: 'trust runs out',
      find: "        this.#become('suspended', nowMs)\n",
      replace: '',
      killedBy: {
        file: WATCHED,
        test: 'is suspended when the ping is overdue too, within half a second on a quick path',
      },
      quick: true,
    },
    {
      name: 'is never given up',
      breaks: 'trust runs out',
      find: 'nowMs - this.#sinceMs >= GIVE_UP_MS',
      replace: 'nowMs < 0',
      killedBy: { file: WATCHED, test: 'is given up after some seconds of silence, and not before' },
    },
    {
      name: 'is not pinged while it is idle',
      breaks: 'trust runs out',
      find: '(quicker ? PROBE_MS : KEEP_ALIVE_MS)',
      replace: '(quicker ? PROBE_MS : 1e12)',
      killedBy: { file: WATCHED, test: 'notices its death while it is idle' },
    },
    {
      name: 'is taken back at once after each failure',
      breaks: 'the best path',
      find: 'this.heldBackUntilMs = nowMs + Math.min(',
      replace: 'this.heldBackUntilMs = 0 * Math.min(',
      killedBy: {
        file: WATCHED,
        test: 'that returns is held back, longer with each failure, until it has been good for a while',
      },
    },
  ]),
  ...of('web/client/link/path-choice.ts', [
    {
      name: 'takes the quickest, whatever it is',
      breaks: 'the best path',
      find: 'if (RANK[a.kind] !== RANK[b.kind]) return RANK[a.kind] < RANK[b.kind]\n',
      replace: '',
      killedBy: { file: CHOICE, test: 'of %s with %s in use, %s is chosen: %s' },
    },
    {
      name: 'changes for any advantage',
      breaks: 'the best path',
      find: 'return aRttMs < bRttMs * CLEARLY && aRttMs < bRttMs - CLEARLY_MS',
      replace: 'return aRttMs < bRttMs',
      killedBy: { file: CHOICE, test: 'of %s with %s in use, %s is chosen: %s' },
    },
    {
      name: 'takes paths that are not usable',
      breaks: 'usable once its own ping was answered',
      find: 'candidates.filter((candidate) => candidate.usable)',
      replace: 'candidates.filter(() => true)',
      killedBy: { file: CHOICE, test: 'of %s with %s in use, %s is chosen: %s' },
      quick: true,
    },
  ]),
  ...of('web/client/link/relay-outlet.ts', [
    {
      name: 'goes on as before when the relay loses frames',
      breaks: 'the relay is not flooded',
      find: 'Math.max(LEAST_WINDOW_BYTES, this.#windowBytes / 2)',
      replace: 'this.#windowBytes',
      killedBy: {
        file: 'test/unit/link/relay-outlet.test.ts',
        test: 'is halved when frames were lost, once a round trip, and grows slowly from there',
      },
    },
  ]),
]
