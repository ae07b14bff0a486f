import { LOOKUP_MAX, PAGE_MAX, WAIT_MAX } from '../feeds/schema.ts'
import { JSON_LIMITS } from '../kernel/strict-json.ts'
import { AUDIENCE_MEMBERS_MAX } from '../participants/schema.ts'
import { LINE_MAX } from '../signals/stream.ts'
import { ITEM_BYTES_MAX, ITEMS_MAX } from '../signals/submission.ts'
import { REFUSAL_ROWS_MAX } from './handshake-refusals.ts'

/**
 * Every limit of the listeners and of the API, the unit at the end of the name. Whoever enforces one reads it here;
 * `docs/limits.md` is made from it. Those of a format are the format's own.
 */
export const LIMITS = {
  // A connection; beyond: closed, and 503 `busy` for the ones of one credential.
  handshake_seconds: 5,
  connections: 2_000,
  connections_per_credential: 64,
  new_connections_per_address_per_second: 20,
  new_connections_per_address_burst: 50,
  connection_age_seconds: 3_600,
  keep_alive_seconds: 65,
  requests_per_connection: 10_000,
  refused_handshake_rows_per_minute: REFUSAL_ROWS_MAX,

  // Standing; beyond: 503 `authority-stale`.
  authority_age_seconds: 30,

  // The head of a request; 431, 408, 414, 400, 415.
  header_bytes: 16_384,
  headers: 100,
  header_seconds: 10,
  url_bytes: 2_048,
  parameter_characters: 128,
  idempotency_key_characters: 255,
  content_encoding: 'none is taken',

  // The body, by class of route; 413, 408.
  enrol_bytes: 16_384,
  json_bytes: 65_536,
  lookup_bytes: 131_072,
  submission_bytes: 4_194_304,
  stream_bytes: 1_073_741_824,
  stream_lines: 1_000_000,
  stream_line_bytes: LINE_MAX,
  request_seconds: 30,
  stream_seconds: 600,
  stream_bytes_per_second: 1_024,

  // JSON; 422 `json-limit`. Duplicate keys, lone surrogates and unsafe integers are 400 `json-strict`.
  json_depth: JSON_LIMITS.depth,
  json_members: JSON_LIMITS.members,
  json_string_characters: JSON_LIMITS.string,
  json_array_items: JSON_LIMITS.array,

  // What a request may ask for; 422.
  submission_items: ITEMS_MAX,
  item_bytes: ITEM_BYTES_MAX,
  page_events: PAGE_MAX,
  lookup_keys: LOOKUP_MAX,
  long_poll_seconds: WAIT_MAX,
  audience_members: AUDIENCE_MEMBERS_MAX,

  // How often; 429 with `Retry-After`.
  requests_per_credential_per_second: 200,
  requests_per_credential_burst: 400,
  refusals_per_credential_per_minute: 300,

  // Pressure; 503 `busy` at once, submissions before look-ups.
  pool_queue: 100,
  event_loop_delay_ms: 500,
  sql_lookup_ms: 500,
  sql_submit_ms: 10_000,
  sql_admin_ms: 60_000,

  // The operations listener.
  ops_request_seconds: 5,
  ops_check_seconds: 2,
} as const
