import { ABSOLUTE_MS, FORM_FIELDS_MAX, IDLE_MS, STEP_UP_MS } from '../console/schema.ts'
import { DISPUTES_MAX, NOTE_MAX } from '../feedback/schema.ts'
import { SENT_MAX } from '../feedback/sent-schema.ts'
import { BUCKETED_MAX, LOOKUP_MAX, NETWORK_MEMBERS_MAX, PAGE_MAX, RELATIONS_MAX, WAIT_MAX } from '../feeds/schema.ts'
import { PATTERN_HEAP_MB, PATTERN_MS, PATTERNS_MS, PATTERNS_WAITING } from '../jobs/pattern-check.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { JSON_LIMITS } from '../kernel/strict-json.ts'
import { OPRF_JOB_MS, OPRF_QUEUE } from '../keys/oprf-pool.ts'
import { BATCH_MAX } from '../matching/oprf.ts'
import { PROGRAM_MAX } from '../matching/pattern.ts'
import { AUDIENCE_MEMBERS_MAX, ERASURE_SIGNALS_MAX, EVALUATIONS_PER_DAY } from '../participants/schema.ts'
import { CHAIN_MAX, EXPORT_MAX } from '../provenance/schema.ts'
import { LEASE_MS } from '../review/lease.ts'
import { BULK_ALONE, CASES_MAX, HITS_MAX, HOLD_HOURS } from '../review/schema.ts'
import { LINE_MAX } from '../signals/stream.ts'
import { ITEM_BYTES_MAX, ITEMS_MAX } from '../signals/submission.ts'
import { REFUSAL_ROWS_MAX } from './handshake-refusals.ts'

/** A limit, what it counts, and what becomes of whatever goes beyond. */
export interface Limit {
  value: number
  unit: string
  /** The codes under which it is refused; none where a connection just ends. */
  codes: readonly ErrorCode[]
  /** What the codes do not say. */
  note?: string
}

const limit = (value: number, unit: string, codes: ErrorCode | readonly ErrorCode[], note?: string): Limit => {
  const own = { value, unit, codes: typeof codes === 'string' ? [codes] : codes }
  return note === undefined ? own : { ...own, note }
}

const CONNECTION = {
  handshake_seconds: limit(5, 'seconds', [], 'closed'),
  connections: limit(2_000, 'connections', [], 'closed'),
  enrol_connections: limit(100, 'connections', [], 'closed; of the enrolment listener'),
  connections_per_credential: limit(64, 'connections', 'busy', 'closed'),
  new_connections_per_address_per_second: limit(20, 'connections a second', [], 'closed'),
  new_connections_per_address_burst: limit(50, 'connections at once', [], 'closed'),
  connection_age_seconds: limit(3_600, 'seconds', [], 'closed after the answers under way'),
  keep_alive_seconds: limit(65, 'seconds', [], 'closed if nothing is under way'),
  requests_per_connection: limit(10_000, 'requests', [], 'the last answer says `Connection: close`'),
  refused_handshake_rows_per_minute: limit(REFUSAL_ROWS_MAX, 'rows', [], 'the log counts by network, then as one'),
  authority_age_seconds: limit(
    30,
    'seconds',
    'authority-stale',
    'the list of credentials is too old to let anybody in',
  ),
} as const

const HEAD = {
  header_bytes: limit(16_384, 'bytes', 'headers-too-large', 'closed'),
  headers: limit(100, 'headers', 'headers-too-large', 'closed'),
  header_seconds: limit(10, 'seconds', 'request-timeout', 'closed'),
  url_bytes: limit(2_048, 'bytes', 'uri-too-long'),
  parameter_characters: limit(128, 'characters', 'not-found'),
} as const

const BODY = {
  enrol_bytes: limit(16_384, 'bytes', 'too-large', 'enrolments and renewals'),
  json_bytes: limit(65_536, 'bytes', 'too-large', 'any other body of JSON'),
  lookup_bytes: limit(131_072, 'bytes', 'too-large'),
  hits_bytes: limit(524_288, 'bytes', 'too-large'),
  submission_bytes: limit(4_194_304, 'bytes', 'too-large'),
  stream_bytes: limit(1_073_741_824, 'bytes', 'too-large', 'on the last line of the answer; go on in another request'),
  stream_lines: limit(1_000_000, 'lines', 'too-large', 'on the last line of the answer; go on in another request'),
  stream_line_bytes: limit(LINE_MAX, 'bytes', 'item-limit', 'on a line of the answer'),
  request_seconds: limit(30, 'seconds', 'request-timeout', 'closed'),
  stream_seconds: limit(600, 'seconds', 'request-timeout', 'closed'),
  stream_bytes_per_second: limit(1_024, 'bytes a second', 'request-timeout', 'on the last line of the answer'),
  stream_grace_seconds: limit(30, 'seconds', 'request-timeout', 'that a stream may be behind its pace'),
} as const

const JSON_TEXT = {
  json_depth: limit(JSON_LIMITS.depth, 'levels', 'json-limit'),
  json_members: limit(JSON_LIMITS.members, 'members of one object', 'json-limit'),
  json_string_characters: limit(JSON_LIMITS.string, 'UTF-16 code units', 'json-limit'),
  json_array_items: limit(JSON_LIMITS.array, 'items of one array', 'json-limit'),
} as const

const ASKED = {
  submission_items: limit(
    ITEMS_MAX,
    'items',
    'json-limit',
    'in a stream 422 `validation-failed` on a line of the answer',
  ),
  item_bytes: limit(ITEM_BYTES_MAX, 'bytes', ['json-limit', 'item-limit'], 'the submission as a whole'),
  page_events: limit(PAGE_MAX, 'events', 'page-limit'),
  bucketed_entries: limit(BUCKETED_MAX, 'entries', 'mirror-only', 'of a sealed audience that is asked by buckets'),
  lookup_keys: limit(LOOKUP_MAX, 'keys', ['json-limit', 'page-limit']),
  network_members: limit(NETWORK_MEMBERS_MAX, 'signals', [], 'a page; `next` names the following one'),
  network_relations: limit(
    RELATIONS_MAX,
    'relations of a signal, seen by one reader',
    [],
    'told as a hub, without members',
  ),
  oprf_elements: limit(BATCH_MAX, 'elements of one evaluation', 'validation-failed'),
  hits: limit(HITS_MAX, 'hits', 'json-limit'),
  page_cases: limit(CASES_MAX, 'cases', 'invalid-query'),
  page_own_signals: limit(SENT_MAX, 'signals', 'invalid-query', "of a page of one's own"),
  page_disputes: limit(DISPUTES_MAX, 'disputes', [], 'of a page'),
  note_characters: limit(NOTE_MAX, 'characters', 'validation-failed', 'of a note to a source or an own team'),
  lease_minutes: limit(LEASE_MS / 60_000, 'minutes', 'lease-lapsed', 'if somebody else has the case by then'),
  bulk_cases: limit(BULK_ALONE, 'cases', 'approval-missing', 'that one person decides at once in the console'),
  hold_hours: limit(HOLD_HOURS, 'hours', 'validation-failed', 'that a case may be parked'),
  chain_links: limit(CHAIN_MAX, 'links', 'page-limit'),
  export_entries: limit(EXPORT_MAX, 'entries', 'page-limit'),
  long_poll_seconds: limit(WAIT_MAX, 'seconds', 'invalid-query'),
  audience_members: limit(AUDIENCE_MEMBERS_MAX, 'participants', 'validation-failed'),
  erasure_signals: limit(
    ERASURE_SIGNALS_MAX,
    'signals',
    'validation-failed',
    'of one `aldis erase`; its basis has 63 characters',
  ),
} as const

const RATE = {
  requests_per_credential_per_second: limit(200, 'requests a second', 'rate-limited'),
  requests_per_credential_burst: limit(400, 'requests at once', 'rate-limited'),
  oprf_elements_per_day: limit(
    EVALUATIONS_PER_DAY,
    'elements a day (UTC), of one participant and purpose',
    'quota-exceeded',
    'another number takes two persons (`quota.change`)',
  ),
  oprf_elements_burst: limit(
    5_000,
    'elements at once, of one participant; as many again within a minute',
    'rate-limited',
  ),
  refusals_per_credential_per_minute: limit(
    300,
    'answers 403 or 404 a minute',
    'rate-limited',
    'every request, for a second',
  ),
} as const

const CONSOLE = {
  console_requests_per_address_per_second: limit(50, 'requests a second', 'rate-limited', 'of one address or IPv6 /64'),
  console_requests_per_address_burst: limit(300, 'requests at once', 'rate-limited'),
  console_connections: limit(1_000, 'connections', [], 'further ones are closed'),
  console_url_bytes: limit(8_192, 'bytes', 'uri-too-long', 'codes of identity providers are long'),
  form_fields: limit(FORM_FIELDS_MAX, 'fields of a form', 'too-large'),
  session_idle_minutes: limit(IDLE_MS / 60_000, 'minutes without anything done', 'session-ended'),
  session_hours: limit(ABSOLUTE_MS / 3_600_000, 'hours of one session', 'session-ended'),
  step_up_minutes: limit(STEP_UP_MS / 60_000, 'minutes that a step-up sign-in counts', 'step-up-missing'),
} as const

const PATTERNS = {
  pattern_instructions: limit(PROGRAM_MAX, 'instructions', 'pattern-size', 'of a compiled pattern'),
  pattern_ms: limit(
    PATTERN_MS,
    'milliseconds',
    'pattern-cost',
    'to compile a pattern and try its strings; tried twice',
  ),
  pattern_thread_mb: limit(PATTERN_HEAP_MB, 'MB', 'pattern-cost', 'of the thread that does it'),
  patterns_ms: limit(PATTERNS_MS, 'milliseconds', 'pattern-cost', 'for all patterns of a submission'),
  patterns_waiting: limit(PATTERNS_WAITING, 'submissions', 'busy', 'whose patterns wait to be tried'),
} as const

const PRESSURE = {
  oprf_queue: limit(OPRF_QUEUE, 'evaluations', 'busy', 'that wait for a thread; there is one a core'),
  oprf_seconds: limit(OPRF_JOB_MS / 1_000, 'seconds', 'evaluation-failed', 'the thread is replaced'),
  pool_queue: limit(100, 'requests', 'busy', 'pages and streams at half as many'),
  event_loop_delay_ms: limit(500, 'milliseconds', 'busy', 'pages and streams; everything else at twice as many'),
  sql_lookup_ms: limit(500, 'milliseconds', 'busy', 'of one statement, which serves several look-ups at once'),
  sql_cases_ms: limit(2_000, 'milliseconds', 'busy', 'of one statement of a page of cases; ask for fewer by a filter'),
  sql_submit_ms: limit(10_000, 'milliseconds', 'busy', 'of one statement'),
  item_proofs_waiting: limit(16, 'requests', 'busy', 'for a proof of one signal; one is made at a time'),
  segment_files_bytes: limit(1_073_741_824, 'bytes', [], 'in `DATA_DIR/segments`; the oldest file is removed'),
} as const

const OPERATIONS = {
  ops_request_seconds: limit(5, 'seconds', [], '408, closed'),
  ops_check_seconds: limit(2, 'seconds', [], '503, the check counts as failed'),
  alarm_seconds: limit(5, 'seconds', [], 'an attempt to post an alarm that takes longer has failed'),
  alarm_attempts: limit(6, 'attempts', [], 'to post an alarm, after 1, 2, 4 .. seconds; then it is dropped'),
  alarm_queue: limit(100, 'alarms', [], 'that wait to be posted; further ones are dropped'),
} as const

const ALL = {
  ...CONNECTION,
  ...HEAD,
  ...BODY,
  ...JSON_TEXT,
  ...ASKED,
  ...RATE,
  ...CONSOLE,
  ...PATTERNS,
  ...PRESSURE,
  ...OPERATIONS,
}

/** As `docs/limits.md` has them: a heading, what stands below it, the limits. */
export const LIMIT_GROUPS: readonly (readonly [heading: string, text: string, limits: Record<string, Limit>])[] = [
  ['A connection', 'Of the listener for participants.', CONNECTION],
  ['The head of a request', 'No `Content-Encoding` is taken: 415 `unsupported-media-type`.', HEAD],
  ['The body', 'Counted in bytes as they arrive, before anything is parsed.', BODY],
  ['JSON', 'No duplicate key, lone surrogate or unsafe integer is taken: 400 `json-strict`.', JSON_TEXT],
  ['What a request may ask for', 'Of several codes the first that applies is given.', ASKED],
  ['How often', 'With `Retry-After`. One bucket for each credential: it fills by the rate, and holds the burst.', RATE],
  ['The console', 'Of the listener for people: a session is a row in the database.', CONSOLE],
  ['Patterns', 'Of the keyword patterns in a submission.', PATTERNS],
  ['Pressure', 'Of the node and its database.', PRESSURE],
  ['Operations', 'Of the listener for probes and metrics, and of alarms.', OPERATIONS],
]

/**
 * Every limit of the listeners and of the API by name, the unit at its end. Whoever enforces one reads it here; those of a
 * format are the format's own.
 */
export const LIMITS = Object.fromEntries(Object.entries(ALL).map(([name, { value }]) => [name, value])) as {
  readonly [N in keyof typeof ALL]: number
}
