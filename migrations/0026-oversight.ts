import type { Kysely } from 'kysely'
import { policy, readAll, run, secured } from '../src/db/ddl.ts'

/** Transparency reports that somebody of governance made, and those that two organisations published. */
const REPORTS: readonly string[] = [
  `create table report (
    digest bytea primary key check (octet_length(digest) = 32),
    period_from timestamptz not null,
    period_to timestamptz not null,
    log_size bigint not null,
    body text not null,
    made_by uuid not null references person,
    made_at timestamptz not null,
    published_at timestamptz,
    published_event uuid)`,
  'grant select, insert, update (published_at, published_event) on report to aldis_admin',
  'create index report_published on report (published_at) where published_at is not null',
]

/** How much each organisation did in each hour, counted with the entries of the log; and what was found unusual in it. */
const ANOMALIES: readonly string[] = [
  `create table activity_hour (
    log_id integer not null,
    hour timestamptz not null,
    actor text collate "C" not null,
    kind text collate "C" not null,
    entries integer not null,
    items bigint not null,
    primary key (log_id, hour, actor, kind))`,
  ...secured('activity_hour'),
  ...readAll('activity_hour', 'aldis_ledger'),
  'grant select, insert, update on activity_hour to aldis_projector',
  policy('activity_hour', 'aldis_projector', { for: 'all', using: 'true', check: 'true' }),
  `create table anomaly_case (
    case_id uuid primary key,
    rule text collate "C" not null,
    subject text collate "C" not null,
    day date not null,
    measured integer not null,
    baseline integer not null,
    threshold integer not null,
    state smallint not null check (state between 1 and 3),
    opened_at timestamptz not null,
    moved_by uuid references person,
    moved_at timestamptz,
    reason text collate "C",
    note text,
    last_event uuid not null,
    unique (rule, subject, day))`,
  'grant select, insert, update (state, moved_by, moved_at, reason, note, last_event) on anomaly_case to aldis_admin',
]

/** Signals that two persons hold at once. */
const HOLDS: readonly string[] = ['grant insert on signal_hold to aldis_admin']

/** What may not be removed, what people ask to have erased, and what authorities ask for. */
const REGISTERS: readonly string[] = [
  `create table legal_hold (
    hold_id uuid primary key,
    participant_id uuid not null,
    what text collate "C" not null check (what in ('reads', 'signals', 'all')),
    reason text collate "C" not null,
    placed_at timestamptz not null,
    lifted_at timestamptz,
    last_event uuid not null)`,
  'create index legal_hold_placed on legal_hold (participant_id) where lifted_at is null',
  'grant select, insert, update (lifted_at, last_event) on legal_hold to aldis_admin',
  `create table subject_request (
    request_id uuid primary key,
    kind text collate "C" not null,
    received_at timestamptz not null,
    due_at timestamptz not null,
    extension text collate "C",
    searched_at timestamptz,
    outcome text collate "C",
    closed_at timestamptz,
    opened_by uuid not null references person,
    last_event uuid not null)`,
  'create index subject_request_open on subject_request (due_at) where closed_at is null',
  'grant select, insert, update (due_at, extension, searched_at, outcome, closed_at, last_event) on subject_request to aldis_admin',
  `create table subject_request_part (
    request_id uuid not null references subject_request,
    participant_id uuid not null,
    signals text[] not null,
    approval uuid,
    primary key (request_id, participant_id))`,
  'grant select, insert, update (signals, approval) on subject_request_part to aldis_admin',
  `create table government_request (
    request_id uuid primary key,
    country text collate "C" not null,
    kind text collate "C" not null,
    asked integer not null check (asked >= 0),
    basis text collate "C" not null,
    reference text not null,
    received_at timestamptz not null,
    opened_by uuid not null references person,
    outcome text collate "C",
    disclosed integer check (disclosed >= 0),
    closed_at timestamptz,
    last_event uuid not null)`,
  'grant select, insert, update (outcome, disclosed, closed_at, last_event) on government_request to aldis_admin',
]

export async function oversight(db: Kysely<unknown>): Promise<void> {
  await run(db, REPORTS)
  await run(db, ANOMALIES)
  await run(db, HOLDS)
  await run(db, REGISTERS)
}
