import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/db/connect.ts'
import { schemaSql } from '../../src/db/schema-sql.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase

beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

test('two databases of the same migrations read alike', async () => {
  const twin = await freshDatabase()
  expect(await schemaSql(twin.owner)).toBe(await schemaSql(t.owner))
  await twin.drop()
})

test('names each table with its columns, keys, security and grants', async () => {
  const text = await schemaSql(t.owner)
  const block = text.split('\n\n').find((each) => each.startsWith('create table prov_outbox'))
  expect(block).toContain('  event_id uuid not null,')
  expect(block).toContain('  parties text collate "C" not null,')
  expect(block).toContain('primary key (event_id, participant_id)'.toUpperCase().replace(/\(.*/, ''))
  expect(block).toContain('alter table prov_outbox force row level security;')
  expect(block).toContain('create policy aldis_integrator_all on prov_outbox for all to aldis_integrator using (true);')
  expect(block).toContain('grant delete, select on prov_outbox to aldis_integrator;')
  expect(text).toContain('batch_no')
  expect(text).toMatch(/^grant insert, select, update \(batch_no, batch_at\) on read_journal to aldis_app;$/m)
})

test('any change of the schema changes the text', async () => {
  const other = await freshDatabase()
  const db = connect({ url: other.url('owner'), max: 1 })
  const seen = new Set([await schemaSql(db)])
  const changes = [
    'alter table upload add column extra int default 1',
    'create index upload_extra on upload (extra)',
    'alter table upload add constraint small check (extra < 9)',
    'alter table upload no force row level security',
    'revoke insert on upload from aldis_app',
    'drop policy aldis_app_all on upload',
    'create table parted (a int) partition by range (a)',
    'create table parted_1 partition of parted for values from (1) to (2)',
  ]
  for (const change of changes) {
    await sql.raw(change).execute(db)
    const text = await schemaSql(db)
    expect(seen, change).not.toContain(text)
    seen.add(text)
  }
  await db.destroy()
  await other.drop()
})
