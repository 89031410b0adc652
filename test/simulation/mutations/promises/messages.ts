import { at, promised } from './promised.ts'

const rooms = at('test/simulation/rooms.test.ts')
const sending = at('test/unit/delivery/sending.test.ts')
const receiving = at('test/unit/delivery/receiving.test.ts')
const audiences = at('test/unit/delivery/audiences.test.ts')
const link = at('test/unit/link/link.test.ts')
const twoSides = at('test/unit/paths/two-sides.test.ts')

/** What a member may count on for every message. */
export const MESSAGES = promised({
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
})
