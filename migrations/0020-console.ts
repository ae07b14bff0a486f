import type { Kysely } from 'kysely'
import { ownRows, readAll, run } from '../src/db/ddl.ts'

/** Who was told what: what no other row says. */
const TOLD: readonly string[] = [
  `create table case_taken (
    participant_id uuid not null,
    event_id uuid not null,
    case_id uuid not null,
    taken_from text collate "C" not null,
    taken_by text collate "C" not null,
    at timestamptz not null,
    primary key (participant_id, event_id))`,
  ...ownRows('case_taken', 'select, insert'),
  'create index case_taken_at on case_taken (participant_id, at)',
  'alter table decision add column refused_by text collate "C"',
  'alter table decision add column refusal text collate "C"',
  'grant update (refused_by, refusal) on decision to aldis_app',
  'create index decision_second on decision (participant_id, decided_at) where needs_second',
  'create index review_case_assigned on review_case (participant_id, case_id) where state = 1 and assigned_to is not null',
  'alter table approval add column note text',
]

/** What a source answers to a recipient that needs information. */
const ANSWERS: readonly string[] = [
  `create table question_answer (
    participant_id uuid not null,
    answer_id uuid not null,
    asker uuid not null,
    signal_id uuid not null,
    revision integer not null,
    told text not null,
    at timestamptz not null,
    primary key (participant_id, answer_id))`,
  ...ownRows('question_answer', 'select, insert'),
  ...readAll('question_answer', 'aldis_projector'),
  'create index question_answer_of on question_answer (participant_id, signal_id, asker, at)',
]

/** How a person works with the console; nobody else reads it. */
const PERSONAL: readonly string[] = [
  `create table console_preference (
    person_id uuid primary key references person,
    settings text collate "C" not null,
    notices_seen_at timestamptz,
    updated_at timestamptz not null)`,
  'grant select, insert, update (settings, notices_seen_at, updated_at) on console_preference to aldis_admin',
  `create table console_exposure (
    person_id uuid not null references person,
    day text collate "C" not null,
    seen integer not null check (seen >= 0),
    since_break integer not null check (since_break >= 0),
    began_at timestamptz not null,
    last_at timestamptz not null,
    primary key (person_id, day))`,
  'grant select, insert, delete, update (seen, since_break, began_at, last_at) on console_exposure to aldis_admin',
]

const VIEWS: readonly string[] = [
  `create table saved_view (
    participant_id uuid not null,
    view_id uuid not null,
    owner uuid not null,
    shared boolean not null,
    screen text collate "C" not null check (screen in ('queue', 'submissions')),
    name text not null,
    filter text collate "C" not null,
    made_at timestamptz not null,
    primary key (participant_id, view_id))`,
  ...ownRows('saved_view', 'select, insert, delete'),
]

/** Where an organisation is called, and what was posted there; the secret of an endpoint is in no row. */
const WEBHOOKS: readonly string[] = [
  `create table webhook_endpoint (
    participant_id uuid not null,
    endpoint_id uuid not null,
    url text collate "C" not null,
    kinds text[] not null,
    made_by uuid not null,
    made_at timestamptz not null,
    ended_at timestamptz,
    last_event uuid not null,
    primary key (participant_id, endpoint_id))`,
  ...ownRows('webhook_endpoint', 'select, insert, update (ended_at, last_event)'),
  ...readAll('webhook_endpoint', 'aldis_projector'),
  'create index webhook_endpoint_live on webhook_endpoint (participant_id) where ended_at is null',
  `create table webhook_delivery (
    participant_id uuid not null,
    endpoint_id uuid not null,
    message_id text collate "C" not null,
    kind text collate "C" not null,
    body text not null,
    made_at timestamptz not null,
    attempts smallint not null,
    next_at timestamptz,
    delivered_at timestamptz,
    fault text collate "C",
    primary key (participant_id, endpoint_id, message_id))`,
  ...ownRows('webhook_delivery', 'select, insert, delete, update (attempts, next_at, delivered_at, fault)'),
  ...readAll('webhook_delivery', 'aldis_projector'),
  'create index webhook_delivery_due on webhook_delivery (next_at) where next_at is not null',
  'create index webhook_delivery_made on webhook_delivery (participant_id, made_at)',
]

export async function consoleWork(db: Kysely<unknown>): Promise<void> {
  await run(db, TOLD)
  await run(db, ANSWERS)
  await run(db, PERSONAL)
  await run(db, VIEWS)
  await run(db, WEBHOOKS)
}
