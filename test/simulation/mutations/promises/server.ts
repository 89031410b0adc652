import { at, promised } from './promised.ts'

const forwarding = at('test/unit/signaling/hub-forwarding.test.ts')
const gathering = at('test/unit/signaling/hub-gathering.test.ts')
const joining = at('test/unit/signaling/hub-join.test.ts')
const slowReader = at('test/unit/signaling/hub-slow-reader.test.ts')
const requests = at('test/unit/uplink/requests.test.ts')

/** What the server forwards and tells. */
export const SERVER = promised({
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
      ...requests('an unanswered request is repeated on the next carrier'),
      ...joining('makes one member of a join that is repeated on another uplink because its answer was lost'),
    ],
  },
})
