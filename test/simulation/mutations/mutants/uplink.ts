/** Faults in `web/client/uplink/` and in what a client knows of its room: coming back, asking again, pace. */
import { type Mutant, of } from '../mutant.ts'

const JOINING = 'test/unit/uplink/joining.test.ts'
const COMING_BACK = 'test/unit/uplink/coming-back.test.ts'
const PINGS = 'test/unit/uplink/pings.test.ts'
const REQUESTS = 'test/unit/uplink/requests.test.ts'
const FRAMES = 'test/unit/uplink/frames.test.ts'
const OUTBOX = 'test/unit/uplink/outbox.test.ts'
const MEMBERSHIP = 'test/unit/uplink/membership.test.ts'

export const UPLINKS: readonly Mutant[] = [
  ...of('web/client/uplink/session.ts', [
    {
      name: 'comes back as somebody new',
      breaks: 'sessions outlive connections',
      find: 'const { token } = this.#credentials\n',
      replace: 'const token: string | undefined = undefined\n',
      killedBy: { file: COMING_BACK, test: 'resumes with the token nearly at once after a drop' },
      quick: true,
    },
  ]),
  ...of('web/client/uplink/uplink.ts', [
    {
      name: 'asks nothing again on a new carrier',
      breaks: 'requests are idempotent',
      find: '      this.#requests.repeat()\n',
      replace: '',
      killedBy: { file: REQUESTS, test: 'an unanswered request is repeated on the next carrier' },
    },
    {
      name: 'keeps frames that waited for the lost carrier',
      breaks: 'nothing twice',
      find: '        this.#outbox.close()\n        this.#heartbeat.stop()\n',
      replace: '        this.#heartbeat.stop()\n',
      killedBy: { file: FRAMES, test: 'that wait when the carrier is lost are dropped' },
    },
  ]),
  ...of('web/client/uplink/standing.ts', [
    {
      name: 'waits for ever for a welcome',
      breaks: 'trust runs out',
      find: "clock.setTimeout(() => this.lost(CLOSE.timeout, 'no welcome in time'), JOIN_MS)",
      replace: 'clock.setTimeout(() => {}, JOIN_MS)',
      killedBy: { file: JOINING, test: 'gives up a welcome that does not come, and tries again' },
    },
  ]),
  ...of('web/client/uplink/network-watch.ts', [
    {
      name: 'says nothing when its page hides',
      breaks: 'closed tabs do not linger',
      find: '      this.#hidden = true\n      this.#grace(HIDDEN_GRACE_MS)\n',
      replace: '      this.#hidden = true\n',
      killedBy: { file: REQUESTS, test: 'asks for a short grace, and for the whole one when it is back' },
    },
  ]),
  ...of('web/client/uplink/verdict.ts', [
    {
      name: 'fights with its own newer connection',
      breaks: 'the newer connection wins',
      find: "      return end('replaced', 'a newer connection took this session over')\n",
      replace: '      return RETRY\n',
      killedBy: { file: COMING_BACK, test: 'close code %d is the end, and leaves nothing running' },
    },
    {
      name: 'comes back with the token of a session that is over',
      breaks: 'departed ids are refused',
      find: '    case CLOSE.sessionEnded:\n      return REJOIN\n',
      replace: '    case CLOSE.sessionEnded:\n      return RETRY\n',
      killedBy: { file: COMING_BACK, test: 'joins anew when an online session is closed as over' },
    },
  ]),
  ...of('web/client/uplink/heartbeat.ts', [
    {
      name: 'trusts a carrier that answers no ping',
      breaks: 'trust runs out',
      find: '      this.stop()\n      dead()\n',
      replace: '      this.stop()\n',
      killedBy: { file: PINGS, test: 'unanswered: the carrier is abandoned' },
      quick: true,
    },
  ]),
  ...of('web/client/uplink/credentials.ts', [
    {
      name: 'renews when it is too late',
      breaks: 'tokens are renewed',
      find: 'const RENEW_AT = 0.75',
      replace: 'const RENEW_AT = 1.25',
      killedBy: { file: REQUESTS, test: 'are renewed before the first of them ends' },
    },
  ]),
  ...of('web/client/uplink/outbox.ts', [
    {
      name: 'sends faster than the server allows',
      breaks: 'the relay is not flooded',
      find: 'Math.max(socketMs, open.messages.waitMs(1, now), open.bytes.waitMs(firstBytes, now))',
      replace: 'Math.max(socketMs, open.messages.waitMs(1, now))',
      killedBy: { file: OUTBOX, test: 'stays within the limits of the server, and uses most of them (seed %i)' },
    },
    {
      name: 'keeps the older of two in one slot',
      breaks: 'one waits in a slot',
      find: '      before.frame = frame\n',
      replace: '',
      killedBy: { file: OUTBOX, test: 'take the place of the one that waits in the same slot for the same address' },
    },
    {
      name: 'does not tell that there is room again',
      breaks: 'nothing lost',
      find: 'queueMicrotask(() => this.#dependencies.writable())',
      replace: '',
      killedBy: {
        file: OUTBOX,
        test: 'with a full socket it takes 256 KiB, then says no, and tells when there is room',
      },
    },
    {
      name: 'takes more than its bound',
      breaks: 'the relay is not flooded',
      find: '(this.#bytes + more <= QUEUE_BYTES || this.#bytes === 0)',
      replace: '(this.#bytes + more >= 0 || this.#bytes === 0)',
      killedBy: {
        file: OUTBOX,
        test: 'with a full socket it takes 256 KiB, then says no, and tells when there is room',
      },
    },
  ]),
  ...of('web/client/membership.ts', [
    {
      name: 'does not notice a missing event',
      breaks: 'versions without a gap',
      find: 'if (message.version !== this.#version + 1) {',
      replace: 'if (message.version < this.#version) {',
      killedBy: {
        file: MEMBERSHIP,
        test: 'old versions are ignored; a missing one asks for a snapshot, once, and nothing counts before it',
      },
    },
    {
      name: 'takes events from before the snapshot',
      breaks: 'versions without a gap',
      find: 'if (this.#lacking || message.version <= this.#version) return',
      replace: 'if (this.#lacking) return',
      killedBy: {
        file: MEMBERSHIP,
        test: 'old versions are ignored; a missing one asks for a snapshot, once, and nothing counts before it',
      },
    },
    {
      name: 'takes a new epoch for a room that is empty',
      breaks: 'away, not gone',
      find: 'if (entry.listed && !restarted) this.#left(',
      replace: 'if (entry.listed) this.#left(',
      killedBy: { file: MEMBERSHIP, test: 'who is missing is away for a grace period, and back when it shows up' },
      quick: true,
    },
    {
      name: 'lets grace run out while it is offline itself',
      breaks: 'away, not gone',
      find: 'for (const entry of this.#entries.values()) this.#disarm(entry)',
      replace: '',
      killedBy: {
        file: MEMBERSHIP,
        test: 'the grace period is one online: it starts anew when the uplink was lost meanwhile',
      },
    },
    {
      name: 'ends a link that a direct path still carries',
      breaks: 'gone when nobody reaches it',
      find: "if (reason === 'expired' && this.#isKept(id, entry)) this.#unlist(id, entry)",
      replace: "if (reason !== 'expired' && this.#isKept(id, entry)) this.#unlist(id, entry)",
      killedBy: {
        file: MEMBERSHIP,
        test: 'stays, away, when its grace at the server ran out, until the path is gone for a grace period',
      },
    },
    {
      name: 'waits for ever for one that is unlisted',
      breaks: 'gone when nobody reaches it',
      find: "      else this.#remove(id, 'expired')\n",
      replace: '',
      killedBy: {
        file: MEMBERSHIP,
        test: 'the grace period is one online: it starts anew when the uplink was lost meanwhile',
      },
    },
    {
      name: 'continues the link of another instance',
      breaks: 'never continued',
      find: 'entry.info.instance !== member.instance',
      replace: 'entry.info.id !== member.id',
      killedBy: { file: MEMBERSHIP, test: 'the same id with another instance is another member' },
    },
  ]),
]
