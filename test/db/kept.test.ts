import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asParticipant, type Tx } from '../../src/db/as-participant.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { executeKept } from '../../src/db/kept.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { insertRecords, type RecordRow } from '../../src/provenance/record-store.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

/** After so many executions PostgreSQL may plan once for all. */
const OFTEN = 8

let t: TestDatabase
let keeping: Db
let pooled: Db

beforeAll(async () => {
  t = await freshDatabase()
  keeping = connect({ url: t.url('aldis_app'), max: 1, keepsStatements: true })
  pooled = connect({ url: t.url('aldis_app'), max: 1 })
})
afterAll(async () => {
  await Promise.all([keeping.destroy(), pooled.destroy()])
  await t.drop()
})

const rowOf = (participant_id: Uuid): RecordRow => ({
  ...{ participant_id, event_id: newId(new Date()), log_id: 1, kind: 'signal.submitted', at: new Date() },
  ...{ payload: '{}', c: Buffer.alloc(32), body: Buffer.alloc(1), epoch: 0, parties: 'apple', after: null },
})
const record = (db: Db, by: Uuid, of: Uuid) => asParticipant(db, by, (tx) => insertRecords(tx, [rowOf(of)]))

/** What the connection has prepared, and how often it carried that out. */
async function prepared(db: Db): Promise<{ names: number; calls: number }> {
  const { rows } = await sql<{ names: number; calls: number }>`
    select count(*)::int as names, coalesce(sum(generic_plans + custom_plans), 0)::int as calls
    from pg_prepared_statements where name like 'kept%'`.execute(db)
  return rows[0] ?? { names: 0, calls: 0 }
}

async function recorded(of: Uuid): Promise<number> {
  const { n } = await t.owner
    .selectFrom('prov_record')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('participant_id', '=', of)
    .executeTakeFirstOrThrow()
  return Number(n)
}

test('a statement is prepared once by a connection, and carried out each time', async () => {
  const apple = newId(new Date())
  const before = await prepared(keeping)
  for (let i = 0; i < OFTEN; i++) await record(keeping, apple, apple)
  const { names, calls } = await prepared(keeping)
  expect([names, calls - before.calls]).toEqual([1, OFTEN])
  expect(await recorded(apple)).toBe(OFTEN)
})

test('where connections are not kept nothing is prepared, and the statement is the same', async () => {
  const apple = newId(new Date())
  for (let i = 0; i < 3; i++) await record(pooled, apple, apple)
  expect(await prepared(pooled)).toEqual({ names: 0, calls: 0 })
  expect(await recorded(apple)).toBe(3)
})

test('planned once for all, it is still held to whom the transaction is about', async () => {
  const [apple, banana] = [newId(new Date()), newId(new Date())]
  for (let i = 0; i < OFTEN; i++) await record(keeping, apple, apple)
  await expect(record(keeping, banana, apple)).rejects.toMatchObject({ code: '42501' })
  await record(keeping, banana, banana)
  expect([await recorded(apple), await recorded(banana)]).toEqual([OFTEN, 1])
})

test('one that came first in a transaction that was broken is prepared by the next', async () => {
  const db = connect({ url: t.url('aldis_app'), max: 1, keepsStatements: true })
  const apple = newId(new Date())
  const broken = (tx: Tx): Promise<unknown> => {
    const nothing: RawBuilder<unknown> = sql`select 1 / 0`
    return Promise.all([nothing.execute(tx), insertRecords(tx, [rowOf(apple)])])
  }
  try {
    await expect(asParticipant(db, apple, broken)).rejects.toMatchObject({ code: '22012' })
    expect((await prepared(db)).names).toBe(0)
    await record(db, apple, apple)
    expect(await prepared(db)).toEqual({ names: 1, calls: 1 })
  } finally {
    await db.destroy()
  }
})

test('two of the same text in flight at once are both carried out', async () => {
  const db = connect({ url: t.url('aldis_app'), max: 1, keepsStatements: true })
  const apple = newId(new Date())
  try {
    await asParticipant(db, apple, async (tx) => {
      await Promise.all([insertRecords(tx, [rowOf(apple)]), insertRecords(tx, [rowOf(apple)])])
    })
    expect(await recorded(apple)).toBe(2)
  } finally {
    await db.destroy()
  }
})

test('it tells the transaction what it changed: without a record it is rolled back', async () => {
  const apple = newId(new Date())
  const alone = (tx: Tx): Promise<void> => {
    const ids = [apple, newId(new Date()), newId(new Date())]
    return executeKept(
      tx,
      sql`insert into feed_ack (participant_id, feed_id, stage, seq, last_event)
        select ${ids[0]}::uuid, ${ids[1]}::uuid, 1, 7, ${ids[2]}::uuid`,
    )
  }
  await expect(asParticipant(keeping, apple, alone)).rejects.toThrow('without a provenance record')
  expect(await t.owner.selectFrom('feed_ack').selectAll().where('participant_id', '=', apple).execute()).toEqual([])
})
