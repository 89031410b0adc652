import { AccessError } from '../../../signaling/access/access-error.ts'
import type { Access } from '../../../signaling/access/access-tokens.ts'
import { ALL_RIGHTS, type Grant, OPEN_GRANT } from '../../../signaling/access/grant.ts'
import type { Clock } from '../../../signaling/clock.ts'
import { MemoryCells } from '../../../signaling/history/cells.ts'
import { LogStore } from '../../../signaling/history/log-store.ts'
import { parseHistoryRule } from '../../../signaling/history/rules.ts'
import type { SeededRandom } from '../../simulation/seeded-random.ts'

const MAILBOXES = 50
const MOST_BYTES = 8_388_608
/** No more than these, whatever comes. */
export const MOST_KEPT = { logs: 400, bytes: MOST_BYTES }
const TERM_MS = 60_000

/** Everything is kept, within narrow bounds. */
export function keptInMemory(clock: Clock, random: SeededRandom, defects: unknown[]) {
  const rules = [parseHistoryRule('*;messages=50;mail=10;age=1h')].flatMap((rule) => rule ?? [])
  const store = new LogStore({
    cells: new MemoryCells(),
    nowMs: () => clock.nowMs(),
    random: random.fill,
    bounds: ({ user }) => ({ messages: user === undefined ? 50 : 10, ageMs: 3_600_000 }),
    mostBytes: MOST_BYTES,
    // Of each user, and of the one address from which the others come.
    limits: () => ({ mailboxesPerRoom: MAILBOXES, newLogsPerHour: 50 }),
    failed: (error) => void defects.push({ err: error }),
  })
  return { rules, store }
}

/** Who brings no token may do everything; who brings one that can be read is its user. Nothing is signed here. */
export const believing = (clock: Clock): Access => ({
  async check(token): Promise<Grant> {
    if (token === undefined) return OPEN_GRANT
    const user = userIn(token)
    if (user === undefined) throw new AccessError('denied', 'not one of ours')
    return { userId: user, rights: ALL_RIGHTS, profile: undefined, expiresAtMs: clock.nowMs() + TERM_MS }
  },
})

const SUBJECT = /"sub":"([\w-]{1,64})"/

function userIn(token: string): string | undefined {
  const [, payload = ''] = token.split('.')
  return SUBJECT.exec(Buffer.from(payload, 'base64url').toString())?.[1]
}
