import type { Kysely } from 'kysely'
import { policy, readAll, run, secured } from '../src/db/ddl.ts'

/** What the console's explorer finds entries by, written as they are integrated; who shared what with whom, counted with them. */
const TABLES: readonly string[] = [
  `create table log_entry (
    log_id integer not null,
    idx bigint not null,
    event_id uuid not null,
    participant_id uuid not null,
    kind text collate "C" not null,
    actor text collate "C" not null,
    at timestamptz not null,
    logged_at timestamptz not null,
    recipients text[] not null,
    primary key (log_id, idx))`,
  'create index log_entry_kind on log_entry (log_id, kind, idx)',
  'create index log_entry_actor on log_entry (log_id, actor, idx)',
  // Never runs back, unlike the time of a record: a range of it is a range of indices.
  'create index log_entry_logged on log_entry (log_id, logged_at, idx)',
  `create table log_mention (
    log_id integer not null,
    term text collate "C" not null,
    idx bigint not null,
    primary key (log_id, term, idx))`,
  `create table share_day (
    log_id integer not null,
    day date not null,
    source text collate "C" not null,
    recipient text collate "C" not null,
    category text collate "C" not null,
    audience uuid not null,
    shared integer not null default 0,
    confirmed integer not null default 0,
    not_violating integer not null default 0,
    answered integer not null default 0,
    disputed integer not null default 0,
    waits integer[] not null,
    primary key (log_id, day, source, recipient, category, audience))`,
]

const TO_LEDGER = ['log_entry', 'log_mention', 'share_day']

const GRANTS: readonly string[] = [
  ...TO_LEDGER.flatMap((table) => [...secured(table), ...readAll(table, 'aldis_ledger')]),
  'grant select, insert on log_entry, log_mention to aldis_projector',
  'grant select, insert, update on share_day to aldis_projector',
  ...TO_LEDGER.map((table) => policy(table, 'aldis_projector', { for: 'all', using: 'true', check: 'true' })),
]

export async function explorer(db: Kysely<unknown>): Promise<void> {
  await run(db, TABLES)
  await run(db, GRANTS)
}
