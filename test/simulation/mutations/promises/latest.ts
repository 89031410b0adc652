import { at, promised } from './promised.ts'

const outbox = at('test/unit/uplink/outbox.test.ts')
const latest = at('test/unit/channel/latest.test.ts')
const slowReader = at('test/unit/signaling/hub-slow-reader.test.ts')

/** Of a `latest` channel. */
export const LATEST = promised({
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
})
