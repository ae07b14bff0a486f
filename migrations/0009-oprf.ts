import type { Kysely } from 'kysely'
import { ownRows, readAll, run } from '../src/db/ddl.ts'

const READERS = 'aldis_app, aldis_ledger, aldis_integrator, aldis_signer, aldis_projector, aldis_admin'

/** The public key of an epoch, the parts that it is split into (JSON), and the event that published them. */
const PROFILE: readonly string[] = [
  'alter table hash_profile add column public_key bytea',
  'alter table hash_profile add column shares text',
  'alter table hash_profile add column published uuid',
]

const QUOTA: readonly string[] = [
  `create table evaluation_quota (
    participant_id uuid not null,
    purpose text collate "C" not null,
    per_day integer not null check (per_day between 0 and 1000000000),
    last_event uuid not null,
    primary key (participant_id, purpose))`,
  `grant select on evaluation_quota to ${READERS}`,
  'grant insert, update on evaluation_quota to aldis_admin',
  `create table evaluation_use (
    participant_id uuid not null,
    day date not null,
    purpose text collate "C" not null,
    used integer not null check (used > 0),
    primary key (participant_id, day, purpose))`,
  ...ownRows('evaluation_use', 'select, insert, update'),
  ...readAll('evaluation_use', 'aldis_ledger'),
  `create table evaluation_batch (
    participant_id uuid not null,
    batch_key uuid not null,
    digest bytea not null check (length(digest) = 32),
    kid text collate "C" not null,
    purpose text collate "C" not null,
    n integer not null check (n between 1 and 256),
    at timestamptz not null,
    event_id uuid,
    primary key (participant_id, batch_key))`,
  ...ownRows('evaluation_batch', 'select, insert, update, delete'),
  ...readAll('evaluation_batch', 'aldis_ledger'),
]

export async function oprf(db: Kysely<unknown>): Promise<void> {
  await run(db, [...PROFILE, ...QUOTA])
}
