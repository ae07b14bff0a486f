import type { Kysely } from 'kysely'
import { ownRows, readAll, run } from '../src/db/ddl.ts'

/**
 * By what the id of another protocol's object finds its signal: bytes 1 to 4 of the signal's id, which in version 7 are a quarter of a
 * second, and bytes 13 to 15 of the digest of it. Of one time, so that entries that come together stand together in the index; a column
 * of its own, since row-level security lets no expression be looked up before its own conditions.
 */
const OBJECT_KEY: readonly string[] = [
  `alter table feed_entry add column object_key bytea generated always as (
    substr(uuid_send(signal_id), 2, 4) || substr(sha256(uuid_send(signal_id)), 14, 3)) stored`,
  'create index feed_entry_object on feed_entry (feed_id, object_key)',
]

/**
 * Uploads that are worked off after their sender has gone. `attempt` names whoever receives or works off now: what another one, who was
 * taken for dead, still writes is refused. Parts of kind 1 are what was sent, of kind 2 the results.
 */
const UPLOADS: readonly string[] = [
  `create table upload_job (
    participant_id uuid not null,
    upload_id uuid not null,
    state smallint not null,
    attempt uuid not null,
    credential_id uuid not null,
    scopes text not null,
    bytes bigint not null,
    lines bigint not null,
    accepted bigint not null default 0,
    refused bigint not null default 0,
    tries smallint not null default 0,
    fault text collate "C",
    received_at timestamptz not null,
    ended_at timestamptz,
    primary key (participant_id, upload_id),
    check (state between 1 and 5),
    check ((ended_at is null) = (state < 4)))`,
  ...ownRows(
    'upload_job',
    'select, insert, delete, update (state, attempt, credential_id, scopes, bytes, lines, accepted, refused, tries, fault, received_at, ended_at)',
  ),
  ...readAll('upload_job', 'aldis_projector'),
  'create index upload_job_live on upload_job (received_at) where state < 4',
  'create index upload_job_ended on upload_job (ended_at) where state > 3',
  `create table upload_part (
    participant_id uuid not null,
    upload_id uuid not null,
    kind smallint not null check (kind in (1, 2)),
    part integer not null check (part >= 0),
    content bytea not null,
    primary key (participant_id, upload_id, kind, part))`,
  ...ownRows('upload_part', 'select, insert, delete'),
]

export async function objectsUploads(db: Kysely<unknown>): Promise<void> {
  await run(db, [...OBJECT_KEY, ...UPLOADS])
}
