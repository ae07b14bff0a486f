import type { Kysely } from 'kysely'
import { ME, policy, run, secured } from '../src/db/ddl.ts'

/** Of present members: who has left keeps what it received, and opens nothing more. */
const MY_SEALED_FEEDS = `select f.feed_id from feed f where f.audience_id in (
  select m.audience_id from audience_member m where m.participant_id = ${ME} and m.until_seq is null)`

const sealedTable = (table: string, projector: string): string[] => [
  ...secured(table),
  `grant select on ${table} to aldis_app`,
  policy(table, 'aldis_app', { for: 'select', using: `feed_id in (${MY_SEALED_FEEDS})` }),
  `grant ${projector} on ${table} to aldis_projector`,
  policy(table, 'aldis_projector', { for: 'all', using: 'true', check: 'true' }),
]

const SEALED: readonly string[] = [
  `create table sealed_signal (
    feed_id uuid not null,
    signal_id uuid not null,
    origin uuid not null,
    revision integer not null,
    seq bigint not null,
    submission_id uuid not null,
    expires_at timestamptz not null,
    entry bytea not null check (length(entry) = 72),
    body text collate "C" not null,
    primary key (feed_id, signal_id, origin))`,
  ...sealedTable('sealed_signal', 'select, insert, update, delete'),
  `create table sealed_snapshot (
    feed_id uuid not null,
    snapshot bigint not null,
    bits smallint,
    width integer not null,
    made_at timestamptz not null,
    primary key (feed_id, snapshot))`,
  ...sealedTable('sealed_snapshot', 'select, insert, delete'),
  `create table sealed_bucket (
    feed_id uuid not null,
    snapshot bigint not null,
    prefix integer not null,
    body bytea not null,
    primary key (feed_id, snapshot, prefix))`,
  ...sealedTable('sealed_bucket', 'select, insert, update, delete'),
  'alter table sealed_bucket alter column body set storage external',
  // An erasure takes what can be opened away, and every bucket that may hold it.
  'grant select, update (entry, body, expires_at) on sealed_signal to aldis_admin',
  policy('sealed_signal', 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
  ...['sealed_snapshot', 'sealed_bucket'].flatMap((table) => [
    `grant select, delete on ${table} to aldis_admin`,
    policy(table, 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
  ]),
]

/** What sealed audiences are made of beside their feeds: live entries, and the buckets that they are asked by. */
export const sealed = (db: Kysely<unknown>): Promise<void> => run(db, SEALED)
