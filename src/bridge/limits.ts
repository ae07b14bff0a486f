import { LINE_BYTES, QUERIES_MAX } from './schema.ts'

/** Bounds of the bridge: of what its clients send, and of what it keeps for the node. */
export const BRIDGE_LIMITS = {
  connections: 256,
  header_bytes: 8_192,
  header_seconds: 5,
  request_seconds: 30,
  stream_seconds: 3_600,
  /** Without a byte in either direction. */
  stream_idle_seconds: 600,
  keep_alive_seconds: 65,
  /** Of a body of JSON, and of all that are being read or answered at once. */
  body_bytes: 4_194_304,
  bodies_at_once: 16,
  /** Of one look-up or match. */
  queries: QUERIES_MAX,
  /** Signals that are told of one query, and of all queries of a request: who shares thousands that are alike fills nobody's memory. */
  matches: 100,
  matches_of_request: 10_000,
  /** Of one line of a stream, its newline not counted. */
  line_bytes: LINE_BYTES,
  /** Lines of a stream that are matched together. */
  lines_at_once: 64,
  streams_at_once: 8,
  /** Of the outbox: what waits for the node, and what it refused. */
  outbox_entries: 10_000,
  outbox_bytes: 268_435_456,
  /** Answers of the node that are remembered, so that a repeated request gets the same. */
  outbox_delivered: 10_000,
  outbox_page: 100,
} as const
