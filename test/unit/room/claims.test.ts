import { expect, it } from 'vitest'
import type { InstanceId, Json, MemberInfo, PeerId } from '../../../signaling/protocol/index.ts'
import { SignedChannels } from '../../../web/client/channel/signed.ts'
import { RoomClaims, type RoomClaimsDeps } from '../../../web/client/room-claims.ts'
import type { RoomPeer } from '../../../web/client/room-peer.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { nodePrimitives } from '../../support/node-primitives.ts'

const ID = '00000000000000aa' as PeerId
const ADAS = '000000000000000000000000000000aa' as InstanceId
const MALLORYS = '000000000000000000000000000000bb' as InstanceId
const key = (letter: string): string => letter.repeat(87)
const member = (instance: InstanceId): MemberInfo =>
  ({ id: ID, instance, profile: null, presence: 'here', seal: '' }) as never

function stage() {
  const peers = new Map<PeerId, RoomPeer<Json>>()
  const refused: string[] = []
  const digests: ((digest: string) => void)[] = []
  const deps = {
    clock: new SimClock(),
    room: 'lobby',
    instance: '000000000000000000000000000000cc' as InstanceId,
    profile: null,
    primitives: nodePrimitives(new SeededRandom(1).fill),
    gate: {
      admits: ({ id, instance }: MemberInfo) => peers.get(id)?.info.instance === instance,
      digest: () => new Promise<string>((resolve) => digests.push(resolve)),
      refuse: (_id: PeerId, code: string) => refused.push(code),
      profiles: undefined,
    },
    links: { say: () => {}, get: (id: PeerId) => peers.get(id), peers, drain: () => {}, outbox: {} },
    changed: () => {},
    withheld: () => {},
    signing: async () => SignedChannels,
  } as unknown as RoomClaimsDeps
  const shows = (instance: InstanceId): RoomPeer<Json> => {
    const peer = { id: ID, info: member(instance) } as RoomPeer<Json>
    peers.set(ID, peer)
    return peer
  }
  return { claims: new RoomClaims(deps), deps, shows, refused, digests }
}

/** Until what it loads is there. */
const loaded = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('does not take what a member says for that of another who is shown under its id meanwhile', async () => {
  const { claims, shows, refused } = stage()
  const mallory = shows(MALLORYS)
  claims.heard(mallory, { t: 'signer', key: key('M') })
  const ada = shows(ADAS)
  await loaded()
  claims.heard(ada, { t: 'signer', key: key('A') })
  claims.heard(mallory, { t: 'signer', key: key('M') })
  expect(refused).toEqual([])
  // The first one counts: it is ada's.
  claims.heard(ada, { t: 'signer', key: key('M') })
  expect(refused).toEqual(['seal-changed'])
  claims.close()
})

it('does not keep the profile of who has gone while its digest was made', async () => {
  const { claims, deps, shows, digests } = stage()
  shows(MALLORYS)
  const shown = claims.shown(member(MALLORYS), 'theirs')
  shows(ADAS)
  for (const made of digests) made('theirs')
  await shown
  expect(deps.gate.profiles?.verified(ID)).toBeUndefined()
  claims.close()
})
