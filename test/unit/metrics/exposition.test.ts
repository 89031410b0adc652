import { describe, expect, it } from 'vitest'
import { METRICS } from '../../../signaling/metrics/definitions.ts'
import { Exposition } from '../../../signaling/metrics/exposition.ts'
import type { Snapshot } from '../../../signaling/metrics/snapshot.ts'
import { aSnapshot } from './a-snapshot.ts'

/** The lines that are no comments. */
async function samples(snapshot: Snapshot, exposition = new Exposition()): Promise<string[]> {
  const text = await exposition.render(snapshot)
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

describe('metrics', () => {
  it('say what Prometheus reads', async () => {
    const lines = await samples(aSnapshot)
    for (const line of [
      'partyline_build_info{version="1.2.3",engine="uws"} 1',
      'partyline_ready 1',
      'partyline_sessions{carrier="long-poll"} 17',
      'partyline_members{presence="here"} 48',
      'partyline_members{presence="away"} 2',
      'partyline_links{path="turn"} 19',
      'partyline_frames_forwarded_total 1001',
      'partyline_frame_bytes_forwarded_total 100200',
      'partyline_deliveries_total 5003',
      'partyline_frames_dropped_total{reason="slow"} 5',
      'partyline_frames_dropped_total{reason="replaced"} 7',
      'partyline_resumes_total 9',
      'partyline_joins_refused_total{code="room-full"} 10',
      'partyline_uplinks_closed_total{why="slowReader"} 13',
      'partyline_slow_readers_closed_total 13',
      'partyline_turn_credentials_issued_total 22',
      'partyline_turn_up 1',
      'partyline_webhook_events_waiting 32',
      'partyline_webhook_events_total{outcome="delivered"} 33',
      'partyline_webhook_events_total{outcome="dropped"} 34',
      'partyline_webhook_attempts_failed_total 35',
      'partyline_config_reloads_total{result="refused"} 24',
      'partyline_event_loop_delay_seconds{percentile="99"} 0.025',
      'process_resident_memory_bytes 27000000',
    ])
      expect(lines).toContain(line)
  })

  it('are set anew by each scrape, never added up', async () => {
    const exposition = new Exposition()
    const first = await samples(aSnapshot, exposition)
    expect(await samples(aSnapshot, exposition)).toEqual(first)
  })

  it('leave out a coturn that is not ours, also when there was one', async () => {
    const exposition = new Exposition()
    await samples(aSnapshot, exposition)
    const without = { ...aSnapshot, turn: { state: 'external', credentialsIssued: 1 } }
    expect((await samples(without, exposition)).filter((line) => line.startsWith('partyline_turn_up'))).toEqual([])
    const down = { ...aSnapshot, turn: { state: 'waiting', credentialsIssued: 1 } }
    expect(await samples(down, exposition)).toContain('partyline_turn_up 0')
  })

  it('are well named: totals are counters, counters are totals, units are base units', () => {
    for (const { name, kind, help, labels } of METRICS) {
      expect(name).toMatch(/^(?:partyline|process|nodejs)_[a-z_]+$/)
      expect(name.endsWith('_total'), name).toBe(kind === 'counter')
      expect(name).not.toMatch(/_(?:ms|milliseconds|kb|mb|percent)\b/)
      expect(help).toMatch(/\.$/)
      // Those of summaries and histograms, which promtool takes for mistakes elsewhere.
      for (const reserved of ['quantile', 'le']) expect<readonly string[]>(labels).not.toContain(reserved)
    }
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length)
  })
})
