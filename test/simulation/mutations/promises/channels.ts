import { at, promised } from './promised.ts'

const room = at('test/unit/room/room.test.ts')
const offers = at('test/unit/channel/offer.test.ts')
const procedures = at('test/unit/channel/procedure.test.ts')

/** Channels, files and procedures. */
export const CHANNELS = promised({
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
