import { ACCESS_SECONDS, ASSERTION_SECONDS, JWT_MAX } from '../access/schema.ts'
import { NETWORKS_A_DAY_MAX, SIGHTINGS_KEPT_DAYS } from '../anomalies/thresholds.ts'
import {
  ABSOLUTE_MS,
  CAP_MAX,
  FORM_FIELDS_MAX,
  IDLE_MS,
  STEP_UP_MS,
  VIEW_NAME_MAX,
  VIEWS_MAX,
} from '../console/schema.ts'
import { DISPUTES_MAX, NOTE_MAX } from '../feedback/schema.ts'
import { SENT_MAX } from '../feedback/sent-schema.ts'
import {
  BUCKET_WIDTH_MAX,
  BUCKETED_MAX,
  HEARTBEAT_SECONDS,
  LOOKUP_MAX,
  NETWORK_MEMBERS_MAX,
  PAGE_MAX,
  RELATIONS_MAX,
  REVEALS_PER_DAY,
  SEGMENTS_MAX,
  STREAM_SECONDS,
  STREAMS_MAX,
  WAIT_MAX,
} from '../feeds/schema.ts'
import { BATCHES_LOOKED_MAX, MATRIX_DAYS } from '../governance/schema.ts'
import { FILTER_MAX, PAGE_MAX as TAXII_PAGE_MAX } from '../interop/taxii/query.ts'
import {
  PATTERN_HEAP_MB,
  PATTERN_MS,
  PATTERNS_MS,
  PATTERNS_WAITING,
  PATTERNS_WAITING_EACH,
} from '../jobs/pattern-check.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { JSON_LIMITS } from '../kernel/strict-json.ts'
import { OPRF_JOB_MS, OPRF_QUEUE } from '../keys/oprf-pool.ts'
import { BATCH_MAX } from '../matching/oprf.ts'
import { PROGRAM_MAX } from '../matching/pattern-limits.ts'
import { OVERSIGHT_PAGE_MAX } from '../oversight/schema.ts'
import {
  AUDIENCE_MEMBERS_MAX,
  ERASURE_SIGNALS_MAX,
  ERASURE_TARGETS_MAX,
  EVALUATIONS_PER_DAY,
} from '../participants/schema.ts'
import { FILTER_CHARACTERS, FILTER_DAYS, FILTER_TERMS } from '../provenance/explore-filter.ts'
import { BUNDLE_MAX, CHAIN_MAX, ENTRIES_MAX, EXPORT_MAX, ROWS_MAX } from '../provenance/schema.ts'
import { MATCH_KEYS_MAX, MATCHED_MAX } from '../registers/schema.ts'
import { REPORT_DAYS_MAX } from '../reports/period.ts'
import { BULK_ALONE, BULK_HOURS, BULK_MAX } from '../review/bulk-schema.ts'
import { LEASE_MS } from '../review/lease.ts'
import { CASES_MAX, HITS_MAX, HOLD_HOURS } from '../review/schema.ts'
import { SANDBOX_DELAY_MAX } from '../sandbox/schema.ts'
import { SEALED_VALUE_MAX, SOURCE_HOLD_MAX } from '../signals/schema.ts'
import { LINE_MAX } from '../signals/stream.ts'
import { ITEM_BYTES_MAX, ITEMS_MAX, SUBMISSION_BYTES_MAX } from '../signals/submission.ts'
import { JOB_BYTES, JOBS_LIVE, RESULT_DAYS, UPLOADS_OPEN } from '../signals/upload-limits.ts'
import { REQUESTS_KEPT_DAYS, REQUESTS_PAGE_MAX, REQUESTS_PER_HOUR, REQUESTS_WAITING_MAX } from '../usage/schema.ts'
import { ATTEMPT_MS, ATTEMPTS_MAX } from '../webhooks/schedule.ts'
import {
  DELIVERIES_KEPT_DAYS,
  DELIVERIES_WAITING_MAX,
  ENDPOINT_FEEDS_MAX,
  ENDPOINTS_MAX,
  FEED_DELIVERIES_KEPT_DAYS,
  FEED_WAITING_MAX,
  ROTATION_HOURS,
} from '../webhooks/schema.ts'
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
  access_token_characters: limit(JWT_MAX, 'characters', 'access-token-invalid', 'client assertions too'),
} as const

const KEYS = {
  idempotency_key_characters: limit(255, 'characters', 'idempotency-key-invalid'),
  idempotency_keys_per_day: limit(50_000, 'new keys a day (UTC), of one participant', 'quota-exceeded'),
  idempotency_answer_bytes: limit(
    16_384,
    'bytes',
    'idempotency-answer-lost',
    'of an answer that is kept; a longer one is not',
  ),
  idempotency_hours: limit(24, 'hours', [], 'that a key is kept; later it is a new one'),
  idempotency_claim_seconds: limit(
    30,
    'seconds',
    ['idempotency-in-flight', 'idempotency-answer-lost'],
    'that a request under a key may take before another attempt takes its place',
  ),
} as const

const BODY = {
  enrol_bytes: limit(16_384, 'bytes', 'too-large', 'enrolments and renewals'),
  grant_bytes: limit(8_192, 'bytes', 'too-large', 'requests for access tokens'),
  json_bytes: limit(65_536, 'bytes', 'too-large', 'any other body of JSON'),
  lookup_bytes: limit(131_072, 'bytes', 'too-large'),
  hits_bytes: limit(524_288, 'bytes', 'too-large'),
  bulk_bytes: limit(131_072, 'bytes', 'too-large', 'cases that are decided alike'),
  submission_bytes: limit(SUBMISSION_BYTES_MAX, 'bytes', 'too-large', 'in a stream on a line of the answer'),
  stream_bytes: limit(1_073_741_824, 'bytes', 'too-large', 'on the last line of the answer; go on in another request'),
  stream_lines: limit(1_000_000, 'lines', 'too-large', 'on the last line of the answer; go on in another request'),
  stream_line_bytes: limit(LINE_MAX, 'bytes', 'item-limit', 'on a line of the answer'),
  upload_job_bytes: limit(JOB_BYTES, 'bytes', 'too-large', 'of an upload that is worked off later'),
  upload_jobs: limit(JOBS_LIVE, 'uploads', 'rate-limited', 'of a participant that are not worked off'),
  uploads_per_credential: limit(UPLOADS_OPEN, 'streams and uploads at a time', 'stream-limit', 'that are being sent'),
  upload_result_days: limit(RESULT_DAYS, 'days', [], 'that results of such an upload are kept'),
  request_seconds: limit(30, 'seconds', 'request-timeout', 'closed'),
  stream_seconds: limit(600, 'seconds', 'request-timeout', 'closed'),
  stream_bytes_per_second: limit(1_024, 'bytes a second', 'request-timeout', 'on the last line of the answer'),
  stream_grace_seconds: limit(30, 'seconds', 'request-timeout', 'that a stream may be behind its pace'),
  stream_lead_seconds: limit(
    60,
    'seconds',
    'request-timeout',
    'that a stream may be ahead of its pace, however fast it was',
  ),
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
  segments_answer: limit(SEGMENTS_MAX, 'segments', 'invalid-query', 'of one answer'),
  taxii_objects: limit(TAXII_PAGE_MAX, 'objects', [], 'of a page of TAXII; whoever asks for more gets as many'),
  taxii_filter_values: limit(FILTER_MAX, 'values', 'invalid-query', 'of one filter of TAXII'),
  bucketed_entries: limit(BUCKETED_MAX, 'entries', 'mirror-only', 'of a sealed audience that is asked by buckets'),
  bucket_width: limit(BUCKET_WIDTH_MAX, 'entries', 'mirror-only', 'of one bucket, as where many are of one identifier'),
  lookup_keys: limit(LOOKUP_MAX, 'keys', ['json-limit', 'page-limit']),
  lookups_behind_seconds: limit(
    30,
    'seconds',
    'log-behind',
    'that look-ups, openings, revealed values and networks may not follow the log; they could show what was withdrawn',
  ),
  network_members: limit(NETWORK_MEMBERS_MAX, 'signals', [], 'a page; `next` names the following one'),
  network_relations: limit(
    RELATIONS_MAX,
    'relations of a signal, seen by one reader',
    [],
    'told as a hub, without members',
  ),
  sealed_value_characters: limit(
    SEALED_VALUE_MAX,
    'UTF-16 code units',
    'json-limit',
    'of a value that is sealed beside a signal',
  ),
  oprf_elements: limit(BATCH_MAX, 'elements of one evaluation', 'validation-failed'),
  hits: limit(HITS_MAX, 'hits', 'json-limit'),
  page_cases: limit(CASES_MAX, 'cases', 'invalid-query'),
  page_own_signals: limit(SENT_MAX, 'signals', 'invalid-query', "of a page of one's own"),
  page_disputes: limit(DISPUTES_MAX, 'disputes', [], 'of a page'),
  page_requests: limit(REQUESTS_PAGE_MAX, 'requests', 'invalid-query', 'of a page of the request log'),
  page_oversight: limit(OVERSIGHT_PAGE_MAX, 'rows', 'invalid-query', 'of a page of what governance works with'),
  note_characters: limit(NOTE_MAX, 'characters', 'validation-failed', 'of a note to a source or an own team'),
  lease_minutes: limit(LEASE_MS / 60_000, 'minutes', 'lease-lapsed', 'if somebody else has the case by then'),
  bulk_cases: limit(BULK_MAX, 'cases', ['json-limit', 'validation-failed'], 'that are decided alike'),
  bulk_cases_alone: limit(BULK_ALONE, 'cases', [], 'that one person decides alike; more wait for a lead'),
  bulk_hours: limit(BULK_HOURS, 'hours', 'state-conflict', 'in which a lead answers'),
  hold_hours: limit(HOLD_HOURS, 'hours', 'validation-failed', 'that a case may be parked'),
  log_entries: limit(ENTRIES_MAX, 'entries', 'page-limit', 'of a page; it looks at 10,000'),
  log_filter_characters: limit(FILTER_CHARACTERS, 'characters', 'filter-range', 'of a filter of the log'),
  log_filter_terms: limit(FILTER_TERMS, 'terms', 'filter-range', 'of a filter of the log'),
  log_filter_days: limit(FILTER_DAYS, 'days', 'filter-range', 'between `at>=` and `at<`'),
  log_file_rows: limit(ROWS_MAX, 'rows', [], 'of a CSV or NDJSON file of the explorer'),
  log_bundle_entries: limit(BUNDLE_MAX, 'receipts', [], 'of a proof bundle of the explorer'),
  matrix_days: limit(MATRIX_DAYS, 'days', 'filter-range', 'of a matrix of who shared with whom'),
  chain_links: limit(CHAIN_MAX, 'links', 'page-limit'),
  export_entries: limit(EXPORT_MAX, 'entries', 'page-limit'),
  streams_per_credential: limit(STREAMS_MAX, 'event streams at a time', 'stream-limit'),
  event_stream_seconds: limit(STREAM_SECONDS, 'seconds', [], 'of an event stream; its reader comes again'),
  event_stream_heartbeat_seconds: limit(HEARTBEAT_SECONDS, 'seconds', [], 'of silence on an event stream'),
  long_poll_seconds: limit(WAIT_MAX, 'seconds', 'invalid-query'),
  sandbox_delay_seconds: limit(
    SANDBOX_DELAY_MAX,
    'seconds',
    'invalid-query',
    'by which a sandbox puts off an answer on request',
  ),
  access_token_seconds: limit(ACCESS_SECONDS, 'seconds', 'access-token-expired', 'of an access token'),
  client_assertion_seconds: limit(ASSERTION_SECONDS, 'seconds', 'client-refused', 'ahead that a client assertion ends'),
  audience_members: limit(AUDIENCE_MEMBERS_MAX, 'participants', 'validation-failed'),
  erasure_signals: limit(
    ERASURE_SIGNALS_MAX,
    'signals',
    'validation-failed',
    'of one `aldis erase`; its basis has 63 characters',
  ),
  erasure_targets: limit(
    ERASURE_TARGETS_MAX,
    'parts of records',
    'validation-failed',
    'that an erasure of several signals takes away, two of each submission; of one signal all go, even if its receipt cannot hold them',
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
  reveals_per_day: limit(
    REVEALS_PER_DAY,
    'sealed values a day (UTC), of the programs of one participant and of each of its people',
    'quota-exceeded',
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
  report_days: limit(REPORT_DAYS_MAX, 'days', 'validation-failed', 'of one transparency report'),
  networks_of_keys_per_day: limit(NETWORKS_A_DAY_MAX, 'networks', [], 'as keyed hashes; more are not kept'),
  networks_and_lookups_days: limit(SIGHTINGS_KEPT_DAYS, 'days', [], 'then their counts and hashes are removed'),
  source_hold_signals: limit(SOURCE_HOLD_MAX, 'signals', 'policy-refused', 'of one source that are held at once'),
  subject_match_keys: limit(
    MATCH_KEYS_MAX,
    'match keys',
    'page-limit',
    "that one search for a person's signals asks for",
  ),
  subject_signals: limit(MATCHED_MAX, 'signals', 'page-limit', 'of one source that such a search finds'),
  who_read_batches: limit(BATCHES_LOOKED_MAX, 'batches of reads', [], 'that a page opens; the next page goes on'),
  bulk_form_bytes: limit(131_072, 'bytes', 'too-large', 'of a form that decides cases alike; any other of 64 KiB'),
  form_fields: limit(FORM_FIELDS_MAX, 'fields of a form', 'too-large'),
  session_idle_minutes: limit(IDLE_MS / 60_000, 'minutes without anything done', 'session-ended'),
  session_hours: limit(ABSOLUTE_MS / 3_600_000, 'hours of one session', 'session-ended'),
  saved_views: limit(VIEWS_MAX, 'saved views', 'view-limit', 'of one person, and as many that an organisation shares'),
  view_name_characters: limit(VIEW_NAME_MAX, 'characters', 'validation-failed', 'of the name of a saved view'),
  severe_cap: limit(CAP_MAX, 'severe cases a day', 'validation-failed', 'that a person may set as its own limit'),
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
  patterns_waiting_each: limit(PATTERNS_WAITING_EACH, 'submissions', 'busy', 'of one participant; they take turns'),
} as const

const PRESSURE = {
  oprf_queue: limit(OPRF_QUEUE, 'evaluations', 'busy', 'that wait for a thread; there is one a core'),
  oprf_seconds: limit(OPRF_JOB_MS / 1_000, 'seconds', 'evaluation-failed', 'the thread is replaced'),
  pool_queue: limit(100, 'requests', 'busy', 'pages and streams at half as many'),
  event_loop_delay_ms: limit(500, 'milliseconds', 'busy', 'pages and streams; everything else at twice as many'),
  sql_lookup_ms: limit(500, 'milliseconds', 'busy', 'of one statement, which serves several look-ups at once'),
  sql_cases_ms: limit(2_000, 'milliseconds', 'busy', 'of one statement of a page of cases; ask for fewer by a filter'),
  sql_requests_ms: limit(2_000, 'milliseconds', 'busy', 'of one statement of a page of the request log'),
  sql_submit_ms: limit(10_000, 'milliseconds', 'busy', 'of one statement'),
  item_proofs_waiting: limit(16, 'requests', 'busy', 'for a proof of one signal; one is made at a time'),
  segment_files_bytes: limit(1_073_741_824, 'bytes', [], 'in `DATA_DIR/segments`; the oldest file is removed'),
} as const

const OPERATIONS = {
  ops_request_seconds: limit(5, 'seconds', [], '408, closed'),
  ops_check_seconds: limit(2, 'seconds', [], '503, the check counts as failed'),
  alarm_seconds: limit(5, 'seconds', [], 'an attempt to post an alarm that takes longer has failed'),
  alarm_attempts: limit(6, 'attempts', [], 'to post an alarm, after 1, 2, 4 .. seconds; then it is dropped'),
  webhook_seconds: limit(
    ATTEMPT_MS / 1_000,
    'seconds',
    [],
    'an attempt to post a webhook that takes longer has failed',
  ),
  webhook_attempts: limit(
    ATTEMPTS_MAX,
    'attempts',
    [],
    'to post a webhook, over a day and a little; then it is given up',
  ),
  webhook_endpoints: limit(ENDPOINTS_MAX, 'endpoints', 'webhook-limit', 'of one organisation'),
  webhook_waiting: limit(
    DELIVERIES_WAITING_MAX,
    'messages',
    [],
    'that wait for one endpoint; further ones are found in the console',
  ),
  webhook_feeds: limit(ENDPOINT_FEEDS_MAX, 'feeds', 'validation-failed', 'of one endpoint'),
  webhook_feeds_waiting: limit(
    FEED_WAITING_MAX,
    'messages',
    [],
    'of feeds that wait for one endpoint; the next one tells of what came meanwhile',
  ),
  webhook_feeds_kept_days: limit(FEED_DELIVERIES_KEPT_DAYS, 'days', [], 'for which a message of a feed is listed'),
  webhook_rotation_hours: limit(ROTATION_HOURS, 'hours', [], 'for which the former secret signs too'),
  webhook_kept_days: limit(DELIVERIES_KEPT_DAYS, 'days', [], 'for which a message that was posted is listed'),
  request_log_days: limit(REQUESTS_KEPT_DAYS, 'days', [], 'for which a request is listed in the request log'),
  request_log_per_hour: limit(
    REQUESTS_PER_HOUR,
    'requests an hour',
    [],
    'of one organisation that are written down, and as many that were refused; others are counted as dropped',
  ),
  request_log_waiting: limit(REQUESTS_WAITING_MAX, 'requests', [], 'that wait to be written down; others are counted'),
  alarm_queue: limit(100, 'alarms', [], 'that wait to be posted; further ones are dropped'),
} as const

const ALL = {
  ...CONNECTION,
  ...HEAD,
  ...KEYS,
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
  ['The header `Idempotency-Key`', 'Of the POST routes under `/v1` that are not streams.', KEYS],
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
