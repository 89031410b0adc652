import { describe, expect, it } from 'vitest'
import type { Check, Finding, Verdict } from '../../../web/diagnostics/check.ts'
import { judgeGathering } from '../../../web/diagnostics/checks/ice.ts'
import { conclude } from '../../../web/diagnostics/conclusion.ts'
import { observeIceServers } from '../../../web/diagnostics/ice-observer.ts'
import { writeReport } from '../../../web/diagnostics/report.ts'

const IDS = ['secure-context', 'webrtc', 'server', 'uplink', 'relay-path', 'direct-path', 'turn-path', 'ice']
const findings = (changed: Readonly<Record<string, Verdict>> = {}): ReadonlyMap<string, Finding> =>
  new Map(IDS.map((id) => [id, { verdict: changed[id] ?? 'good', text: `about ${id}` }]))

describe('the conclusion', () => {
  it.each([
    [{}, 'good', /^Everything works/u],
    [{ uplink: 'bad', 'relay-path': 'bad' }, 'bad', /lets nobody in/u],
    [{ 'relay-path': 'bad' }, 'bad', /do not get through the server/u],
    [{ 'direct-path': 'poor' }, 'poor', /TURN server, since direct/u],
    [{ 'direct-path': 'poor', 'turn-path': 'poor' }, 'poor', /WebRTC is blocked/u],
    [{ ice: 'poor' }, 'poor', /could be better/u],
    [{ 'turn-path': 'skipped' }, 'good', /^Everything works/u],
  ] as const)('of %j is %s', (changed, verdict, words) => {
    const conclusion = conclude(findings(changed))
    expect(conclusion.verdict).toBe(verdict)
    expect(conclusion.text).toMatch(words)
  })
})

describe('gathered candidates', () => {
  const candidate = (type: string) => ({ type, protocol: 'udp', url: undefined, afterMs: 5 })
  const servers = [{ urls: ['stun:s.example:3478', 'turn:t.example:3478'], username: 'u', credential: 'very secret' }]

  it('are good when the servers answered', () => {
    const found = judgeGathering({ candidates: ['host', 'srflx', 'relay'].map(candidate), errors: [] }, servers)
    expect(found.verdict).toBe('good')
    expect(found.text).toBe('Found 1 host, 1 srflx and 1 relay candidates.')
  })

  it('say which server did not answer, and never a credential', () => {
    const found = judgeGathering(
      { candidates: [candidate('host')], errors: ['turn:t.example:3478: 701 timeout'] },
      servers,
    )
    expect(found.verdict).toBe('poor')
    expect(JSON.stringify(found)).toContain('701 timeout')
    expect(JSON.stringify(found)).not.toContain('very secret')
  })

  it('are poor when there are none', () => {
    expect(judgeGathering({ candidates: [], errors: [] }, []).verdict).toBe('poor')
  })
})

describe('the ICE observer', () => {
  it('notes each url once with its newest credentials', () => {
    class FakeConnection {
      setConfiguration(): void {}
    }
    const scope: Parameters<typeof observeIceServers>[0] = {
      RTCPeerConnection: FakeConnection as unknown as typeof RTCPeerConnection,
    }
    const observed = observeIceServers(scope)
    const Connection = scope.RTCPeerConnection
    if (Connection === undefined) throw new Error('no connection class')
    new Connection({ iceServers: [{ urls: ['stun:a', 'turn:b'], username: '1' }] })
    new Connection().setConfiguration({ iceServers: [{ urls: 'turn:b', username: '2' }] })
    expect(observed.list()).toEqual([
      { urls: 'stun:a', username: '1' },
      { urls: 'turn:b', username: '2' },
    ])
  })
})

describe('the report', () => {
  it('holds the conclusion and every check, run or not', () => {
    const checks: Check[] = ['uplink', 'other'].map((id) => ({
      id,
      title: `The ${id}`,
      run: async () => ({ verdict: 'good', text: '' }),
    }))
    const text = writeReport(checks, new Map([['uplink', { verdict: 'bad', text: 'No.', details: ['why'] }]]), {
      server: 'https://example.org/',
      browser: 'Browser 1',
      at: new Date(0),
    })
    expect(text).toContain('Conclusion: Partyline does not work here')
    expect(text).toContain('[bad] The uplink: No.\n    why')
    expect(text).toContain('[not run] The other')
  })
})
