import type { Hiding } from './conversation.ts'
import type { ExpectedPath } from './expected-path.ts'
import { SERVER_ADDRESS, TURN_ADDRESS } from './lab/addresses.ts'
import type { NatKind } from './lab/nat-kinds.ts'
import type { Client, Site } from './lab/site.ts'
import type { Stage } from './stage.ts'
import type { TalkPage } from './talk-page.ts'

/** Where a fault happens: two talkers at two sites, in the middle of a conversation, and a third site nearby. */
export interface Scene {
  readonly stage: Stage
  readonly sites: readonly [Site, Site, Site]
  readonly clients: readonly [Client, Client]
  readonly pages: readonly [TalkPage, TalkPage]
}

export interface Aims {
  /** The longest gap beyond the silence, ms. */
  readonly gapMs?: number
  /** From the end of the trouble until both are on the path `after`, ms. */
  readonly recoveryMs?: number
}

/** Where a path dies in silence and another is there; and how soon the best one is back once it can be. */
const DEATH: Aims = { gapMs: 500, recoveryMs: 2_000 }
/** Where the path in use goes on as if nothing had happened: what nobody sees. */
const UNTOUCHED: Aims = { gapMs: 100, recoveryMs: 2_000 }
const BACK: Aims = { recoveryMs: 2_000 }

export interface Fault {
  readonly name: string
  /** The kinds of the two sites. Default: port-restricted, both. */
  readonly kinds?: readonly [NatKind, NatKind]
  /** What everything to and from the first site takes longer, each way, from before the talk. Default 0. */
  readonly delayMs?: number
  /** The page of the first talker can be hidden; its timers are then held back. */
  readonly hideable?: Hiding
  /** The path before. Default: direct. */
  readonly before?: ExpectedPath
  /** The path in the end. Default: that before. */
  readonly after?: ExpectedPath
  /** What cannot be helped: nothing at all can come through for so long. Default 0. */
  readonly silenceMs?: number
  /** The longest gap may be so much longer than the silence: several times what is seen on a quiet machine. */
  readonly gapMs: number
  /** What is aimed at, told beside what was measured; a machine under load may miss it. Default: nothing. */
  readonly aims?: Aims
  /** Nobody tries to connect directly. */
  readonly relayOnly?: boolean
  /** The first talker's own timer is held back meanwhile: only what it hears counts for the gap. */
  readonly mute?: boolean
  /** The trouble begins. */
  begin(scene: Scene): Promise<void>
  /** How long it lasts, ms, before `end`. */
  readonly lastsMs: number
  /** It is over. Default: it is not, while the talk lasts. */
  readonly end?: (scene: Scene) => Promise<void>
  /** Puts the stage in order for the next one. Default: `end`. */
  readonly tidy?: (scene: Scene) => Promise<void>
}

const both = async ({ sites: [first, second] }: Scene, ...rules: readonly string[]): Promise<void> => {
  await Promise.all([first.trouble(...rules), second.trouble(...rules)])
}
const first = ({ sites: [site] }: Scene, ...rules: readonly string[]): Promise<void> => site.trouble(...rules)

const loss = (percent: number): Fault => ({
  name: `${percent} % of all packets lost, both ways`,
  gapMs: 2_500,
  aims: { gapMs: 500 },
  begin: (scene) => first(scene, `numgen random mod 1000 < ${percent * 10} drop`),
  lastsMs: 6_000,
  end: (scene) => first(scene),
})

const delay = (ms: number): Fault => ({
  name: `${ms} ms of delay each way, all of a sudden`,
  silenceMs: ms,
  gapMs: 2_500,
  aims: { gapMs: 500 },
  begin: ({ sites: [site] }) => site.delay(ms),
  lastsMs: 6_000,
  end: ({ sites: [site] }) => site.delay(0),
})

const cable = (seconds: number): Fault => ({
  name: `cable pulled for ${seconds} s`,
  silenceMs: seconds * 1_000,
  // The uplink's next try may be up to 10 s away when the network is back, and no event may call it sooner.
  gapMs: 12_000,
  aims: BACK,
  begin: ({ clients: [client] }) => client.pullCable(),
  lastsMs: seconds * 1_000,
  end: ({ clients: [client] }) => client.plugCable(),
})

/** Those that take longest first: they are shared out to the stages in this order. */
export const FAULTS: readonly Fault[] = [
  {
    // Chromium spares pages that are connected directly.
    name: 'a tab hidden for 65 s on the relay, whose timers are held back to one a minute',
    kinds: ['WebRTC blocked', 'WebRTC blocked'],
    before: 'relay',
    relayOnly: true,
    hideable: 'to the minute',
    mute: true,
    gapMs: 2_500,
    aims: { gapMs: 500 },
    begin: ({ pages: [page] }) => page.hide(),
    lastsMs: 65_000,
    end: async ({ pages: [page] }) => {
      const restMs = await page.evaluate(() => talker.longestRestMs())
      if (restMs < 20_000) throw new Error(`timers were not held back: ${Math.round(restMs)} ms at most`)
      await page.show()
    },
  },
  cable(15),
  {
    name: 'server unreachable while the direct path works',
    gapMs: 2_500,
    aims: UNTOUCHED,
    begin: (scene) => both(scene, `ip daddr ${SERVER_ADDRESS} drop`),
    lastsMs: 14_000,
    end: (scene) => both(scene),
  },
  {
    name: "a peer's browser stopped (SIGSTOP) for 10 s",
    silenceMs: 10_000,
    gapMs: 3_000,
    aims: BACK,
    begin: ({ clients: [client] }) => client.namespace.signal('SIGSTOP'),
    lastsMs: 10_000,
    end: ({ clients: [client] }) => client.namespace.signal('SIGCONT'),
  },
  {
    name: 'no way but the server for 20 s',
    gapMs: 2_500,
    aims: DEATH,
    begin: (scene) => both(scene, 'meta l4proto udp drop', `ip daddr ${TURN_ADDRESS} drop`),
    lastsMs: 20_000,
    end: (scene) => both(scene),
  },
  {
    name: 'a tab hidden for 10 s, whose timers are held back to one a second',
    hideable: 'to the second',
    silenceMs: 1_000,
    gapMs: 2_500,
    begin: ({ pages: [page] }) => page.hide(),
    lastsMs: 10_000,
    end: ({ pages: [page] }) => page.show(),
  },
  {
    name: 'UDP dropped for 3 s, at 50 ms of round trip',
    delayMs: 25,
    gapMs: 2_500,
    aims: DEATH,
    begin: (scene) => first(scene, 'meta l4proto udp drop'),
    lastsMs: 3_000,
    end: (scene) => first(scene),
  },
  {
    name: 'no way but the server for 6 s',
    gapMs: 2_500,
    aims: DEATH,
    begin: (scene) => both(scene, 'meta l4proto udp drop', `ip daddr ${TURN_ADDRESS} drop`),
    lastsMs: 6_000,
    end: (scene) => both(scene),
  },
  {
    name: 'UDP dropped in one direction for 6 s',
    gapMs: 2_500,
    aims: DEATH,
    begin: (scene) => first(scene, 'iifname "lan" meta l4proto udp drop'),
    lastsMs: 6_000,
    end: (scene) => first(scene),
  },
  {
    name: 'UDP dropped for good: TURN over TCP takes over',
    after: 'turn',
    gapMs: 2_500,
    aims: { gapMs: 500 },
    begin: (scene) => first(scene, 'meta l4proto udp drop'),
    lastsMs: 1_000,
    tidy: (scene) => first(scene),
  },
  {
    name: 'NAT rebinding: the router forgets its connections',
    kinds: ['symmetric', 'full cone'],
    gapMs: 2_500,
    aims: DEATH,
    begin: ({ sites: [site] }) => site.forgetConnections(),
    lastsMs: 3_000,
  },
  {
    name: 'switch to another network: new address, new NAT',
    gapMs: 8_000,
    aims: BACK,
    begin: ({ clients: [client], sites: [, , elsewhere] }) => client.plugInto(elsewhere),
    lastsMs: 1_000,
    tidy: ({ clients: [client], sites: [home] }) => client.plugInto(home),
  },
  loss(1),
  loss(5),
  loss(20),
  delay(30),
  delay(200),
  cable(3),
  {
    name: 'server killed and started again, on the direct path',
    gapMs: 2_500,
    aims: UNTOUCHED,
    begin: ({ stage }) => stage.services.server.kill(),
    lastsMs: 1_000,
    end: ({ stage }) => stage.services.server.start(),
  },
  {
    name: 'server killed and started again, on the relay',
    kinds: ['WebRTC blocked', 'WebRTC blocked'],
    before: 'relay',
    silenceMs: 1_000,
    gapMs: 8_000,
    aims: BACK,
    begin: ({ stage }) => stage.services.server.kill(),
    lastsMs: 1_000,
    end: ({ stage }) => stage.services.server.start(),
  },
  {
    name: 'coturn killed on a path through TURN, and started again',
    kinds: ['symmetric', 'symmetric'],
    before: 'turn',
    gapMs: 2_500,
    aims: DEATH,
    begin: ({ stage }) => stage.services.turn.kill(),
    lastsMs: 2_000,
    end: ({ stage }) => stage.services.turn.start(),
  },
]
