import type { Kysely } from 'kysely'
import { ME, ownRows, policy, readAll, run } from '../src/db/ddl.ts'

const MY_AUDIENCES = `select m.audience_id from audience_member m where m.participant_id = ${ME} and m.until_seq is null`

/** What participants say of each other's signals, each beside its giver. */
const SAID: readonly string[] = [
  `create table signed_act (
    participant_id uuid not null,
    act_id uuid not null,
    jti text collate "C" not null,
    od bytea not null check (length(od) = 32),
    jws text collate "C" not null,
    salt bytea not null check (length(salt) = 16),
    item text collate "C" not null,
    countersignature text not null,
    received_at timestamptz not null,
    replays integer not null default 0,
    primary key (participant_id, act_id),
    unique (participant_id, jti))`,
  ...ownRows('signed_act', 'select, insert, update (replays)'),
  ...readAll('signed_act', 'aldis_projector'),
  `create table feedback (
    participant_id uuid not null,
    feedback_id uuid not null,
    origin uuid not null,
    signal_id uuid not null,
    revision integer not null,
    outcome smallint not null,
    authority smallint not null,
    own_hits integer not null,
    recurrences integer not null,
    supersedes uuid,
    told text not null,
    at timestamptz not null,
    primary key (participant_id, feedback_id))`,
  ...ownRows('feedback', 'select, insert'),
  ...readAll('feedback', 'aldis_projector'),
  'create index feedback_of on feedback (participant_id, origin, signal_id, feedback_id)',
  `create table dispute (
    participant_id uuid not null,
    dispute_id uuid not null,
    origin uuid not null,
    signal_id uuid not null,
    revision integer not null,
    ground text collate "C" not null,
    note text,
    authority smallint not null,
    told text not null,
    opened_at timestamptz not null,
    due_at timestamptz not null,
    last_event uuid not null,
    primary key (participant_id, dispute_id))`,
  ...ownRows('dispute', 'select, insert'),
  ...readAll('dispute', 'aldis_projector'),
  'create index dispute_event on dispute (participant_id, last_event)',
]

/** What a source has to answer, and what is said of its signals: carried here from the log, so that they are counted in one place. */
const HEARD: readonly string[] = [
  `create table dispute_received (
    participant_id uuid not null,
    dispute_id uuid not null,
    opener uuid not null,
    signal_id uuid not null,
    revision integer not null,
    ground text collate "C" not null,
    note text,
    opened_at timestamptz not null,
    due_at timestamptz not null,
    primary key (participant_id, dispute_id))`,
  ...ownRows('dispute_received', 'select, insert'),
  `create table dispute_answer (
    participant_id uuid not null,
    dispute_id uuid not null,
    opener uuid not null,
    signal_id uuid not null,
    revision integer not null,
    result text collate "C" not null,
    note text,
    told text not null,
    at timestamptz not null,
    last_event uuid not null,
    primary key (participant_id, dispute_id))`,
  ...ownRows('dispute_answer', 'select, insert'),
  ...readAll('dispute_answer', 'aldis_projector'),
  'create index dispute_answer_event on dispute_answer (participant_id, last_event)',
  `create table dispute_result (
    participant_id uuid not null,
    dispute_id uuid not null,
    result text collate "C" not null,
    note text,
    at timestamptz not null,
    primary key (participant_id, dispute_id))`,
  ...ownRows('dispute_result', 'select, insert'),
  `create table signal_opinion (
    participant_id uuid not null,
    signal_id uuid not null,
    giver uuid not null,
    outcome smallint not null,
    independent boolean not null,
    recurrences integer not null,
    at timestamptz not null,
    place bigint not null,
    primary key (participant_id, signal_id, giver))`,
  ...ownRows('signal_opinion', 'select, insert, update'),
  ...readAll('signal_opinion', 'aldis_projector'),
  `create table signal_tally (
    participant_id uuid not null,
    signal_id uuid not null,
    audience_id uuid not null,
    counts text collate "C" not null,
    open_disputes integer not null,
    recurrences integer not null,
    primary key (participant_id, signal_id))`,
  ...ownRows('signal_tally', 'select, insert, update'),
  policy('signal_tally', 'aldis_app', { for: 'select', using: `audience_id in (${MY_AUDIENCES})` }),
]

/** A hold names what it held as it stood, so that feeds can be made again from it. */
const HOLDS: readonly string[] = [
  `create table signal_hold (
    participant_id uuid not null,
    held_event uuid not null,
    signal_id uuid not null,
    revision integer not null,
    dispute_id uuid,
    held_at timestamptz not null,
    released_event uuid,
    released_at timestamptz,
    primary key (participant_id, held_event))`,
  ...ownRows('signal_hold', 'select, insert, update (released_event, released_at)'),
  ...readAll('signal_hold', 'aldis_projector'),
  'grant select, update (released_event, released_at) on signal_hold to aldis_admin',
  policy('signal_hold', 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
  'create index signal_hold_of on signal_hold (participant_id, signal_id, held_event)',
  'create index signal_hold_released on signal_hold (participant_id, released_event) where released_event is not null',
  'create index signal_held_due on signal (participant_id, expires_at) where state = 4',
]

export async function feedback(db: Kysely<unknown>): Promise<void> {
  await run(db, SAID)
  await run(db, HEARD)
  await run(db, HOLDS)
}
