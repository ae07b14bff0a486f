import type { Kysely } from 'kysely'
import { ownRows, readAll, run } from '../src/db/ddl.ts'

const COUNTS = [
  'accounts_actioned',
  'content_removed',
  'urls_blocked',
  'reports_filed',
  'investigations_opened',
] as const

/** Null is "not reported", 0 is none. */
const countColumns = COUNTS.map((name) => `${name} integer check (${name} >= 0)`).join(',\n    ')

const CASES: readonly string[] = [
  `create table hit (
    participant_id uuid not null,
    origin uuid not null,
    signal_id uuid not null,
    signal_key bytea not null check (length(signal_key) = 32),
    count integer not null check (count >= 0),
    last_at timestamptz not null,
    own_ref text collate "C",
    acted_count integer,
    last_event uuid not null,
    primary key (participant_id, origin, signal_id))`,
  ...ownRows('hit', 'select, insert, update'),
  `create table review_case (
    participant_id uuid not null,
    case_id uuid not null,
    origin uuid not null,
    signal_id uuid not null,
    signal_key bytea not null check (length(signal_key) = 32),
    revision integer not null,
    type smallint not null,
    category smallint not null,
    severity smallint not null check (severity between 1 and 4),
    confidence smallint not null check (confidence between 0 and 100),
    state smallint not null,
    version integer not null,
    own_hits integer not null,
    confirmations integer not null,
    disputed boolean not null,
    rank integer not null,
    due_at timestamptz not null,
    paused_at timestamptz,
    opened_at timestamptz not null,
    held_until timestamptz,
    hold_reason text collate "C",
    assigned_to text collate "C",
    last_event uuid not null,
    primary key (participant_id, case_id))`,
  ...ownRows('review_case', 'select, insert, update'),
  ...readAll('review_case', 'aldis_projector'),
  // One live case of an organisation for a signal.
  'create unique index review_case_live on review_case (participant_id, origin, signal_id) where state <> 6',
  'create index review_case_late on review_case (participant_id, due_at, case_id) where state = 1',
  'create index review_case_rank on review_case (participant_id, rank desc, due_at, case_id) where state = 1',
  'create index review_case_held on review_case (held_until) where held_until is not null',
  'create index review_case_of on review_case (origin, signal_id)',
  `create table case_trigger (
    participant_id uuid not null,
    case_id uuid not null,
    kind text collate "C" not null,
    ref text collate "C" not null,
    at timestamptz not null,
    last_event uuid not null,
    primary key (participant_id, case_id, kind, ref))`,
  ...ownRows('case_trigger', 'select, insert'),
  `create table review_lease (
    participant_id uuid not null,
    case_id uuid not null,
    holder text collate "C" not null,
    token uuid not null,
    expires_at timestamptz not null,
    primary key (participant_id, case_id))`,
  ...ownRows('review_lease', 'select, insert, update'),
  `create table routing_rule (
    participant_id uuid not null,
    keyword_patterns boolean not null,
    critical boolean not null,
    not_reviewed boolean not null,
    new_sources boolean not null,
    categories text[] not null,
    last_event uuid not null,
    primary key (participant_id))`,
  ...ownRows('routing_rule', 'select, insert, update'),
  ...readAll('routing_rule', 'aldis_projector'),
]

/** What was decided is never written over: only how it went on is. */
const DECISIONS: readonly string[] = [
  `create table decision (
    participant_id uuid not null,
    case_id uuid not null,
    seq integer not null check (seq >= 1),
    decision_id uuid not null,
    verdict smallint not null,
    reason text collate "C" not null,
    note_team text,
    note_shared text,
    category_suggested text collate "C",
    ${countColumns},
    authority smallint not null,
    decided_by text collate "C" not null,
    decided_at timestamptz not null,
    needs_second boolean not null,
    supersedes integer,
    corrects boolean not null,
    approved_by text collate "C",
    release_at timestamptz,
    released_at timestamptz,
    ended_at timestamptz,
    last_event uuid not null,
    primary key (participant_id, case_id, seq),
    unique (participant_id, decision_id),
    check (approved_by is null or approved_by <> decided_by),
    check (release_at is null or not needs_second or approved_by is not null),
    check (released_at is null or release_at is not null),
    check (released_at is null or ended_at is null))`,
  ...ownRows('decision', 'select, insert, update (approved_by, release_at, released_at, ended_at, last_event)'),
  ...readAll('decision', 'aldis_projector'),
  `create index decision_due on decision (release_at)
    where release_at is not null and released_at is null and ended_at is null`,
]

export async function review(db: Kysely<unknown>): Promise<void> {
  await run(db, CASES)
  await run(db, DECISIONS)
}
