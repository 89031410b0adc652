import { describe, expect, it } from 'vitest'
import { kindOf, readStatistics } from '../../../web/client/paths/candidate-pair.ts'
import { isRelayed, withoutRelayed } from '../../../web/client/paths/ice-servers.ts'

const report = (...entries: { readonly id: string; readonly type: string; readonly [field: string]: unknown }[]) =>
  new Map(entries.map((entry) => [entry.id, entry]))
const host = { id: 'L1', type: 'local-candidate', candidateType: 'host', protocol: 'udp' }
const relay = { id: 'L2', type: 'local-candidate', candidateType: 'relay', protocol: 'udp', relayProtocol: 'tls' }
const remote = { id: 'R1', type: 'remote-candidate', candidateType: 'prflx' }
const remoteRelay = { id: 'R2', type: 'remote-candidate', candidateType: 'relay' }
const pair = (id: string, local: string, remoteId: string, more = {}) => ({
  id,
  type: 'candidate-pair',
  localCandidateId: local,
  remoteCandidateId: remoteId,
  ...more,
})

describe('the selected candidate pair', () => {
  it('is the one the transport names', () => {
    const read = readStatistics(
      report(
        host,
        relay,
        remote,
        pair('P1', 'L2', 'R1', { nominated: true, state: 'succeeded' }),
        pair('P2', 'L1', 'R1', { currentRoundTripTime: 0.012, bytesSent: 5, bytesReceived: 6 }),
        { id: 'T', type: 'transport', selectedCandidatePairId: 'P2' },
      ),
    )
    expect(read).toEqual({
      localCandidate: 'host',
      remoteCandidate: 'prflx',
      protocol: 'udp',
      rttMs: 12,
      bytesSent: 5,
      bytesReceived: 6,
    })
    expect(kindOf(read)).toBe('direct')
  })

  it('is the one marked as selected, where the transport names none', () => {
    const read = readStatistics(
      report(
        host,
        relay,
        remote,
        pair('P1', 'L1', 'R1', { nominated: true, state: 'succeeded' }),
        pair('P2', 'L2', 'R1', { selected: true }),
      ),
    )
    expect(read).toMatchObject({ localCandidate: 'relay', protocol: 'tls' })
    expect(kindOf(read)).toBe('turn')
  })

  it('is `turn` when the other side is behind its TURN server', () => {
    const read = readStatistics(
      report(host, remoteRelay, pair('P', 'L1', 'R2', { nominated: true, state: 'succeeded' })),
    )
    expect(kindOf(read)).toBe('turn')
  })

  it('is unknown while there is none', () => {
    const read = readStatistics(report(host, remote, pair('P', 'L1', 'R1', { state: 'in-progress' })))
    expect(read.localCandidate).toBeUndefined()
    expect(kindOf(read)).toBeUndefined()
  })
})

describe('candidates through TURN', () => {
  it('are told from others', () => {
    expect(isRelayed('candidate:1 1 udp 41885439 203.0.113.9 49152 typ relay raddr 0.0.0.0 rport 0')).toBe(true)
    expect(isRelayed('candidate:1 1 udp 2122260223 192.168.1.2 50000 typ host')).toBe(false)
  })

  it('are left out of a description, and nothing else is', () => {
    const sdp =
      'v=0\r\na=candidate:1 1 udp 1 1.1.1.1 1 typ host\r\na=candidate:2 1 udp 1 1.1.1.1 2 typ relay\r\na=mid:0\r\n'
    expect(withoutRelayed(sdp)).toBe('v=0\r\na=candidate:1 1 udp 1 1.1.1.1 1 typ host\r\na=mid:0\r\n')
  })
})
