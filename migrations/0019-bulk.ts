import type { Kysely } from 'kysely'
import { ownRows, readAll, run } from '../src/db/ddl.ts'

/** Cases that are decided alike. The list is fixed when it is asked for: rows say afterwards only how it went on. */
const JOBS: readonly string[] = [
  `create table bulk_job (
    participant_id uuid not null,
    job_id uuid not null,
    verdict smallint not null,
    reason text collate "C" not null,
    note_team text,
    note_shared text,
    n integer not null check (n between 1 and 1000),
    digest bytea not null check (length(digest) = 32),
    state smallint not null,
    authority smallint not null,
    proposed_by text collate "C" not null,
    proposed_at timestamptz not null,
    needs_second boolean not null check (needs_second = (n > 25)),
    approved_by text collate "C",
    approved_digest bytea,
    expires_at timestamptz,
    refusal text collate "C",
    ended_at timestamptz,
    release_at timestamptz,
    last_event uuid not null,
    primary key (participant_id, job_id),
    check (approved_by is null or lower(approved_by) <> lower(proposed_by)),
    check ((approved_by is null) = (approved_digest is null)),
    check (approved_digest is null or approved_digest = digest),
    check (state in (1, 6) or not needs_second or approved_by is not null))`,
  ...ownRows(
    'bulk_job',
    'select, insert, update (state, approved_by, approved_digest, expires_at, refusal, ended_at, release_at, last_event)',
  ),
  ...readAll('bulk_job', 'aldis_projector'),
  'create index bulk_job_live on bulk_job (proposed_at) where state in (1, 2, 4)',
  'create index bulk_job_proposed on bulk_job (participant_id, proposed_at)',
  `create table bulk_item (
    participant_id uuid not null,
    job_id uuid not null,
    place smallint not null check (place between 1 and 1000),
    case_id uuid not null,
    version integer not null,
    decision_id uuid not null,
    result smallint,
    done_at timestamptz,
    undone boolean,
    primary key (participant_id, job_id, place),
    unique (participant_id, job_id, case_id),
    check ((result is null) = (done_at is null)))`,
  ...ownRows('bulk_item', 'select, insert, update (result, done_at, undone)'),
]

const DECISIONS: readonly string[] = [
  'alter table decision add column job_id uuid',
  'alter table decision add column single_reviewed boolean not null default false',
  'create index decision_job on decision (participant_id, job_id) where job_id is not null',
]

/** How an organisation reviews: when, and how much of it a second time, without seeing what was decided. */
const SETTINGS: readonly string[] = [
  `create table review_setting (
    participant_id uuid not null,
    days smallint not null check (days between 0 and 127),
    opens smallint not null check (opens between 0 and 1439),
    closes smallint not null check (closes between 1 and 1440),
    sample_percent smallint not null check (sample_percent between 0 and 100),
    last_event uuid not null,
    primary key (participant_id),
    check (opens < closes))`,
  ...ownRows('review_setting', 'select, insert, update'),
  `create table review_sample (
    participant_id uuid not null,
    sample_id uuid not null,
    case_id uuid not null,
    seq integer not null,
    verdict smallint not null,
    reason text collate "C" not null,
    decided_by text collate "C" not null,
    approved_by text collate "C",
    authority smallint not null,
    opened_at timestamptz not null,
    second_verdict smallint,
    second_reason text collate "C",
    second_by text collate "C",
    second_authority smallint,
    second_at timestamptz,
    last_event uuid not null,
    primary key (participant_id, sample_id),
    check (second_by is null or lower(second_by) <> lower(decided_by)),
    check (second_by is null or approved_by is null or lower(second_by) <> lower(approved_by)),
    check ((second_by is null) = (second_verdict is null) and (second_by is null) = (second_at is null)))`,
  ...ownRows(
    'review_sample',
    'select, insert, update (second_verdict, second_reason, second_by, second_authority, second_at, last_event)',
  ),
  'create index review_sample_open on review_sample (participant_id, sample_id) where second_by is null',
  'create index review_sample_at on review_sample (participant_id, opened_at)',
]

export async function bulk(db: Kysely<unknown>): Promise<void> {
  await run(db, JOBS)
  await run(db, DECISIONS)
  await run(db, SETTINGS)
}
