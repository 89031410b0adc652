import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import selfsigned from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseIpRange, rangesOverlap } from '../../turn/address.ts'
import { deniedRange } from '../../turn/denied-peers.ts'
import { DENIED_PEER_RANGES, type TurnOptionsInput, turnserverConfig } from '../../turn/index.ts'
import { freePort } from '../support/free-port.ts'
import { ownAddress, type RunningTurn, SECRETS, startTurn } from './running-turn.ts'

const withoutPeers = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !/^#|denied-peer-ip|allowed-peer-ip/.test(line))

const isDenied = (address: string): boolean => {
  const range = parseIpRange(address)
  return range !== undefined && DENIED_PEER_RANGES.some((entry) => rangesOverlap(range, deniedRange(entry)))
}

describe('turnserverConfig', () => {
  test('writes exactly these lines for the default options', () => {
    expect(withoutPeers(turnserverConfig({ secrets: [...SECRETS] }))).toEqual([
      'use-auth-secret',
      'static-auth-secret=first-secret-of-the-tests',
      'static-auth-secret=second-secret-of-the-tests',
      'realm=partyline',
      'stale-nonce=600',
      'fingerprint',
      'listening-port=3478',
      'min-port=49152',
      'max-port=65535',
      'no-tls',
      'no-dtls',
      'no-tcp-relay',
      'user-quota=96',
      'total-quota=16384',
      'no-multicast-peers',
      'no-cli',
      'no-rfc5780',
      'no-stun-backward-compatibility',
      'response-origin-only-with-rfc5780',
      'no-software-attribute',
      'no-dynamic-ip-list',
      'no-dynamic-realms',
      'log-file=stdout',
      'simple-log',
      'new-log-timestamp',
    ])
  })

  test('never denies a block from zero by its first address, which coturn takes for everybody', () => {
    const text = turnserverConfig({ secrets: SECRETS, denyPeers: ['0.0.0.0/0', '::/0'] })
    expect(text.split('\n').filter((line) => /^denied-peer-ip=(?:::|0\.0\.0\.0)(?:-|$)/.test(line))).toEqual([])
  })

  test('denies with allowPrivatePeers everything but private, loopback and documentation addresses', () => {
    const denied = (options: Partial<TurnOptionsInput>): string[] =>
      turnserverConfig({ secrets: SECRETS, ...options })
        .split('\n')
        .filter((line) => line.startsWith('denied-peer-ip'))
    const open = denied({ allowPrivatePeers: true })
    expect(denied({}).filter((line) => !open.includes(line))).toEqual([
      'denied-peer-ip=10.0.0.0-10.255.255.255',
      'denied-peer-ip=127.0.0.0-127.255.255.255',
      'denied-peer-ip=172.16.0.0-172.31.255.255',
      'denied-peer-ip=192.0.2.0-192.0.2.255',
      'denied-peer-ip=192.168.0.0-192.168.255.255',
      'denied-peer-ip=198.51.100.0-198.51.100.255',
      'denied-peer-ip=203.0.113.0-203.0.113.255',
      'denied-peer-ip=::1',
      'denied-peer-ip=2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
      'denied-peer-ip=3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff',
      'denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      'denied-peer-ip=fec0::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ])
  })

  test('allows its relay addresses, where two members on TURN meet, save the one that coturn allows by itself', () => {
    const allowed = (options: Partial<TurnOptionsInput>): string[] =>
      turnserverConfig({ secrets: SECRETS, ...options })
        .split('\n')
        .filter((line) => line.startsWith('allowed-peer-ip'))
    const relayAddresses = ['192.168.0.9']
    expect(allowed({ relayAddresses })).toEqual(['allowed-peer-ip=192.168.0.9'])
    expect(allowed({ relayAddresses, externalAddress: '8.8.4.4/192.168.0.9' })).toEqual([])
  })
})

describe('a real coturn with every option', () => {
  let folder = ''
  let running: RunningTurn
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partyline-test-'))
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    const pems = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
    writeFileSync(certFile, pems.cert)
    writeFileSync(keyFile, pems.private)
    running = await startTurn({
      realm: 'turn.example.org',
      tlsPort: await freePort(),
      tls: { certFile, keyFile },
      relayAddresses: ['127.0.0.1', '::1'],
      externalAddress: '8.8.4.4/127.0.0.1',
      allowPeers: ['10.20.0.0/16', '192.168.7.7', 'fd12::/64'],
      denyPeers: ['8.8.0.0/16', '9.9.9.9-9.9.10.3'],
      allowPrivatePeers: true,
      userQuota: 12,
      totalQuota: 1_200,
      allocationBytesPerSecond: 1_000_000,
      totalBytesPerSecond: 10_000_000,
      nonceLifetimeMs: 60_000,
    })
  })
  afterAll(async () => {
    await running?.turn.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('understands every line', () => {
    expect(running.turn.state).toMatchObject({ status: 'running', complaints: [] })
    expect(running.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
  })

  test('tells the external address, and serves TLS', async () => {
    const client = await running.client({ transport: 'tls', port: running.turn.options.tlsPort })
    expect(await client.allocate()).toMatchObject({ address: '8.8.4.4' })
    await client.close()
  })
})

describe('a real coturn', () => {
  const own = ownAddress()
  test.skipIf(own === undefined)(
    'joins two allocations by the public side of its external address, and refuses its neighbours',
    async () => {
      const address = own ?? ''
      const running = await startTurn({ listenAddresses: [address], externalAddress: `8.8.4.4/${address}` })
      try {
        const [a, b] = [await running.client({ address }), await running.client({ address })]
        const [atA, atB] = [await a.allocate(), await b.allocate()]
        expect([atA.address, atB.address]).toEqual(['8.8.4.4', '8.8.4.4'])
        await a.createPermission(atB.address)
        await b.createPermission(atA.address)
        // Nearly everywhere a machine's own address is a private one; beside a public one there is nothing to refuse.
        const neighbour = address.replace(/\d+$/, (last) => String(Number(last) ^ 1))
        expect(await a.codeOf(a.createPermission(neighbour))).toBe(isDenied(neighbour) ? 403 : 0)
        const received = b.received()
        a.send(atB.address, atB.port, Buffer.from('over the public address'))
        expect((await received).data.toString()).toBe('over the public address')
        await Promise.all([a.close(), b.close()])
      } finally {
        await running.turn.stop()
      }
    },
  )

  test.skipIf(own === undefined)('needs its relay address named when only the public side is given', async () => {
    const address = own ?? ''
    const permissionForItself = async (relayAddresses: readonly string[]): Promise<number> => {
      const running = await startTurn({ listenAddresses: [address], relayAddresses, externalAddress: '8.8.4.4' })
      const client = await running.client({ address })
      await client.allocate()
      const code = await client.codeOf(client.createPermission('8.8.4.4'))
      await client.close()
      await running.turn.stop()
      return code
    }
    expect(await permissionForItself([])).toBe(isDenied(address) ? 403 : 0)
    expect(await permissionForItself([address])).toBe(0)
  })

  test.skipIf(own === undefined)('joins two allocations on a relay address of a denied range', async () => {
    const address = own ?? ''
    const running = await startTurn({ listenAddresses: [address], relayAddresses: [address] })
    try {
      const [a, b] = [await running.client({ address }), await running.client({ address })]
      const [atA, atB] = [await a.allocate(), await b.allocate()]
      await a.createPermission(atB.address)
      await b.createPermission(atA.address)
      const received = b.received()
      a.send(atB.address, atB.port, Buffer.from('on one machine'))
      expect((await received).data.toString()).toBe('on one machine')
      await Promise.all([a.close(), b.close()])
    } finally {
      await running.turn.stop()
    }
  })
})
