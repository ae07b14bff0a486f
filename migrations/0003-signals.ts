import type { Kysely } from 'kysely'
import { ME, ownRows, policy, readAll, run, secured } from '../src/db/ddl.ts'

const SIGNALS: readonly string[] = [
  `create table submission (
    participant_id uuid not null,
    submission_id uuid not null,
    jti text collate "C" not null,
    typ smallint not null,
    od bytea not null check (length(od) = 32),
    jws text collate "C" not null,
    n integer not null check (n between 1 and 1000),
    leaves bytea not null check (length(leaves) = 32 * n),
    response text not null,
    received_at timestamptz not null,
    replays integer not null default 0,
    primary key (participant_id, submission_id),
    unique (participant_id, jti))`,
  ...ownRows('submission', 'select, insert, update (replays)'),
  ...readAll('submission', 'aldis_projector'),
  `create table signal (
    participant_id uuid not null,
    signal_id uuid not null,
    signal_key bytea not null check (length(signal_key) = 32),
    type smallint not null,
    profile text collate "C" not null,
    category smallint not null,
    audience_id uuid not null,
    revision integer not null check (revision >= 1),
    state smallint not null,
    expires_at timestamptz not null,
    leaf bytea not null check (length(leaf) = 32),
    last_event uuid not null,
    primary key (participant_id, signal_id))`,
  ...ownRows('signal', 'select, insert, update'),
  ...readAll('signal', 'aldis_projector'),
  'create index signal_due on signal (participant_id, expires_at) where state = 1',
  'create index signal_expired on signal (participant_id, last_event) where state = 3',
  `create table signal_revision (
    participant_id uuid not null,
    signal_id uuid not null,
    revision integer not null,
    submission_id uuid not null,
    item_index smallint not null,
    salt bytea not null check (length(salt) = 16),
    item text collate "C" not null,
    primary key (participant_id, signal_id, revision))`,
  ...ownRows('signal_revision', 'select, insert'),
  ...readAll('signal_revision', 'aldis_projector'),
  'create index signal_revision_submission on signal_revision (participant_id, submission_id)',
  `create table upload (
    participant_id uuid not null,
    upload_id uuid not null,
    next_line bigint not null,
    updated_at timestamptz not null,
    primary key (participant_id, upload_id))`,
  ...ownRows('upload', 'select, insert, update'),
  `create table feed_ack (
    participant_id uuid not null,
    feed_id uuid not null,
    stage smallint not null,
    seq bigint not null,
    last_event uuid not null,
    primary key (participant_id, feed_id, stage))`,
  ...ownRows('feed_ack', 'select, insert, update'),
]

const MY_AUDIENCES = `select m.audience_id from audience_member m where m.participant_id = ${ME} and m.until_seq is null`
const MY_FEEDS = `select f.feed_id from feed f where f.participant_id = ${ME} or f.audience_id in (
  select m.audience_id from audience_member m where m.participant_id = ${ME})`

const feedTable = (table: string, projector: string): string[] => [
  ...secured(table),
  `grant select on ${table} to aldis_app`,
  policy(table, 'aldis_app', { for: 'select', using: `feed_id in (${MY_FEEDS})` }),
  `grant ${projector} on ${table} to aldis_projector`,
  policy(table, 'aldis_projector', { for: 'all', using: 'true', check: 'true' }),
]

const SHARED: readonly string[] = [
  `create table shared_signal (
    signal_key bytea not null check (length(signal_key) = 32),
    signal_id uuid not null,
    origin uuid not null,
    type smallint not null,
    profile text collate "C" not null,
    audience_id uuid not null,
    revision integer not null,
    state smallint not null,
    expires_at timestamptz not null,
    log_idx bigint not null,
    feed_id uuid not null,
    seq bigint not null,
    primary key (signal_key, signal_id, origin))`,
  ...secured('shared_signal'),
  'grant select on shared_signal to aldis_app',
  policy('shared_signal', 'aldis_app', {
    for: 'select',
    using: `origin = ${ME} or (state = 1 and audience_id in (${MY_AUDIENCES}))`,
  }),
  'grant select, insert, update on shared_signal to aldis_projector',
  policy('shared_signal', 'aldis_projector', { for: 'all', using: 'true', check: 'true' }),
]

const FEEDS: readonly string[] = [
  `create table feed_head (
    feed_id uuid primary key,
    next_seq bigint not null,
    applied_idx bigint not null,
    added_us bigint not null,
    retained_from bigint not null,
    sealed_seq bigint not null)`,
  ...feedTable('feed_head', 'select, insert, update'),
  `create table feed_entry (
    feed_id uuid not null,
    seq bigint not null,
    log_idx bigint not null,
    kind smallint not null,
    origin uuid not null,
    signal_id uuid not null,
    revision integer not null,
    submission_id uuid not null,
    body text collate "C" not null,
    primary key (feed_id, seq))`,
  ...feedTable('feed_entry', 'select, insert'),
  `create table feed_submission (
    feed_id uuid not null,
    submission_id uuid not null,
    body text collate "C" not null,
    primary key (feed_id, submission_id))`,
  ...feedTable('feed_submission', 'select, insert'),
  `create table feed_segment (
    feed_id uuid not null,
    first_seq bigint not null,
    generation integer not null,
    n integer not null,
    digest bytea not null check (length(digest) = 32),
    set_salt bytea not null check (length(set_salt) = 32),
    sets text not null,
    bytes bytea not null,
    primary key (feed_id, first_seq, generation))`,
  ...feedTable('feed_segment', 'select, insert'),
  'alter table feed_segment alter column bytes set storage external',
  'grant insert on feed_head to aldis_admin',
  policy('feed_head', 'aldis_admin', { for: 'insert', check: 'true' }),
]

export async function signals(db: Kysely<unknown>): Promise<void> {
  await run(db, SIGNALS)
  await run(db, SHARED)
  await run(db, FEEDS)
}
