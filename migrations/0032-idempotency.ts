import type { Kysely } from 'kysely'
import { ownRows, policy, run } from '../src/db/ddl.ts'

/** Requests that came under a key of their sender's, for a day: what was asked, whether it changed something, and the sealed answer. */
const KEYS: readonly string[] = [
  `create table idempotency_key (
    participant_id uuid not null,
    credential_id uuid not null,
    key_digest bytea not null check (octet_length(key_digest) = 32),
    request_digest bytea not null check (octet_length(request_digest) = 32),
    claim uuid not null,
    claimed_until timestamptz not null,
    changed boolean not null,
    done boolean not null,
    answer bytea,
    replays integer not null,
    expires_at timestamptz not null,
    primary key (participant_id, credential_id, key_digest))`,
  ...ownRows('idempotency_key', 'select, insert, update, delete'),
  // Ended by the purge; what was asked and answered is not read there.
  'grant select (participant_id, credential_id, key_digest, expires_at), delete on idempotency_key to aldis_admin',
  policy('idempotency_key', 'aldis_admin', { for: 'all', using: 'true' }),
  'create index idempotency_key_expires on idempotency_key (participant_id, expires_at)',
  `create table idempotency_use (
    participant_id uuid not null,
    day date not null,
    used integer not null,
    primary key (participant_id, day))`,
  ...ownRows('idempotency_use', 'select, insert, update, delete'),
]

export async function idempotency(db: Kysely<unknown>): Promise<void> {
  await run(db, KEYS)
}
