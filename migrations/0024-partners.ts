import type { Kysely } from 'kysely'
import { ownRows, run } from '../src/db/ddl.ts'

/** How an organisation's programs did when they went through the exchange step by step; by step, whether it passed. */
const RUNS: readonly string[] = [
  `create table conformance_run (
    participant_id uuid not null,
    run_id uuid not null,
    at timestamptz not null,
    steps text collate "C" not null,
    passed boolean not null,
    last_event uuid not null,
    primary key (participant_id, run_id))`,
  ...ownRows('conformance_run', 'select, insert'),
  'create index conformance_run_at on conformance_run (participant_id, at)',
]

/** Signed assertions that were exchanged for an access token: none is taken twice. */
const ASSERTIONS: readonly string[] = [
  `create table client_assertion (
    participant_id uuid not null,
    jti text collate "C" not null,
    ends_at timestamptz not null,
    primary key (participant_id, jti))`,
  ...ownRows('client_assertion', 'select, insert, delete'),
]

/** Which feeds an endpoint is told of, how far it was told, and which of its secrets is in force. */
const FEEDS: readonly string[] = [
  `alter table webhook_endpoint add column feeds text[] not null default '{}'`,
  'alter table webhook_endpoint add column secret_no smallint not null default 1',
  'alter table webhook_endpoint add column rotated_at timestamptz',
  'grant update (secret_no, rotated_at) on webhook_endpoint to aldis_app',
  `create table webhook_place (
    participant_id uuid not null,
    endpoint_id uuid not null,
    feed_id uuid not null,
    seq bigint not null,
    primary key (participant_id, endpoint_id, feed_id))`,
  ...ownRows('webhook_place', 'select, insert, update (seq)'),
]

export async function partners(db: Kysely<unknown>): Promise<void> {
  await run(db, RUNS)
  await run(db, ASSERTIONS)
  await run(db, FEEDS)
}
