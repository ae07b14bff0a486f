import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ACCESS_SECONDS, ASSERTION_SECONDS, JWT_MAX } from '../../src/access/schema.ts'
import { NETWORKS_A_DAY_MAX, SIGHTINGS_KEPT_DAYS } from '../../src/anomalies/thresholds.ts'
import {
  ABSOLUTE_MS,
  CAP_MAX,
  FORM_FIELDS_MAX,
  IDLE_MS,
  STEP_UP_MS,
  VIEW_NAME_MAX,
  VIEWS_MAX,
} from '../../src/console/schema.ts'
import { DISPUTES_MAX, NOTE_MAX } from '../../src/feedback/schema.ts'
import { SENT_MAX } from '../../src/feedback/sent-schema.ts'
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
} from '../../src/feeds/schema.ts'
import { BATCHES_LOOKED_MAX, MATRIX_DAYS } from '../../src/governance/schema.ts'
import { REFUSAL_ROWS_MAX } from '../../src/http/handshake-refusals.ts'
import { LIMIT_GROUPS, LIMITS } from '../../src/http/limits.ts'
import { FILTER_MAX, PAGE_MAX as TAXII_PAGE_MAX } from '../../src/interop/taxii/query.ts'
import {
  PATTERN_HEAP_MB,
  PATTERN_MS,
  PATTERNS_MS,
  PATTERNS_WAITING,
  PATTERNS_WAITING_EACH,
} from '../../src/jobs/pattern-check.ts'
import { CATALOGUE } from '../../src/kernel/errors.ts'
import { JSON_LIMITS } from '../../src/kernel/strict-json.ts'
import { OPRF_JOB_MS, OPRF_QUEUE } from '../../src/keys/oprf-pool.ts'
import { BATCH_MAX } from '../../src/matching/oprf.ts'
import { PROGRAM_MAX } from '../../src/matching/pattern-limits.ts'
import { OVERSIGHT_PAGE_MAX } from '../../src/oversight/schema.ts'
import {
  AUDIENCE_MEMBERS_MAX,
  ERASURE_SIGNALS_MAX,
  ERASURE_TARGETS_MAX,
  EVALUATIONS_PER_DAY,
} from '../../src/participants/schema.ts'
import { FILTER_CHARACTERS, FILTER_DAYS, FILTER_TERMS } from '../../src/provenance/explore-filter.ts'
import { BUNDLE_MAX, CHAIN_MAX, ENTRIES_MAX, EXPORT_MAX, ROWS_MAX } from '../../src/provenance/schema.ts'
import { MATCH_KEYS_MAX, MATCHED_MAX } from '../../src/registers/schema.ts'
import { REPORT_DAYS_MAX } from '../../src/reports/period.ts'
import { BULK_ALONE, BULK_HOURS, BULK_MAX } from '../../src/review/bulk-schema.ts'
import { LEASE_MS } from '../../src/review/lease.ts'
import { CASES_MAX, HITS_MAX, HOLD_HOURS } from '../../src/review/schema.ts'
import { SANDBOX_DELAY_MAX } from '../../src/sandbox/schema.ts'
import { SOURCE_HOLD_MAX } from '../../src/signals/schema.ts'
import { LINE_MAX } from '../../src/signals/stream.ts'
import { ITEM_BYTES_MAX, ITEMS_MAX } from '../../src/signals/submission.ts'
import { JOBS_LIVE, RESULT_DAYS, UPLOADS_OPEN } from '../../src/signals/upload-limits.ts'
import {
  REQUESTS_KEPT_DAYS,
  REQUESTS_PAGE_MAX,
  REQUESTS_PER_HOUR,
  REQUESTS_WAITING_MAX,
} from '../../src/usage/schema.ts'
import { ATTEMPT_MS, ATTEMPTS_MAX } from '../../src/webhooks/schedule.ts'
import {
  DELIVERIES_KEPT_DAYS,
  DELIVERIES_WAITING_MAX,
  ENDPOINT_FEEDS_MAX,
  ENDPOINTS_MAX,
  FEED_DELIVERIES_KEPT_DAYS,
  FEED_WAITING_MAX,
  ROTATION_HOURS,
} from '../../src/webhooks/schema.ts'

/** Enforced by whoever reads the format. */
const FORMATS: Partial<Record<keyof typeof LIMITS, number>> = {
  sandbox_delay_seconds: SANDBOX_DELAY_MAX,
  reveals_per_day: REVEALS_PER_DAY,
  ...{ networks_of_keys_per_day: NETWORKS_A_DAY_MAX, networks_and_lookups_days: SIGHTINGS_KEPT_DAYS },
  ...{ report_days: REPORT_DAYS_MAX, source_hold_signals: SOURCE_HOLD_MAX },
  ...{ subject_match_keys: MATCH_KEYS_MAX, subject_signals: MATCHED_MAX, who_read_batches: BATCHES_LOOKED_MAX },
  ...{ page_requests: REQUESTS_PAGE_MAX, page_oversight: OVERSIGHT_PAGE_MAX, request_log_days: REQUESTS_KEPT_DAYS },
  ...{ request_log_per_hour: REQUESTS_PER_HOUR, request_log_waiting: REQUESTS_WAITING_MAX },
  ...{ webhook_feeds: ENDPOINT_FEEDS_MAX, webhook_feeds_waiting: FEED_WAITING_MAX },
  ...{ webhook_feeds_kept_days: FEED_DELIVERIES_KEPT_DAYS, webhook_rotation_hours: ROTATION_HOURS },
  ...{
    access_token_characters: JWT_MAX,
    access_token_seconds: ACCESS_SECONDS,
    client_assertion_seconds: ASSERTION_SECONDS,
  },
  ...{ taxii_objects: TAXII_PAGE_MAX, taxii_filter_values: FILTER_MAX },
  refused_handshake_rows_per_minute: REFUSAL_ROWS_MAX,
  stream_line_bytes: LINE_MAX,
  ...{ upload_jobs: JOBS_LIVE, upload_result_days: RESULT_DAYS },
  json_depth: JSON_LIMITS.depth,
  json_members: JSON_LIMITS.members,
  json_string_characters: JSON_LIMITS.string,
  json_array_items: JSON_LIMITS.array,
  submission_items: ITEMS_MAX,
  item_bytes: ITEM_BYTES_MAX,
  page_events: PAGE_MAX,
  segments_answer: SEGMENTS_MAX,
  bucketed_entries: BUCKETED_MAX,
  bucket_width: BUCKET_WIDTH_MAX,
  lookup_keys: LOOKUP_MAX,
  oprf_elements: BATCH_MAX,
  oprf_elements_per_day: EVALUATIONS_PER_DAY,
  oprf_queue: OPRF_QUEUE,
  oprf_seconds: OPRF_JOB_MS / 1_000,
  network_members: NETWORK_MEMBERS_MAX,
  network_relations: RELATIONS_MAX,
  long_poll_seconds: WAIT_MAX,
  audience_members: AUDIENCE_MEMBERS_MAX,
  erasure_signals: ERASURE_SIGNALS_MAX,
  erasure_targets: ERASURE_TARGETS_MAX,
  pattern_instructions: PROGRAM_MAX,
  pattern_ms: PATTERN_MS,
  pattern_thread_mb: PATTERN_HEAP_MB,
  patterns_ms: PATTERNS_MS,
  patterns_waiting: PATTERNS_WAITING,
  patterns_waiting_each: PATTERNS_WAITING_EACH,
  hits: HITS_MAX,
  page_cases: CASES_MAX,
  page_own_signals: SENT_MAX,
  page_disputes: DISPUTES_MAX,
  note_characters: NOTE_MAX,
  form_fields: FORM_FIELDS_MAX,
  session_idle_minutes: IDLE_MS / 60_000,
  session_hours: ABSOLUTE_MS / 3_600_000,
  step_up_minutes: STEP_UP_MS / 60_000,
  lease_minutes: LEASE_MS / 60_000,
  hold_hours: HOLD_HOURS,
  bulk_cases: BULK_MAX,
  bulk_cases_alone: BULK_ALONE,
  bulk_hours: BULK_HOURS,
  ...{ log_entries: ENTRIES_MAX, log_file_rows: ROWS_MAX, log_bundle_entries: BUNDLE_MAX, matrix_days: MATRIX_DAYS },
  ...{ log_filter_characters: FILTER_CHARACTERS, log_filter_terms: FILTER_TERMS, log_filter_days: FILTER_DAYS },
  ...{ saved_views: VIEWS_MAX, view_name_characters: VIEW_NAME_MAX, severe_cap: CAP_MAX },
  ...{ webhook_seconds: ATTEMPT_MS / 1_000, webhook_attempts: ATTEMPTS_MAX, webhook_endpoints: ENDPOINTS_MAX },
  ...{ webhook_waiting: DELIVERIES_WAITING_MAX, webhook_kept_days: DELIVERIES_KEPT_DAYS },
  ...{ streams_per_credential: STREAMS_MAX, uploads_per_credential: UPLOADS_OPEN },
  event_stream_seconds: STREAM_SECONDS,
  event_stream_heartbeat_seconds: HEARTBEAT_SECONDS,
  chain_links: CHAIN_MAX,
  export_entries: EXPORT_MAX,
}
const described = LIMIT_GROUPS.flatMap(([, , limits]) => Object.entries(limits))

test('each limit is a positive whole number', () => {
  const numbers = Object.values(LIMITS)
  expect(numbers.length).toBeGreaterThan(40)
  expect(numbers.filter((limit) => !(Number.isSafeInteger(limit) && limit > 0))).toEqual([])
})

test('each limit is described once, with its unit and with what happens beyond it', () => {
  expect(described.map(([name]) => name).sort()).toEqual(Object.keys(LIMITS).sort())
  const silent = described.filter(
    ([, { unit, codes, note = '' }]) => unit === '' || (codes.length === 0 && note === ''),
  )
  expect(silent).toEqual([])
  const named = described.flatMap(([, { note = '' }]) => [...note.matchAll(/([0-9]{3}) `([a-z-]+)`/g)])
  for (const [, status, code = ''] of named)
    expect(Object.entries(CATALOGUE)).toContainEqual([code, [Number(status), expect.any(String)]])
})

test('a limit is read where it is enforced, or is a format’s own', () => {
  const root = join(import.meta.dirname, '../..')
  const source = globSync('src/**/*.{ts,tsx}', { cwd: root })
    .filter((path) => !path.endsWith('limits.ts'))
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
  for (const [name, { value }] of described) {
    const isRead = new RegExp(`\\bLIMITS\\.${name}\\b`).test(source)
    const isFormat = FORMATS[name as keyof typeof LIMITS] === value
    expect(isRead || isFormat, `${name} is enforced`).toBe(true)
  }
})

test('a statement of a look-up has half a second, as long as the event loop may be late', () => {
  expect(LIMITS.sql_lookup_ms).toBe(500)
  expect(LIMITS.sql_lookup_ms).toBeLessThanOrEqual(LIMITS.event_loop_delay_ms)
})

test('a name is snake_case, and no setting of time or size lacks its unit', () => {
  const names = Object.keys(LIMITS)
  expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([])
  expect(names.filter((name) => /(timeout|age|time|size|length|delay)$/.test(name))).toEqual([])
})

test('the largest look-up fits its body', () => {
  const keys = Array.from({ length: LIMITS.lookup_keys }, () => 'f'.repeat(64))
  // One type and profile for each 16 keys: the most groups that the schema takes.
  const groups = Array.from({ length: 63 }, (_, i) => ({
    type: 'payment_handle',
    profile: 'p'.repeat(128),
    keys: keys.slice(i * 16, i === 62 ? undefined : (i + 1) * 16),
  }))
  const body = JSON.stringify({ queries: groups, purpose: 'investigation' })
  expect(groups.flatMap((group) => group.keys)).toHaveLength(LIMITS.lookup_keys)
  expect(body.length).toBeLessThanOrEqual(LIMITS.lookup_bytes)
  expect(body.length).toBeGreaterThan(LIMITS.json_bytes)
})

test('an item fits a line of a stream, and a whole submission of ordinary items its body', () => {
  // Every character escaped, and the salt beside it.
  expect(2 * LIMITS.item_bytes + 64).toBeLessThan(LIMITS.stream_line_bytes)
  expect(LIMITS.submission_items * 4_000).toBeLessThan(LIMITS.submission_bytes)
})

test('a long poll ends before the connection is idle for too long, and within the time of a request', () => {
  expect(LIMITS.long_poll_seconds).toBeLessThanOrEqual(LIMITS.request_seconds)
  expect(LIMITS.request_seconds).toBeLessThan(LIMITS.keep_alive_seconds)
})
