import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** What an organisation shows before it is admitted, item by item, and who found it good. */
const ONBOARDING: readonly string[] = [
  `create table onboarding (
    onboarding_id uuid primary key,
    slug text collate "C" not null check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    name text not null,
    kind smallint not null,
    opened_by uuid not null references person,
    opened_at timestamptz not null,
    outcome smallint,
    closed_at timestamptz,
    last_event uuid not null,
    check ((outcome is null) = (closed_at is null)))`,
  'create unique index onboarding_open on onboarding (slug) where closed_at is null',
  'grant select, insert, update (outcome, closed_at, last_event) on onboarding to aldis_admin',
  'grant select (onboarding_id, slug, kind, outcome, last_event) on onboarding to aldis_ledger',
  `create table onboarding_item (
    onboarding_id uuid not null references onboarding,
    item text collate "C" not null,
    state smallint not null,
    version text collate "C",
    digest bytea not null check (length(digest) = 32),
    signatory text,
    provided_by uuid not null references person,
    provided_at timestamptz not null,
    judged_by uuid references person,
    judged_at timestamptz,
    last_event uuid not null,
    primary key (onboarding_id, item),
    check (judged_by <> provided_by))`,
  'grant select, insert, update (state, version, digest, signatory, provided_by, provided_at, judged_by, judged_at, last_event) on onboarding_item to aldis_admin',
  'grant select (onboarding_id, item, state, version, digest, last_event) on onboarding_item to aldis_ledger',
]

/** Until when somebody who was admitted is looked at with more care; gone once two persons said that it need not be. */
const PROBATION: readonly string[] = ['alter table participant add column probation_until timestamptz']

/** A key that was presented under a code and waits until its fingerprint was told by another way. */
const READ_BACK: readonly string[] = [
  'alter table enrolment add column read_back boolean not null default false',
  'alter table enrolment add column credential_id uuid',
  'alter table enrolment add column spki bytea check (length(spki) = 32)',
  'alter table enrolment add column signing_jwk text collate "C"',
  'grant update (credential_id, spki, signing_jwk) on enrolment to aldis_admin',
]

/** A group whose members all left, and which nobody joins again. */
const ENDED: readonly string[] = ['alter table participant_group add column ended_at timestamptz']

/** A request that is taken back before it is carried out. */
const CANCELLED: readonly string[] = [
  'alter table approval_request add column cancelled_at timestamptz',
  'grant update (cancelled_at) on approval_request to aldis_admin',
  'grant select (cancelled_at) on approval_request to aldis_ledger',
]

export async function administration(db: Kysely<unknown>): Promise<void> {
  await run(db, ONBOARDING)
  await run(db, PROBATION)
  await run(db, READ_BACK)
  await run(db, ENDED)
  await run(db, CANCELLED)
}
