import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatIp, parseIp } from '../../turn/address.ts'
import { deniedRange } from '../../turn/denied-peers.ts'
import { DENIED_PEER_RANGES, type DeniedPeerKind } from '../../turn/index.ts'
import { type RunningTurn, startTurn } from './running-turn.ts'
import { familyOf, type TurnClient } from './turn-client.ts'

const FORBIDDEN = 403
const ALLOWED = 0

/** Written down from what these addresses are, not from the table that is being tested. */
const INNER: readonly (readonly [address: string, what: string])[] = [
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'this network'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private, the last'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['100.100.100.200', 'metadata of Alibaba Cloud'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['168.63.129.16', 'metadata of Azure'],
  ['169.254.1.1', 'link-local'],
  ['169.254.169.254', 'cloud metadata'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.192', 'metadata of Oracle Cloud'],
  ['192.0.2.1', 'documentation'],
  ['192.88.99.1', '6to4 relay'],
  ['192.168.0.1', 'private'],
  ['192.168.255.255', 'private'],
  ['198.18.0.1', 'benchmark'],
  ['198.19.255.255', 'benchmark'],
  ['198.51.100.1', 'documentation'],
  ['203.0.113.7', 'documentation'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.250', 'multicast, SSDP'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::7f00:1', 'IPv4-compatible loopback'],
  ['::ffff:127.0.0.1', 'IPv4-mapped loopback'],
  ['::ffff:10.0.0.1', 'IPv4-mapped private'],
  ['::ffff:169.254.169.254', 'IPv4-mapped metadata'],
  ['::ffff:0:10.0.0.1', 'IPv4-translated private'],
  ['64:ff9b::a00:1', 'NAT64 private'],
  ['64:ff9b:1::a00:1', 'NAT64 with a local prefix'],
  ['100::1', 'discard-only'],
  ['2001::1', 'Teredo'],
  ['2001:2::1', 'benchmark'],
  ['2001:10::1', 'ORCHID'],
  ['2001:20::1', 'ORCHID v2'],
  ['2001:db8::1', 'documentation'],
  ['2002:a00:1::1', '6to4 private'],
  ['2002:7f00:1::1', '6to4 loopback'],
  ['3fff::1', 'documentation'],
  ['5f00::1', 'segment routing'],
  ['fc00::1', 'unique local'],
  ['fd00:ec2::254', 'metadata of AWS'],
  ['fd20:ce::254', 'metadata of Google Cloud'],
  ['fd12:3456:789a::1', 'unique local'],
  ['fe80::1', 'link-local'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
]

/** Public addresses, most of them just outside of a denied range. Nothing is sent to them. */
const PUBLIC: readonly string[] = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '168.63.129.17',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.0.3.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '203.0.112.255',
  '203.0.114.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2003::1',
  '2600::1',
  '2a00:1450::1',
  '3ffe:ffff::1',
]

/** An IPv4 and an IPv6 allocation, and what they say to a peer. */
async function prober(running: RunningTurn) {
  const clients = new Map<4 | 6, TurnClient>()
  for (const family of [4, 6] as const) {
    const client = await running.client({ address: family === 4 ? '127.0.0.1' : '::1' })
    await client.allocate(family)
    clients.set(family, client)
  }
  const clientFor = (peer: string): TurnClient => {
    const client = clients.get(familyOf(peer))
    if (!client) throw new Error(`no allocation for ${peer}`)
    return client
  }
  let channel = 0x4000
  return {
    permission: (peer: string) => clientFor(peer).codeOf(clientFor(peer).createPermission(peer)),
    channel: (peer: string) => clientFor(peer).codeOf(clientFor(peer).channelBind(channel++, peer, 9)),
    close: () => Promise.all([...clients.values()].map((client) => client.close())),
  }
}

type Prober = Awaited<ReturnType<typeof prober>>

/** Both ends and the middle of every range of the table. */
const samples = DENIED_PEER_RANGES.flatMap((entry) => {
  const { first, last } = deniedRange(entry)
  const middle = { family: first.family, value: (first.value + last.value) / 2n }
  return [...new Set([first, middle, last].map(formatIp))].map((address) => ({ address, kind: entry.kind }))
})

/** The addresses whose code is not the expected one, so that a failure names them all. */
async function surprises(
  addresses: readonly string[],
  expected: (address: string) => number,
  ask: (address: string) => Promise<number>,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const address of addresses) {
    const code = await ask(address)
    if (code !== expected(address)) found.push(`${address}: ${code}`)
  }
  return found
}

describe('a coturn with the default options', () => {
  let running: RunningTurn
  let peers: Prober
  beforeAll(async () => {
    running = await startTurn()
    peers = await prober(running)
  })
  afterAll(async () => {
    await peers?.close()
    await running?.turn.stop()
  })

  test('refuses a permission for every address that is not a public one', async () => {
    const addresses = INNER.map(([address]) => address)
    expect(await surprises(addresses, () => FORBIDDEN, peers.permission)).toEqual([])
  })

  test('refuses a permission for both ends and the middle of every denied range', async () => {
    const addresses = samples.map(({ address }) => address)
    expect(await surprises(addresses, () => FORBIDDEN, peers.permission)).toEqual([])
  })

  test('refuses a channel where it refuses a permission', async () => {
    const addresses = [...INNER.map(([address]) => address), ...samples.map(({ address }) => address)]
    expect(await surprises(addresses, () => FORBIDDEN, peers.channel)).toEqual([])
  })

  test('decides on addresses anywhere in the IPv6 space as the table does', async () => {
    // A fixed walk through the space (a multiplicative congruence): the same addresses in every run.
    const anywhere = Array.from({ length: 300 }, (_, index) => {
      const scattered = (BigInt(index + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835n) & ((1n << 128n) - 1n)
      // A third in 2000::/3, where the public ones are; a third in ::/8, which coturn makes hard.
      return [scattered, (1n << 125n) | (scattered >> 3n), scattered >> 8n][index % 3] ?? 0n
    })
    const denied = (address: string): number => {
      const value = parseIp(address)?.value ?? 0n
      const within = DENIED_PEER_RANGES.map(deniedRange).some(
        ({ first, last }) => first.family === 6 && first.value <= value && value <= last.value,
      )
      return within ? FORBIDDEN : ALLOWED
    }
    const addresses = anywhere.map((value) => formatIp({ family: 6, value }))
    expect(new Set(addresses.map(denied))).toEqual(new Set([FORBIDDEN, ALLOWED]))
    expect(await surprises(addresses, denied, peers.permission)).toEqual([])
  })

  test('gives a permission for public addresses, also right beside denied ranges', async () => {
    expect(await surprises(PUBLIC, () => ALLOWED, peers.permission)).toEqual([])
  })

  test('understands every line of its configuration', () => {
    expect(running.turn.state).toMatchObject({ status: 'running', complaints: [] })
    expect(running.log.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('a coturn with allowPrivatePeers', () => {
  let running: RunningTurn
  let peers: Prober
  beforeAll(async () => {
    running = await startTurn({ allowPrivatePeers: true })
    peers = await prober(running)
  })
  afterAll(async () => {
    await peers?.close()
    await running?.turn.stop()
  })

  test('opens private, loopback and documentation addresses, and nothing else', async () => {
    const opened: readonly DeniedPeerKind[] = ['private', 'loopback', 'documentation']
    const kindOf = new Map(samples.map(({ address, kind }) => [address, kind]))
    // ::1 is the one address of two kinds. The metadata ranges inside a private one have samples of their own.
    const expected = (address: string): number =>
      opened.some((kind) => kindOf.get(address) === kind) ? ALLOWED : FORBIDDEN
    expect(await surprises([...kindOf.keys()], expected, peers.permission)).toEqual([])
    expect(await surprises(PUBLIC, () => ALLOWED, peers.permission)).toEqual([])
  })

  test('carries data between two allocations on one machine', async () => {
    const [a, b] = [await running.client(), await running.client({ transport: 'tcp' })]
    const [atA, atB] = [await a.allocate(), await b.allocate()]
    await a.createPermission(atB.address)
    await b.createPermission(atA.address)
    const received = b.received()
    a.send(atB.address, atB.port, Buffer.from('through both'))
    expect(await received).toEqual({ from: '127.0.0.1', data: Buffer.from('through both') })
    await Promise.all([a.close(), b.close()])
  })
})

describe('allowPeers and denyPeers', () => {
  let running: RunningTurn
  let peers: Prober
  beforeAll(async () => {
    running = await startTurn({ allowPeers: ['10.20.0.0/16', 'fd12::/64'], denyPeers: ['8.8.0.0/16', '2600::/32'] })
    peers = await prober(running)
  })
  afterAll(async () => {
    await peers?.close()
    await running?.turn.stop()
  })

  test('open and close exactly what they name', async () => {
    const allowed = ['10.20.0.0', '10.20.255.255', 'fd12::1', '8.7.255.255', '8.9.0.0', '2600:1::']
    const refused = ['10.19.255.255', '10.21.0.0', 'fd12:0:0:1::', '8.8.0.0', '8.8.255.255', '2600::1', '192.168.0.1']
    expect(await surprises(allowed, () => ALLOWED, peers.permission)).toEqual([])
    expect(await surprises(refused, () => FORBIDDEN, peers.permission)).toEqual([])
  })
})
