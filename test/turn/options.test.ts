import { describe, expect, test } from 'vitest'
import { parseTurnOptions, TURN_DEFAULTS, TurnOptionsError } from '../../turn/index.ts'

const secrets = ['secret-of-16-chars']

describe('parseTurnOptions', () => {
  test('fills in every default', () => {
    expect(parseTurnOptions({ secrets })).toEqual({ secrets, ...TURN_DEFAULTS })
  })

  test('takes undefined for absent', () => {
    expect(parseTurnOptions({ secrets, port: undefined, realm: undefined })).toEqual({ secrets, ...TURN_DEFAULTS })
  })

  test.each([
    [{ secrets: [] }, 'secrets', 'at least one'],
    [{ secrets: ['short'] }, 'secrets[0]', '16 to 256 characters'],
    [{ secrets: [...secrets, 'a secret with spaces in it'] }, 'secrets[1]', '16 to 256 characters'],
    [{ secrets: ['line\ndenied-peer-ip=x-and-more'] }, 'secrets[0]', '16 to 256 characters'],
    [{ port: 0 }, 'port', 'from 1 to 65535'],
    [{ port: '3478' }, 'port', 'whole number from 1 to 65535'],
    [{ tls: { certFile: 'a.pem', keyFile: 'b.pem' }, tlsPort: 3478 }, 'tlsPort', 'another port'],
    [{ tls: { certFile: 'a.pem' } }, 'tls.keyFile', 'PEM file'],
    [{ tls: { certFile: 'a.pem\nno-auth', keyFile: 'b.pem' } }, 'tls.certFile', 'PEM file'],
    [{ realm: 'a b' }, 'realm', '1 to 127 characters'],
    [{ listenAddresses: ['localhost'] }, 'listenAddresses[0]', 'IPv4 or IPv6 address'],
    [{ relayAddresses: '127.0.0.1' }, 'relayAddresses', 'a list'],
    [{ relayPorts: { min: 80, max: 90 } }, 'relayPorts.min', 'from 1024'],
    [{ relayPorts: { min: 50_000, max: 50_001 } }, 'relayPorts.max', 'from 50015 to 65535'],
    [{ externalAddress: 'example.org' }, 'externalAddress', 'public/private'],
    [{ externalAddress: '8.8.4.4/fd00::1' }, 'externalAddress', 'of one family'],
    [{ externalAddress: '8.8.4.4/10.0.0.1/10.0.0.2' }, 'externalAddress', 'public/private'],
    [{ allowPeers: ['10.1.2.3/8'] }, 'allowPeers[0]', 'host bits are zero'],
    [{ allowPeers: ['10.0.0.0/33'] }, 'allowPeers[0]', 'CIDR'],
    [{ allowPeers: ['127.0.0.1'] }, 'allowPeers[0]', 'allowPrivatePeers'],
    [{ allowPeers: ['::/0'] }, 'allowPeers[0]', 'loopback'],
    [{ allowPeers: ['224.0.0.0/4'] }, 'allowPeers[0]', 'multicast'],
    [{ denyPeers: ['9.0.0.1-8.0.0.1'] }, 'denyPeers[0]', 'first-last'],
    [{ allowPrivatePeers: 'yes' }, 'allowPrivatePeers', 'true or false'],
    [{ userQuota: -1 }, 'userQuota', 'from 0 to 65535'],
    [{ totalBytesPerSecond: 1_000 }, 'totalBytesPerSecond', 'needs allocationBytesPerSecond'],
    [{ nonceLifetimeMs: 1_000 }, 'nonceLifetimeMs', 'from 60000 to 86400000'],
    [{ nonceLifetimeMs: 60_500 }, 'nonceLifetimeMs', 'whole seconds'],
    [{ processUser: 'root; rm' }, 'processUser', 'name of a user'],
    [{ listenPort: 1 }, 'listenPort', 'no such option'],
  ])('refuses %j naming the key and what is accepted', (input, key, expected) => {
    const parse = (): unknown => parseTurnOptions({ secrets, ...input })
    expect(parse).toThrow(TurnOptionsError)
    expect(parse).toThrow(
      expect.objectContaining({ code: 'bad-turn-option', key, message: expect.stringContaining(expected) }),
    )
  })

  test('never shows a secret in an error', () => {
    expect(() => parseTurnOptions({ secrets: ['hunter2 hunter2 hunter2'] })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    )
  })
})
