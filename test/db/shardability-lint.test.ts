import { sql } from 'kysely'
import { describe, expect, inject, test } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { collectSql, connect, emittedSql } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { MIGRATORS } from './sql-allowed.ts'
import { faultsOf, SQL_RULES, type SqlRule } from './sql-rules.ts'

const PLANTED: readonly (readonly [SqlRule, string])[] = [
  ['one-statement', 'select 1; select 2'],
  ['one-statement', 'begin; commit'],
  ['listen-notify', 'listen plum'],
  ['listen-notify', 'unlisten *'],
  ['listen-notify', "notify plum, 'x'"],
  ['listen-notify', "select pg_notify('plum', $1)"],
  ['advisory-lock', 'select pg_advisory_xact_lock($1)'],
  ['advisory-lock', 'select pg_catalog.pg_try_advisory_lock_shared($1)'],
  ['set', "set app.participant = '01890000-0000-7000-8000-000000000000'"],
  ['set', "set session app.participant = '01890000-0000-7000-8000-000000000000'"],
  ['set', "set local app.participant = ''"],
  ['set', "set local role = 'aldis_owner'"],
  ['set', 'set local statement_timeout to default'],
  ['set', "set local search_path = 'plum'"],
  ['set', 'set transaction isolation level serializable'],
  ['set', 'reset all'],
  ['set', 'discard all'],
  ['set', "select set_config('app.participant', $1, true)"],
  ['prepared', 'prepare plum as select 1'],
  ['prepared', 'execute plum'],
  ['prepared', 'declare plum cursor with hold for select 1'],
  ['temp-table', 'create temp table plum (a integer)'],
  ['temp-table', 'create temporary table plum as select 1'],
  ['temp-table', 'select 1 as one into temp plum'],
  ['statement-kind', 'create table plum (a integer)'],
  ['statement-kind', 'truncate upload'],
  ['statement-kind', 'lock table upload'],
  ['statement-kind', 'savepoint plum'],
  ['statement-kind', 'copy upload from stdin'],
  ['statement-kind', 'copy upload to stdout'],
  ['statement-kind', "copy (select 1 as one) to '/plum'"],
  ['statement-kind', "copy (select 1 as one) to program 'plum'"],
  ['statement-kind', 'copy (delete from upload returning 1) to stdout'],
  ['distribution-key', 'copy (select upload_id from upload) to stdout'],
  ['statement-kind', "prepare transaction 'plum'"],
  ['trigger', 'do $$ begin perform 1; end $$'],
  ['trigger', 'create trigger plum before insert on upload for each row execute function pear()'],
  ['trigger', "create function pear() returns integer language sql as 'select 1'"],
  ['made-by-server', 'select gen_random_uuid()'],
  ['made-by-server', "select nextval('plum')"],
  ['clock', 'select now()'],
  ['clock', 'select pg_catalog.clock_timestamp()'],
  ['clock', 'select current_timestamp'],
  ['clock', 'delete from upload where participant_id = $1 and updated_at < localtimestamp - interval $2'],
  ['clock', "select 'now'::timestamptz"],
  ['clock', "select cast('today' as date)"],
  ['snapshot', 'select pg_current_xact_id()'],
  ['snapshot', 'select txid_current()'],
  ['snapshot', 'select xmin from upload where participant_id = $1'],
  ['snapshot', 'begin isolation level serializable'],
  ['cancel', 'select pg_cancel_backend($1)'],
  ['merge', 'merge into upload u using feed f on u.upload_id = f.feed_id when matched then delete'],
  ['unknown-table', 'select 1 from plum'],
  ['unknown-table', 'with pear as (select 1) select 1 from pear, lateral (select 1 from plum) x'],
  ['not-colocated', 'select 1 from upload u join feed_head h on h.feed_id = $1 where u.participant_id = $2'],
  [
    'not-colocated',
    'with gone as (delete from feed_head where feed_id = $1) delete from upload where participant_id = $2',
  ],
  ['key-moved', 'update upload set participant_id = $1 where participant_id = $2'],
  [
    'key-moved',
    `insert into upload (participant_id, upload_id) values ($1, $2)
      on conflict (participant_id, upload_id) do update set participant_id = $1`,
  ],
  ['for-update', 'select 1 from upload where upload_id = $1 for update'],
  ['for-update', 'select 1 from upload where participant_id = any($1) for no key update skip locked'],
  ['for-update', 'select 1 from feed_head where next_seq > $1 for share'],
  ['unnest-join', 'select 1 from unnest($1::bytea[]) as k(v) join shared_signal s on s.signal_key = k.v'],
  ['unnest-join', 'select 1 from shared_signal s, unnest($1::bytea[]) as k(v) where s.signal_key = k.v'],
  [
    'unnest-join',
    'update upload u set next_line = f.n from unnest($1::uuid[], $2::int8[]) f(p, n) where u.participant_id = f.p',
  ],
  [
    'unnest-join',
    'with k as (select unnest($1::uuid[]) as id) delete from upload u using k where u.participant_id = k.id',
  ],
  ['distribution-key', 'select 1 from upload'],
  ['distribution-key', 'select 1 from upload where upload_id = $1'],
  ['distribution-key', 'select 1 from upload where participant_id = $1 or upload_id = $2'],
  ['distribution-key', 'select 1 from upload where not participant_id = $1'],
  ['distribution-key', 'select 1 from upload where participant_id > $1'],
  ['distribution-key', 'select 1 from upload where participant_id <> all($1)'],
  ['distribution-key', "select 1 from upload where participant_id = current_setting('app.participant')::uuid"],
  ['distribution-key', 'select 1 from upload where participant_id in (select participant_id from participant)'],
  ['distribution-key', 'select 1 from upload u join participant p on p.participant_id = u.participant_id'],
  [
    'distribution-key',
    'select 1 from signal s join signal_revision r on r.signal_id = s.signal_id where s.participant_id = $1',
  ],
  ['distribution-key', 'select 1 from participant p left join upload u on u.participant_id = $1'],
  ['distribution-key', 'select 1 where exists (select from upload where upload_id = $1)'],
  ['distribution-key', 'select 1 union select 1 from log_tile where n = $1'],
  ['distribution-key', 'with x as (select * from feed_head) select 1 from x where feed_id = $1'],
  ['distribution-key', 'update upload set next_line = $1 where upload_id = $2'],
  ['distribution-key', 'delete from read_pending where journal_id = any($1)'],
  ['distribution-key', 'insert into upload (upload_id) values ($1)'],
  ['distribution-key', 'insert into upload values ($1, $2)'],
  ['distribution-key', 'insert into upload (participant_id, upload_id) values ($1, $2), (default, $3)'],
  ['distribution-key', 'insert into upload (participant_id, upload_id) select * from unnest($1::uuid[], $2::uuid[])'],
  [
    'distribution-key',
    'insert into upload (upload_id, participant_id) select *, $1 from unnest($2::uuid[], $3::uuid[])',
  ],
]

/** What looks alike and is allowed. */
const SOUND: readonly string[] = [
  "set local app.participant = '01890000-0000-7000-8000-000000000000'",
  'set local statement_timeout = 0',
  'begin isolation level read committed read only',
  'select * from participant',
  'select * from person for update',
  'select 1 from upload where participant_id = $1 for update',
  'select 1 from upload where $1::uuid = participant_id and (upload_id = $2 or next_line > $3)',
  'select 1 from upload where participant_id in ($1, $2)',
  'select 1 from upload where participant_id = any(array[$1, $2]::uuid[])',
  'select 1 from signal s join signal_revision r on r.participant_id = s.participant_id where r.participant_id = $1',
  'select 1 from signal s, signal_revision r where r.participant_id = s.participant_id and s.participant_id = any($1)',
  'select 1 from upload u join participant p on p.participant_id = u.participant_id where u.participant_id = $1',
  'update upload u set next_line = f.n from unnest($1::uuid[], $2::int8[]) f(id, n) where u.participant_id = $3 and u.upload_id = f.id',
  'insert into upload (upload_id, participant_id) values ($1, $2), ($3, $2)',
  'insert into upload (participant_id, upload_id) select $1::uuid, * from unnest($2::uuid[])',
  'select relname from pg_catalog.pg_class',
  "select 'now', 'today'::text = $1",
]

const SCHEMA: readonly (readonly [SqlRule, string])[] = [
  ['made-by-server', 'create table plum (a bigint generated always as identity)'],
  ['made-by-server', 'create table plum (a uuid default gen_random_uuid())'],
  ['clock', 'create table plum (a timestamptz default now())'],
  ['temp-table', 'create temp table plum (a integer)'],
  ['trigger', 'create trigger plum before insert on upload for each row execute function pear()'],
  ['statement-kind', "create type plum as enum ('a')"],
  ['statement-kind', 'create domain plum as integer'],
  ['statement-kind', 'create view plum as select 1'],
  ['one-statement', 'alter table upload enable row level security; alter table upload force row level security'],
]

describe('the lint of statements', () => {
  test('has a planted violation for each rule', () => {
    expect([...new Set(PLANTED.map(([rule]) => rule))].sort()).toEqual([...SQL_RULES].sort())
  })

  test.for(PLANTED)('finds %s: %s', ([rule, text]) => {
    expect(faultsOf(text).map((fault) => fault.rule)).toContain(rule)
  })

  test.for(SCHEMA)('finds %s in a migration: %s', ([rule, text]) => {
    expect(faultsOf(text, { schema: true }).map((fault) => fault.rule)).toContain(rule)
  })

  test.for(SOUND)('finds nothing in: %s', (text) => {
    expect(faultsOf(text)).toEqual([])
  })
})

test('the migrator makes the whole schema one statement a query, and alone locks and sets what nobody else may', async () => {
  const { url } = inject('postgres')
  const name = `aldis_lint_${process.pid}_${Date.now().toString(36)}`
  const server = connect({ url, max: 1 })
  await sql`create database ${sql.id(name)} owner aldis_owner template template0`.execute(server)
  const own = new URL(url)
  own.pathname = `/${name}`
  collectSql()
  const db = connect({ url: own.href, max: 1 })
  await migrate(db, migrations, systemClock).finally(() => db.destroy())
  const sent = [...emittedSql()].map((text) => text.replace(/\s+/g, ' ').trim())
  await sql`drop database ${sql.id(name)}`.execute(server)
  await server.destroy()
  const faults = sent.flatMap((text) => faultsOf(text, { schema: true }).map(({ rule }) => ({ rule, text })))
  const allowed = ({ rule, text }: { rule: string; text: string }) =>
    MIGRATORS.find((one) => one.rule === rule && text.startsWith(one.starts))
  expect(faults.filter((fault) => allowed(fault) === undefined)).toEqual([])
  expect(new Set(faults.map(allowed))).toEqual(new Set(MIGRATORS))
  expect(sent.filter((text) => text.startsWith('create table'))).not.toHaveLength(0)
})
