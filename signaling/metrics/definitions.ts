/** Every metric of `/metrics`, declared once: its name, its help, and where its values come from. */
import { CLOSE, type ErrorCode } from '../protocol/errors.ts'
import type { Snapshot } from './snapshot.ts'

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Metric {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  /** Called at each scrape. */
  readonly read: (snapshot: Snapshot) => readonly Sample[]
}

type Numbers = Readonly<Record<string, number>>

const one =
  (kind: Metric['kind']) =>
  (name: string, help: string, value: (snapshot: Snapshot) => number): Metric => ({
    ...{ name, kind, help },
    labels: [],
    read: (snapshot) => [{ labels: {}, value: value(snapshot) }],
  })

const several =
  (kind: Metric['kind']) =>
  (name: string, label: string, help: string, values: (snapshot: Snapshot) => Numbers): Metric => ({
    ...{ name, kind, help },
    labels: [label],
    read: (snapshot) => Object.entries(values(snapshot)).map(([key, value]) => ({ labels: { [label]: key }, value })),
  })

const gauge = one('gauge')
const gauges = several('gauge')
const counter = one('counter')
const counters = several('counter')

const CLOSE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(CLOSE).map(([name, code]) => [code, name]))

const zeros = (names: Iterable<string>): Numbers => Object.fromEntries([...names].map((name) => [name, 0]))

/** What does not occur is 0 from the start: Prometheus does not see the first of what was not there before. */
const closedByName = ({ hub }: Snapshot): Numbers => ({
  ...zeros(CLOSE_NAMES.values()),
  ...Object.fromEntries(
    Object.entries(hub.closed).map(([code, count]) => [CLOSE_NAMES.get(Number(code)) ?? code, count]),
  ),
})

/** Those that operators act on; others come when they occur. */
const REFUSALS: readonly ErrorCode[] = [
  ...(['room-full', 'server-full', 'too-many-connections', 'going-away'] as const),
  ...(['denied', 'access-expired', 'token-invalid', 'session-ended'] as const),
  ...(['bad-message', 'version-unsupported'] as const),
]
const NO_REFUSALS = zeros(REFUSALS)
const NO_RECORD_REFUSALS = zeros([
  ...['not-kept', 'denied', 'too-large', 'history-full', 'mailboxes-full', 'store-failed', 'rate-limited'],
])

export const METRICS: readonly Metric[] = Object.freeze([
  {
    name: 'partyline_build_info',
    kind: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'engine'],
    read: ({ version, engine }) => [{ labels: { version, engine }, value: 1 }],
  },
  gauge('partyline_ready', '1 when new members are wanted, 0 while starting or draining.', ({ readiness }) =>
    readiness === 'ready' ? 1 : 0,
  ),

  gauges('partyline_sessions', 'carrier', 'Members who are connected, by carrier.', ({ hub }) => hub.carriers),
  gauge('partyline_connections_unjoined', 'Connections that have not joined a room yet.', ({ hub }) => hub.unjoined),
  gauge('partyline_rooms', 'Rooms with somebody in them.', ({ hub }) => hub.rooms),
  gauges('partyline_members', 'presence', 'Members: here, or away with their grace period running.', ({ hub }) => ({
    here: hub.members - hub.away,
    away: hub.away,
  })),
  gauges(
    'partyline_links',
    'path',
    'Links of members to each other by the path they take now, as clients report it; each link is reported by both ends.',
    ({ hub }) => ({ ...hub.links }),
  ),

  counter('partyline_frames_forwarded_total', 'Frames taken from members to be forwarded.', ({ hub }) => hub.frames),
  counter('partyline_frame_bytes_forwarded_total', 'Payload bytes of those frames.', ({ hub }) => hub.frameBytes),
  counter(
    'partyline_deliveries_total',
    'Frames handed on, counted for each receiver: the fan-out.',
    ({ hub }) => hub.deliveries,
  ),
  counter('partyline_writes_total', 'Messages written to clients, of all kinds.', ({ hub }) => hub.writes),
  counters(
    'partyline_frames_dropped_total',
    'reason',
    'Frames not handed on: slow (the receiver does not keep up), absent (away or gone), replaced (droppable, and a newer or more important one took its place), denied (the sender has no right to send them).',
    ({ hub }) => ({
      slow: hub.droppedSlow,
      absent: hub.droppedAbsent,
      replaced: hub.droppedReplaced,
      denied: hub.droppedDenied,
    }),
  ),
  gauge('partyline_gathering', '1 while the server is loaded and gathers small frames.', ({ hub }) =>
    hub.loaded ? 1 : 0,
  ),

  counter(
    'partyline_messages_stored_total',
    'Messages put into logs and mailboxes, flushed where the history is in a file.',
    ({ hub }) => hub.history.stored,
  ),
  counter(
    'partyline_records_repeated_total',
    'Records that came again and were known, because their answers had been lost.',
    ({ hub }) => hub.history.repeated,
  ),
  counters('partyline_records_refused_total', 'code', 'Records that were not stored, by error code.', ({ hub }) => ({
    ...NO_RECORD_REFUSALS,
    ...hub.history.refused,
  })),
  counter('partyline_history_pages_total', 'Answers from the history.', ({ hub }) => hub.history.pages),
  gauge('partyline_history_logs', 'Logs that are kept, mailboxes included.', ({ hub }) => hub.history.logs),
  gauge('partyline_history_entries', 'Messages that are kept.', ({ hub }) => hub.history.entries),
  gauge('partyline_history_bytes', 'What they take, of --history-bytes.', ({ hub }) => hub.history.bytes),
  gauge('partyline_history_waiting_bytes', 'What waits to be written.', ({ hub }) => hub.history.waitingBytes),
  counter(
    'partyline_history_commits_total',
    'Writes of the history, each of all that waited.',
    ({ hub }) => hub.history.commits,
  ),
  counter(
    'partyline_history_commit_seconds_total',
    'How long they took: divided by their number, what a sender waits for `stored`.',
    ({ hub }) => hub.history.commitSeconds,
  ),
  counter(
    'partyline_history_commits_failed_total',
    'Writes that the disk refused; what was to be stored was not, and its senders were told.',
    ({ hub }) => hub.history.failedCommits,
  ),

  counter('partyline_joins_total', 'Joins granted, returns included.', ({ hub }) => hub.joins),
  counter('partyline_resumes_total', 'Joins that brought a session back.', ({ hub }) => hub.resumes),
  counters('partyline_joins_refused_total', 'code', 'Connections and joins turned away, by error code.', ({ hub }) => ({
    ...NO_REFUSALS,
    ...hub.refused,
  })),
  counters('partyline_uplinks_closed_total', 'why', 'Connections the server closed, by close code.', closedByName),
  counter(
    'partyline_slow_readers_closed_total',
    'Connections closed because their client did not read.',
    ({ hub }) => hub.closed[CLOSE.slowReader] ?? 0,
  ),

  counter(
    'partyline_turn_credentials_issued_total',
    'TURN credentials handed out.',
    ({ turn }) => turn.credentialsIssued,
  ),
  {
    name: 'partyline_turn_up',
    kind: 'gauge',
    help: '1 when the local coturn runs, 0 when it does not. Absent without a local one.',
    labels: [],
    read: ({ turn }) =>
      turn.state === 'off' || turn.state === 'external'
        ? []
        : [{ labels: {}, value: turn.state === 'running' ? 1 : 0 }],
  },

  {
    name: 'partyline_webhook_events_waiting',
    kind: 'gauge',
    help: 'Events that the webhook address has not taken yet. Absent without such an address.',
    labels: [],
    read: ({ webhooks }) => (webhooks === undefined ? [] : [{ labels: {}, value: webhooks.waiting }]),
  },
  counters(
    'partyline_webhook_events_total',
    'outcome',
    'Events that the webhook address has taken (delivered), and those that were given up (dropped).',
    ({ webhooks }) => ({ delivered: webhooks?.delivered ?? 0, dropped: webhooks?.dropped ?? 0 }),
  ),
  counter(
    'partyline_webhook_attempts_failed_total',
    'Posts that the webhook address did not take; they are tried again.',
    ({ webhooks }) => webhooks?.failedAttempts ?? 0,
  ),

  counters(
    'partyline_config_reloads_total',
    'result',
    'Configuration read again: done, or refused.',
    ({ reloads }) => ({
      ...reloads,
    }),
  ),

  gauges(
    'partyline_event_loop_delay_seconds',
    'percentile',
    'How late the event loop was, over the last 10 s; percentile 100 is the longest.',
    ({ eventLoop }) => ({
      50: eventLoop.p50Ms / 1_000,
      99: eventLoop.p99Ms / 1_000,
      100: eventLoop.maxMs / 1_000,
    }),
  ),
  counter(
    'partyline_event_loop_busy_seconds_total',
    'Seconds in which the event loop was not idle: its rate is the load, and 1 is all of it.',
    (snapshot) => snapshot.process.busySeconds,
  ),
  counter('process_cpu_seconds_total', 'User and system CPU time.', (snapshot) => snapshot.process.cpuSeconds),
  gauge('process_resident_memory_bytes', 'Resident memory.', (snapshot) => snapshot.process.residentBytes),
  gauge('nodejs_heap_size_used_bytes', 'Heap in use.', (snapshot) => snapshot.process.heapUsedBytes),
  gauge(
    'nodejs_external_memory_bytes',
    'Memory of buffers and native code.',
    (snapshot) => snapshot.process.externalBytes,
  ),
  gauge(
    'process_start_time_seconds',
    'When the server started, seconds since 1970.',
    ({ startedMs }) => startedMs / 1_000,
  ),
] as const satisfies readonly Metric[])
