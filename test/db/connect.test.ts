import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, emittedSql, poolState } from '../../src/db/connect.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase

beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

test('64-bit integers are bigint, instants Date, days text, bytes Buffer', async () => {
  const { rows } = await sql`select 9007199254740993::int8 as big, array[1, null]::int8[] as bigs, '{}'::int8[] as none,
    '2026-03-01 12:00:00.123+02'::timestamptz as at, '2026-03-01'::date as day, '\\x00ff'::bytea as bytes,
    2147483647::int4 as int, array['a', 'b'] as texts, null::int8 as nothing`.execute(t.app)
  expect(rows).toEqual([
    {
      big: 9007199254740993n,
      bigs: [1n, null],
      none: [],
      at: new Date('2026-03-01T10:00:00.123Z'),
      day: '2026-03-01',
      bytes: Buffer.from([0, 255]),
      int: 2147483647,
      texts: ['a', 'b'],
      nothing: null,
    },
  ])
})

test('values go in as they come out', async () => {
  const values = [2n ** 62n, new Date('2026-03-01T10:00:00.123Z'), Buffer.from([1, 2])]
  const { rows } = await sql<{ a: bigint; b: Date; c: Buffer }>`
    select ${values[0]}::int8 as a, ${values[1]}::timestamptz as b, ${values[2]}::bytea as c`.execute(t.app)
  expect(Object.values(rows[0] ?? {})).toEqual(values)
})

test('a role takes the place of the one in the URL', async () => {
  const db = connect({ url: t.url('owner'), role: 'aldis_ledger', max: 1 })
  expect((await sql`select current_user::text as me`.execute(db)).rows).toEqual([{ me: 'aldis_ledger' }])
  await db.destroy()
})

test('a config is as good as a URL', async () => {
  const url = new URL(t.url('aldis_app'))
  const [host, port, database] = [decodeURIComponent(url.hostname), Number(url.port || 5432), url.pathname.slice(1)]
  const password = decodeURIComponent(url.password)
  const db = connect({ config: { host, port, database, user: 'aldis_app', ...(password && { password }) }, max: 1 })
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
  await db.destroy()
})

test('every statement text is kept once collection is on, raw and built, and never a value', async () => {
  const raw = `select 'raw ' || $1::text as kept`
  await sql`select 'raw ' || ${'secret'}::text as kept`.execute(t.app)
  await t.app.selectFrom('upload').select('upload_id').where('next_line', '=', 77n).execute()
  expect(emittedSql()).toContain(raw)
  expect(emittedSql()).toContain('select "upload_id" from "upload" where "next_line" = $1')
  expect([...emittedSql()].join('\n')).not.toContain('secret')
})

test('the statement log sees transaction control too', async () => {
  const seen: string[] = []
  const db = connect({ url: t.url('aldis_app'), max: 1, statementLog: (text) => seen.push(text) })
  await db.transaction().execute((tx) => sql`select 1`.execute(tx))
  expect(seen).toEqual(['begin', 'select 1', 'commit'])
  await db.destroy()
})

test('a full pool refuses after its waiting time as busy, and is whole again afterwards', async () => {
  const db = connect({ url: t.url('aldis_app'), max: 1 })
  const released = Promise.withResolvers<void>()
  const held = db.connection().execute(async (one) => {
    await sql`select 1`.execute(one)
    await released.promise
  })
  await expect.poll(() => poolState(db).total).toBe(1)
  const waiting = sql`select 1`.execute(db)
  expect(poolState(db).waiting).toBe(1)
  await expect(waiting).rejects.toMatchObject({ code: 'busy' })
  released.resolve()
  await held
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
  await db.destroy()
})

test('a killed idle connection ends nobody and is replaced', async () => {
  const died: Error[] = []
  const db = connect({ url: t.url('aldis_app'), max: 1, onIdleError: (error) => died.push(error) })
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
  await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(t.owner)
  await expect.poll(() => died.length).toBeGreaterThan(0)
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
  await db.destroy()
})

test('a connection killed under a lone statement is busy', async () => {
  const db = connect({ url: t.url('aldis_app'), max: 1 })
  const slow = expect(sql`select pg_sleep(20)`.execute(db)).rejects.toMatchObject({ code: 'busy' })
  const kill = sql`select pg_terminate_backend(pid) from pg_stat_activity
    where query = 'select pg_sleep(20)' and pid <> pg_backend_pid()`
  await expect.poll(async () => (await kill.execute(t.owner)).rows.length).toBe(1)
  await slow
  await db.destroy()
})

test('a pool that is left open fails the drop of its database', async () => {
  const other = await freshDatabase()
  const leaked = connect({ url: other.url('aldis_app'), max: 1 })
  await sql`select 1`.execute(leaked)
  await expect(other.drop()).rejects.toMatchObject({ code: '55006' })
  await leaked.destroy()
  await sql.raw(`drop database ${new URL(other.url('owner')).pathname.slice(1)}`).execute(t.owner)
})
