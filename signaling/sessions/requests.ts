import type { Access } from '../access/access-tokens.ts'
import { accessInfo, type Grant } from '../access/grant.ts'
import { accessRefusal } from '../access/refusal.ts'
import type { Clock } from '../clock.ts'
import type { HistoryDesk } from '../history/desk.ts'
import type { HubOptions } from '../limits/hub-options.ts'
import { spread } from '../limits/spread.ts'
import type { ClientMessage, ServerMessage } from '../protocol/control.ts'
import { CLOSE } from '../protocol/errors.ts'
import { type Json, utf8Bytes } from '../protocol/guards.ts'
import type { HistoryRequest } from '../protocol/history.ts'
import type { FillRandom } from '../protocol/ids.ts'
import { Refusal } from '../refusal.ts'
import type { Member, SessionUplink } from './member.ts'
import type { Sessions } from './sessions.ts'

/** What serving the requests of an uplink takes, of the hub. */
export interface RequestDependencies {
  readonly options: HubOptions
  readonly clock: Clock
  readonly random: FillRandom
  readonly sessions: Sessions
  readonly history: HistoryDesk<Member>
  /** Asked about every join; undefined lets everyone in. */
  readonly access: Access | undefined
}

/** And of the uplink. */
export interface RequestUplink extends SessionUplink {
  readonly open: boolean
  /** Nothing more is handled until `release`. */
  hold(): void
  release(): void
  /** Returns the length of what was said. */
  say(message: ServerMessage): number
  /** Answers the request `re` with why it is not granted, and closes the uplink where that is the end. */
  fail(error: unknown, re?: number): void
  end(code: number, reason: string, last?: readonly ServerMessage[]): void
  /** From now on this grant counts. */
  granted(grant: Grant): void
}

/** Checking a signature takes up to 0.2 ms: whoever renews without end may do so 64 times a second. */
const CHECK_COST_BYTES = 65_536

/** Does what a member asks for. @throws Refusal when it is not granted */
export function serve(
  message: Exclude<ClientMessage, { readonly t: 'join' | 'grace' }>,
  member: Member,
  uplink: RequestUplink,
  dependencies: RequestDependencies,
): void {
  const { sessions, clock, options } = dependencies
  switch (message.t) {
    case 'profile':
      checkProfile(message.profile, options)
      sessions.setProfile(member, message.profile)
      uplink.say({ t: 'ok', re: message.id })
      return
    case 'renew':
      renew(message.id, message.access, member, uplink, dependencies)
      return
    case 'snapshot': {
      const { epoch, version } = member.room
      // Up to a megabyte for a few bytes: who asks, pays.
      member.rate.charge(
        uplink.say({ t: 'snapshot', re: message.id, epoch, version, members: member.room.others(member.id) }),
      )
      return
    }
    case 'leave':
      sessions.end(member, 'left')
      uplink.end(CLOSE.normal, 'left', [{ t: 'ok', re: message.id }])
      return
    case 'ping':
      member.seen(message.published)
      uplink.say({
        ...{ t: 'pong', n: message.n, timeMs: clock.nowMs() },
        // It hears of no events, and would miss them.
        ...(member.hidden ? {} : { version: member.room.version }),
      })
      return
    case 'history':
    case 'read':
    case 'positions':
      ask(message, member, uplink, dependencies)
      return
  }
}

/** A profile is the application's: too large a one is refused, and only in `join` the uplink with it. */
export function checkProfile(profile: Json, { profileBytes }: HubOptions, close?: number): void {
  if (utf8Bytes(JSON.stringify(profile)) <= profileBytes) return
  throw new Refusal('too-large', `profile: expected at most ${profileBytes} bytes of JSON`, close)
}

/** Pages are large: the next request waits for this one, so that what is asked for is paid before more is. */
function ask(request: HistoryRequest, member: Member, uplink: RequestUplink, { history }: RequestDependencies): void {
  const paged = request.t === 'history'
  if (paged) uplink.hold()
  void history
    .request(member, request)
    .then((answer) => {
      if (uplink.open) member.rate.charge(uplink.say(answer))
    })
    .catch((error: unknown) => uplink.fail(error, request.id))
    .then(() => {
      if (paged) uplink.release()
    })
}

function renew(
  re: number,
  token: string | undefined,
  member: Member,
  uplink: RequestUplink,
  dependencies: RequestDependencies,
): void {
  const { access, sessions } = dependencies
  const renewed = (): void => {
    const info = access === undefined ? {} : { access: accessInfo(member.grant) }
    uplink.say({ t: 'renewed', re, ...sessions.credentials(member), ...info })
  }
  if (access === undefined || token === undefined) {
    renewed()
    return
  }
  member.rate.charge(CHECK_COST_BYTES)
  whenChecked({ token, room: member.room.name, re, fatal: false }, uplink, dependencies, (grant) => {
    // It may have been removed meanwhile, or have come back by another uplink.
    if (grant === undefined || member.uplink !== uplink) return
    sessions.regrant(member, grant)
    uplink.granted(grant)
    renewed()
  })
}

/** A word for what a client may do, and the request it came with: whether a bad one is the end of the uplink. */
interface AccessClaim {
  readonly token: string | undefined
  readonly room: string
  readonly re: number
  readonly fatal: boolean
}

/** Act when it is known what the access token allows; what comes meanwhile waits. At once where none is asked for. */
export function whenChecked(
  { token, room, re, fatal }: AccessClaim,
  uplink: RequestUplink,
  { access, options, random }: RequestDependencies,
  act: (grant: Grant | undefined) => void,
): void {
  if (access === undefined) {
    act(undefined)
    return
  }
  uplink.hold()
  void access
    .check(token, room)
    .then((grant) => {
      if (uplink.open) act(grant)
    })
    .catch((error: unknown) => uplink.fail(accessRefusal(error, fatal, spread(options.retryAfterMs, random)), re))
    .then(() => uplink.release())
}
