/** Faults in `signaling/`: forwarding, sessions, membership, slow readers. */
import { type Mutant, of } from '../mutant.ts'

const FORWARDING = 'test/unit/signaling/hub-forwarding.test.ts'
const SESSIONS = 'test/unit/signaling/hub-sessions.test.ts'
const JOIN = 'test/unit/signaling/hub-join.test.ts'
const SLOW = 'test/unit/signaling/hub-slow-reader.test.ts'
const EDGES = 'test/unit/signaling/hub-edges.test.ts'
const GATHERING = 'test/unit/signaling/hub-gathering.test.ts'

export const SERVER: readonly Mutant[] = [
  ...of('signaling/router/router.ts', [
    {
      name: 'forwards to those who are excepted',
      breaks: 'to whom it is addressed',
      find: 'if (excepted !== undefined) excepted.mark = this.#frame',
      replace: 'if (excepted !== undefined) excepted.mark = this.#frame - 1',
      killedBy: {
        file: FORWARDING,
        test: 'reaches one, several, all, and all but some, with the sender the session has',
      },
    },
    {
      name: 'forwards twice to who is named twice',
      breaks: 'to whom it is addressed',
      find: '      receiver.mark = this.#frame\n      this.#deliver(',
      replace: '      this.#deliver(',
      killedBy: { file: FORWARDING, test: 'gives a member named twice one frame, and one who names itself none' },
    },
    {
      name: 'forwards all but the first of several',
      breaks: 'to whom it is addressed',
      find: 'for (const id of ids) this.#deliverTo(',
      replace: 'for (const id of ids.slice(1)) this.#deliverTo(',
      killedBy: 'simulation',
    },
    {
      name: 'leaves the sender as the client wrote it',
      breaks: 'nobody speaks for another',
      find: '  stampSender(bytes, start, sender)\n',
      replace: '',
      killedBy: { file: FORWARDING, test: 'overwrites whatever sender a client writes' },
      quick: true,
    },
    {
      name: 'says nothing of frames for who is away',
      breaks: 'drops are told',
      find: "sender.dropReports.add(id, 'absent', this.#frame)",
      replace: '',
      killedBy: { file: FORWARDING, test: 'tells the sender who was away, at most once in 100 ms' },
    },
    {
      name: 'says nothing of frames for a slow reader',
      breaks: 'drops are told',
      find: "if (slot === undefined) sender.dropReports.add(receiver.id, 'slow', this.#frame)",
      replace: '',
      killedBy: { file: SLOW, test: 'has frames beyond its bound dropped, its senders told, and nobody else hurt' },
    },
  ]),
  ...of('signaling/router/waiting.ts', [
    {
      name: 'keeps every droppable frame',
      breaks: 'one waits in a slot',
      find: '    this.#slots.set(key, frames)\n',
      replace: '',
      killedBy: { file: SLOW, test: 'gets only the newest droppable frame of each sender and slot' },
    },
    {
      name: 'keeps the oldest droppable frame',
      breaks: 'one waits in a slot',
      find: '      older.length = 0\n      copyInto(older, source, start, end)\n',
      replace: '',
      killedBy: { file: SLOW, test: 'gets only the newest droppable frame of each sender and slot' },
    },
  ]),
  ...of('signaling/router/outlet.ts', [
    {
      name: 'lets frames overtake those that were gathered',
      breaks: 'gathered in order',
      find: 'if (now && this.#nothingWaits && this.#runEnd > 0) {',
      replace: 'if (now && this.#runEnd > 0) {',
      killedBy: {
        file: EDGES,
        test: 'frames keep their order when a large one, which is not gathered, follows small ones',
      },
    },
    {
      name: 'lets control messages overtake frames',
      breaks: 'gathered in order',
      find: 'if (!this.#blocked && !this.#nothingWaits) this.#flush()\n    if (this.#closed) return\n',
      replace: 'if (this.#closed) return\n',
      killedBy: {
        file: GATHERING,
        test: 'keeps frames and membership in order: joined before the first frame, left behind the last',
      },
    },
    {
      name: 'queues for a slow reader without bound',
      breaks: 'drops are told',
      find: 'if (waiting.bytes + end - start > mostBytes) return false',
      replace: '',
      killedBy: { file: SLOW, test: 'has frames beyond its bound dropped, its senders told, and nobody else hurt' },
    },
    {
      name: 'never closes a reader that takes nothing',
      breaks: 'a slow reader is closed late',
      find: '\n    this.#watchStall()\n',
      replace: '\n',
      killedBy: { file: SLOW, test: 'is closed when nothing drains for 10 s, and may come back as the same member' },
    },
  ]),
  ...of('signaling/rooms/room.ts', [
    {
      name: 'gives two events one version',
      breaks: 'versions without a gap',
      find: '    this.#version += 1\n',
      replace: '    if (this.#version % 3 !== 2) this.#version += 1\n',
      killedBy: { file: SESSIONS, test: 'gives events consecutive versions, and snapshots at one' },
    },
    {
      name: 'tells nobody of a departure',
      breaks: 'gone when nobody reaches it',
      // With its version: of a version that is missing they would ask.
      find: `    const left: ServerMessage = { t: 'left', version: this.#nextVersion(), id: member.id, reason }
    this.#publish(member.id, keepMs === undefined ? left : { ...left, keepMs })
`,
      replace: '',
      killedBy: 'simulation',
    },
    {
      name: 'makes two members of a join that is repeated',
      breaks: 'requests are idempotent',
      find: '    this.#byJoinKey.set(member.joinKey, member)\n',
      replace: '',
      killedBy: {
        file: JOIN,
        test: 'makes one member of a join that is repeated on another uplink because its answer was lost',
      },
    },
  ]),
  ...of('signaling/sessions/sessions.ts', [
    {
      name: 'makes a new member of one that comes back',
      breaks: 'sessions outlive connections',
      find: '      return this.#comeBack(known, asked, uplink, true, grant)\n',
      replace: '',
      killedBy: { file: SESSIONS, test: 'brings a member back after its uplink dropped, as the same member' },
    },
    {
      name: 'gives another id after a restart',
      breaks: 'sessions outlive connections',
      find: 'id: claims?.peerId ?? this.#newId(room),',
      replace: 'id: this.#newId(room),',
      killedBy: { file: SESSIONS, test: 'brings a member back after a restart with the same key, in a new epoch' },
    },
    {
      name: 'takes back those who left',
      breaks: 'departed ids are refused',
      find: "if (departures.has(peerId, clock.nowMs())) throw sessionEnded('the member has left')",
      replace: '',
      killedBy: { file: SESSIONS, test: 'that %s are refused %s' },
      quick: true,
    },
    {
      name: 'takes a token of another instance',
      breaks: 'departed ids are refused',
      find: 'if (room !== message.room || instance !== message.instance) throw invalidToken()',
      replace: 'if (room !== message.room) throw invalidToken()',
      killedBy: { file: EDGES, test: 'a token is good with the %s only that it was given for' },
    },
    {
      name: 'keeps those who never come back',
      breaks: 'closed tabs do not linger',
      find: "member.graceTimer = clock.setTimeout(() => this.end(member, 'expired'), graceMs)",
      replace: '',
      killedBy: { file: SESSIONS, test: 'lets a member go when its grace period is over' },
    },
    {
      name: 'keeps the older uplink of a session',
      breaks: 'the newer connection wins',
      find: '    older?.replaced()\n',
      replace: '',
      killedBy: { file: SESSIONS, test: 'replaces the older uplink by the newer one, and nobody sees a change' },
    },
  ]),
  ...of('signaling/sessions/requests.ts', [
    {
      name: 'forgets to renew',
      breaks: 'tokens are renewed',
      find: "uplink.say({ t: 'renewed', re, ...sessions.credentials(member), ...info })",
      replace: '',
      killedBy: { file: SESSIONS, test: 'refuses a token that has run out, and renews it in time when asked' },
    },
    {
      name: 'lets a member that left linger',
      breaks: 'closed tabs do not linger',
      find: "      sessions.end(member, 'left')\n",
      replace: '',
      killedBy: { file: SESSIONS, test: 'lets a member leave at once' },
    },
  ]),
]
