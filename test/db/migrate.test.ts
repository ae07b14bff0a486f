import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { assertSchema, type Migration, migrate } from '../../src/db/migrate.ts'
import { ensureDatabase } from '../../src/db/roles.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

const noon = () => new Date('2026-03-01T12:00:00Z')

const creates = (table: string, compatibleFrom?: number): Migration => ({
  name: `create-${table}`,
  ...(compatibleFrom !== undefined && { compatibleFrom }),
  up: async (db) => {
    await sql.raw(`create table ${table} (id int primary key)`).execute(db)
  },
})

const ONE = creates('one')
const TWO = creates('two')

let t: TestDatabase
let db: Db
let n = 0
let name = ''

const at = (database: string, role?: string): Db => {
  const url = new URL(t.url('owner'))
  url.pathname = `/${database}`
  return connect({ url: url.href, max: 3, ...(role !== undefined && { role }) })
}

const tables = async (): Promise<string[]> => {
  const { rows } = await sql<{ t: string }>`
    select tablename || ' of ' || tableowner as t from pg_tables where schemaname = 'public' order by 1`.execute(db)
  return rows.map((row) => row.t)
}

beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

beforeEach(async () => {
  n += 1
  name = `${new URL(t.url('owner')).pathname.slice(1)}_m${n}`
  await ensureDatabase(t.owner, name)
  db = at(name)
  return async () => {
    await db.destroy()
    await sql`drop database ${sql.id(name)}`.execute(t.owner)
  }
})

test('migrations run in order, once, as the owner role', async () => {
  expect(await migrate(db, [ONE], noon)).toEqual(['create-one'])
  expect(await migrate(db, [ONE, TWO], noon)).toEqual(['create-two'])
  expect(await migrate(db, [ONE, TWO], noon)).toEqual([])
  expect(await tables()).toEqual(['one of aldis_owner', 'schema_state of aldis_owner', 'two of aldis_owner'])
  const { rows } = await sql`select * from schema_state order by version`.execute(db)
  expect(rows).toEqual([
    { version: 1, compatible_from: 1, name: 'create-one', applied_at: noon() },
    { version: 2, compatible_from: 1, name: 'create-two', applied_at: noon() },
  ])
})

test('the migrations of this release apply to an empty database', async () => {
  expect(await migrate(db, migrations, noon)).toEqual(migrations.map((each) => each.name))
  await assertSchema(db, migrations)
})

test('two at once: each migration is applied by one of them', async () => {
  const rival = at(name)
  const both = await Promise.all([migrate(db, [ONE, TWO], noon), migrate(rival, [ONE, TWO], noon)])
  expect(both.flat().toSorted()).toEqual(['create-one', 'create-two'])
  await rival.destroy()
})

test('a failed migration leaves nothing of itself, and what came before it', async () => {
  const bad: Migration = {
    name: 'bad',
    up: async (tx) => {
      await sql`create table half (id int)`.execute(tx)
      await sql`select 1 / 0`.execute(tx)
    },
  }
  await expect(migrate(db, [ONE, bad], noon)).rejects.toMatchObject({ code: '22012' })
  expect(await tables()).toEqual(['one of aldis_owner', 'schema_state of aldis_owner'])
  expect(await migrate(db, [ONE, TWO], noon)).toEqual(['create-two'])
})

test('a database newer than the code is refused', async () => {
  await migrate(db, [ONE, TWO], noon)
  await expect(migrate(db, [ONE], noon)).rejects.toThrow(StartRefused)
})

test('a database with another history is refused', async () => {
  await migrate(db, [ONE], noon)
  await expect(migrate(db, [TWO], noon)).rejects.toThrow(StartRefused)
})

test('a node starts on a newer schema as long as that admits it, and never on an older one', async () => {
  await expect(assertSchema(db, [ONE])).rejects.toThrow('run aldis migrate')
  await migrate(db, [ONE, TWO], noon)
  await assertSchema(db, [ONE])
  await assertSchema(db, [ONE, TWO])
  await expect(assertSchema(db, [ONE, TWO, creates('three')])).rejects.toThrow('run aldis migrate')
  await migrate(db, [ONE, TWO, creates('three', 2)], noon)
  await expect(assertSchema(db, [ONE])).rejects.toThrow('no longer admits')
  await assertSchema(db, [ONE, TWO])
})

test('a lock held by others is waited for', async () => {
  await migrate(db, [ONE], noon)
  const alters: Migration = {
    name: 'alter',
    up: async (tx) => {
      await sql`set local lock_timeout = '100ms'`.execute(tx)
      await sql`alter table one add column more int`.execute(tx)
    },
  }
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const locked = Promise.withResolvers<void>()
  const blocker = at(name)
  const holding = blocker.transaction().execute(async (tx) => {
    await sql`lock table one in access share mode`.execute(tx)
    locked.resolve()
    await held
  })
  await locked.promise
  setTimeout(release, 300)
  expect(await migrate(db, [ONE, alters], noon)).toEqual(['alter'])
  await holding
  await blocker.destroy()
})
