import { at, promised } from './promised.ts'

const link = at('test/unit/link/link.test.ts')
const membership = at('test/unit/uplink/membership.test.ts')
const sessions = at('test/unit/signaling/hub-sessions.test.ts')
const comingBack = at('test/unit/uplink/coming-back.test.ts')
const requests = at('test/unit/uplink/requests.test.ts')

/** Who is here, and sessions. */
export const MEMBERS = promised({
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
      ...comingBack('resumes with the token nearly at once after a drop'),
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
      ...requests('are renewed before the first of them ends'),
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
      ...requests('asks for a short grace, and for the whole one when it is back'),
      ...sessions('lets a member go when its grace period is over', 'lets a member leave at once'),
    ],
  },
})
