import type { Kysely } from 'kysely'
import { ME, policy, run, secured } from '../src/db/ddl.ts'

/** A table that administrators alone write and read; placed by a participant. */
const administered = (table: string): string[] => [
  ...secured(table),
  `grant select, insert on ${table} to aldis_admin`,
  policy(table, 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
]

const ERASURES: readonly string[] = [
  `create table erasure (
    participant_id uuid not null,
    event_id uuid not null,
    request_id uuid not null,
    at timestamptz not null,
    basis text collate "C" not null,
    notified integer not null,
    primary key (participant_id, event_id))`,
  ...administered('erasure'),
  // By holder: whom a tombstone asks to remove what it obtained.
  `create table erasure_notice (
    participant_id uuid not null,
    event_id uuid not null,
    primary key (participant_id, event_id))`,
  ...administered('erasure_notice'),
  'grant select on erasure_notice to aldis_app',
  policy('erasure_notice', 'aldis_app', { for: 'select', using: `participant_id = ${ME}` }),
  `create table epoch_key (
    epoch integer primary key,
    stale_at timestamptz not null,
    rewrapped_at timestamptz,
    destroyed_at timestamptz)`,
  'grant select, insert, update on epoch_key to aldis_admin',
]

/** What an erasure takes away. A revision without salt is erased; its text is then what the log needs of it. */
const ERASED: readonly string[] = [
  'alter table signal_revision alter column salt drop not null',
  'alter table signal add column ended_by uuid',
  'create index signal_erased on signal (participant_id, last_event) where state = 5',
  'create index signal_ended_by on signal (participant_id, ended_by) where state = 5',
  'alter table feed_head add column erasures bigint not null default 0',
]

const GRANTS: Readonly<Record<string, string>> = {
  signal: 'select, update (signal_key, state, last_event, ended_by)',
  signal_revision: 'select, update (salt, item)',
  feed_entry: 'select, update (body)',
  feed_submission: 'select',
  feed_segment: 'select, insert, delete',
  shared_signal: 'select, delete',
  read_journal: 'select, update (body, epoch)',
  feed_ack: 'select',
}

export async function erasure(db: Kysely<unknown>): Promise<void> {
  await run(db, ERASURES)
  await run(db, ERASED)
  for (const [table, rights] of Object.entries(GRANTS))
    await run(db, [
      `grant ${rights} on ${table} to aldis_admin`,
      policy(table, 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
    ])
  await run(db, [
    'grant update (body, epoch) on prov_record to aldis_admin',
    'grant select, update (erasures) on feed_head to aldis_admin',
    policy('feed_head', 'aldis_admin', { for: 'select', using: 'true' }),
    policy('feed_head', 'aldis_admin', { for: 'update', using: 'true', check: 'true' }),
    'grant select on log_event, projector to aldis_admin',
    'grant select (participant_id, signal_id, ended_by) on signal to aldis_ledger',
  ])
}
