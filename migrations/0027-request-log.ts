import type { Kysely } from 'kysely'
import { ownRows, policy, run } from '../src/db/ddl.ts'

/** Requests of an organisation's programs as they were answered, for seven days; nothing that came with them. */
const REQUESTS: readonly string[] = [
  `create table request_log (
    participant_id uuid not null,
    request_id text collate "C" not null,
    at timestamptz not null,
    credential_id uuid not null,
    method text collate "C" not null,
    route text collate "C" not null,
    status smallint not null,
    code text collate "C",
    duration_ms integer not null,
    response_bytes bigint,
    dropped integer not null,
    primary key (participant_id, request_id))`,
  ...ownRows('request_log', 'select, insert'),
  'grant select, delete on request_log to aldis_admin',
  policy('request_log', 'aldis_admin', { for: 'all', using: 'true' }),
  'create index request_log_at on request_log (participant_id, at, request_id)',
  'create index request_log_code on request_log (participant_id, code, at, request_id) where code is not null',
  'create index request_log_dropped on request_log (participant_id, at) where dropped > 0',
]

export async function requestLog(db: Kysely<unknown>): Promise<void> {
  await run(db, REQUESTS)
}
