import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** Which login of which identity provider is which person. */
const LOGIN: readonly string[] = [
  `create table login (
    login_id uuid primary key,
    person_id uuid not null references person,
    issuer text collate "C" not null,
    subject text collate "C" not null,
    given_at timestamptz not null,
    ended_at timestamptz,
    last_event uuid not null)`,
  'create unique index login_live on login (issuer, subject) where ended_at is null',
  'create index login_person on login (person_id)',
  'grant select, insert, update (ended_at, last_event) on login to aldis_admin',
  // Auditors are given it beside persons and their roles.
  'grant select on login to aldis_ledger',
]

/** Who is signed in: a row of the session outlives its cookie's value, which is replaced at each change of standing. */
const SESSION: readonly string[] = [
  `create table console_session (
    session_id uuid primary key,
    cookie bytea not null unique check (length(cookie) = 32),
    csrf bytea not null check (length(csrf) = 32),
    person_id uuid not null references person,
    login_id uuid not null references login,
    claimed text[] not null,
    roles text[] not null,
    acr text,
    stepped_up boolean not null,
    auth_time timestamptz not null,
    agent text not null,
    made_at timestamptz not null,
    seen_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > made_at),
    ended_at timestamptz,
    end_reason text collate "C",
    check ((ended_at is null) = (end_reason is null)))`,
  'create index console_session_person on console_session (person_id) where ended_at is null',
  'create index console_session_ends on console_session (ends_at)',
  'grant select, insert, delete, update (cookie, claimed, roles, acr, stepped_up, auth_time, seen_at, ended_at, end_reason) on console_session to aldis_admin',
  `create table console_form (
    session_id uuid not null references console_session on delete cascade,
    once uuid not null,
    primary key (session_id, once))`,
  'grant select, insert, delete on console_form to aldis_admin',
]

export async function session(db: Kysely<unknown>): Promise<void> {
  await run(db, LOGIN)
  await run(db, SESSION)
}
