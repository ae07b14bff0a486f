import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant, type Tx } from '../../src/db/as-participant.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { askKept, executeKept } from '../../src/db/kept.ts'
import { lookUp } from '../../src/feeds/key-store.ts'
import { entriesAt } from '../../src/feeds/store.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { insertRecords, type RecordRow } from '../../src/provenance/record-store.ts'
import { signalsForUpdate, submissionsByJti } from '../../src/signals/store.ts'
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

const PLANNED_BY = ['enable_seqscan', 'plan_cache_mode']

async function settings(db: Db | Tx): Promise<string[]> {
  const { rows } = await sql<{ setting: string }>`
    select setting from pg_settings where name = any(${PLANNED_BY}::text[]) order by name`.execute(db)
  return rows.map(({ setting }) => setting)
}

interface Question {
  name: string
  statement: string
  parameters: number
}

/** The plan that stays, of each question that the connection keeps. */
async function plans(db: Db, by: Uuid, ask: (tx: Tx) => Promise<unknown>): Promise<Map<string, string>> {
  return asParticipant(db, by, async (tx) => {
    await ask(tx)
    const { rows } = await sql<Question>`
      select name, statement, array_length(parameter_types, 1) as parameters from pg_prepared_statements
      where statement like 'select%' and name like 'kept%'`.execute(tx)
    const found = new Map<string, string>()
    for (const { name, statement, parameters } of rows) {
      const nulls = Array.from({ length: parameters }, () => 'null').join()
      const told = await sql<{ 'QUERY PLAN': string }>`explain execute ${sql.id(name)} (${sql.raw(nulls)})`.execute(tx)
      found.set(statement, told.rows.map((row) => row['QUERY PLAN']).join('\n'))
    }
    return found
  })
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

describe('a question that is kept', () => {
  const asked = (tx: Tx, of: Uuid) => submissionsByJti(tx, of, ['an-id'])

  test('is planned once by a connection, and answered each time', async () => {
    const db = connect({ url: t.url('aldis_app'), max: 1, keepsStatements: true })
    const apple = newId(new Date())
    for (let i = 0; i < OFTEN; i++) await asParticipant(db, apple, (tx) => asked(tx, apple))
    const { rows } = await sql<{ generic: number; custom: number }>`
      select generic_plans::int as generic, custom_plans::int as custom from pg_prepared_statements
      where name like 'kept%'`.execute(db)
    expect(rows).toEqual([{ generic: OFTEN, custom: 0 }])
    await db.destroy()
  })

  test('sets how it is planned once in a transaction, which ends with it', async () => {
    const sent: string[] = []
    const db = connect({
      ...{ url: t.url('aldis_app'), max: 1, keepsStatements: true },
      statementLog: (text) => sent.push(text),
    })
    const apple = newId(new Date())
    const before = await settings(db)
    const within = await asParticipant(db, apple, async (tx) => {
      await Promise.all([asked(tx, apple), asked(tx, apple)])
      await asked(tx, apple)
      return settings(tx)
    })
    expect([before, within, await settings(db)]).toEqual([
      ['on', 'auto'],
      ['off', 'force_generic_plan'],
      ['on', 'auto'],
    ])
    expect(sent.filter((text) => text.includes('enable_seqscan'))).toHaveLength(1)
    await db.destroy()
  })

  test('is asked as any other where connections are not kept', async () => {
    const apple = newId(new Date())
    const within = await asParticipant(pooled, apple, async (tx) => {
      await asked(tx, apple)
      return settings(tx)
    })
    expect([within, await prepared(pooled)]).toEqual([['on', 'auto'], { names: 0, calls: 0 }])
  })

  test('shows each transaction what it is about, by the one plan', async () => {
    const [apple, banana] = [newId(new Date()), newId(new Date())]
    const kinds = (tx: Tx) =>
      askKept(tx, tx.selectFrom('prov_record').select('participant_id').where('kind', '=', 'signal.submitted'))
    const db = connect({ url: t.url('aldis_app'), max: 1, keepsStatements: true })
    for (const own of [apple, banana]) await record(db, own, own)
    for (const own of [apple, banana, apple]) {
      expect(await asParticipant(db, own, kinds)).toEqual([{ participant_id: own }])
    }
    await db.destroy()
  })

  test('finds by the whole of its key though it was planned when its tables were empty', async () => {
    const db = connect({ url: t.url('aldis_app'), max: 1, keepsStatements: true })
    const apple = newId(new Date())
    const made = await plans(db, apple, async (tx) => {
      await lookUp(tx, ['00'.repeat(32)], new Date())
      await entriesAt(tx, apple, [1n])
      await signalsForUpdate(tx, apple, [apple])
      await submissionsByJti(tx, apple, ['an-id'])
    })
    await db.destroy()
    const keys = [
      'Index Cond: (signal_key = ANY ($1))',
      'Index Cond: ((feed_id = $3) AND (seq = place.at))',
      'Index Cond: ((feed_id = $1) AND (submission_id = feed_entry.submission_id))',
      'Index Cond: ((participant_id = $1) AND (signal_id = ANY ($2)))',
      'Index Cond: ((participant_id = $1) AND (jti = ANY ($2)))',
    ]
    const all = [...made.values()].join('\n')
    expect([made.size, keys.filter((key) => !all.includes(key))]).toEqual([4, []])
    // Which feeds one may see is read with them: there are as many as audiences and participants.
    expect([...all.matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => table)).toEqual(['feed', 'feed'])
  })
})
