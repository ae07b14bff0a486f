import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { asParticipant, atControl, atFeed, atLog, type Tx } from '../../src/db/as-participant.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../src/db/embedded.ts'
import { executeKept } from '../../src/db/kept.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'
import { wireTo } from './wire.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const anId = (): Uuid => newId(NOON)

let t: TestDatabase

beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

const anUpload = (participant_id: Uuid, upload_id = anId()) => ({
  participant_id,
  upload_id,
  next_line: 1n,
  updated_at: NOON,
})

const acknowledge = (tx: Tx, participant_id: Uuid, event: Uuid, feed_id = anId()) =>
  tx.insertInto('feed_ack').values({ participant_id, feed_id, stage: 1, seq: 7n, last_event: event }).execute()

const record = (tx: Tx, participant_id: Uuid, event_id: Uuid) =>
  tx
    .insertInto('prov_outbox')
    .values({ event_id, participant_id, log_id: 1, at: NOON, c: Buffer.alloc(32), parties: 'node', after: null })
    .execute()

const acknowledgedBy = (me: Uuid) =>
  asParticipant(t.app, me, (tx) => tx.selectFrom('feed_ack').selectAll().where('participant_id', '=', me).execute())

const raising = (state: string) =>
  sql.raw(`do $$ begin raise exception 'on purpose' using errcode = '${state}'; end $$`)
const raise = (tx: Tx, state: string) => raising(state).execute(tx)

/** One that nobody waits for. */
const uploaded = (tx: Tx, me: Uuid, id = anId()) =>
  executeKept(
    tx,
    sql`insert into upload (participant_id, upload_id, next_line, updated_at) select ${me}::uuid, ${id}::uuid, 1, ${NOON}`,
  )

describe('asParticipant', () => {
  test('shows the rows of its participant and of nobody else', async () => {
    const [me, other] = [anId(), anId()]
    const mine = anUpload(me)
    await asParticipant(t.app, me, (tx) => tx.insertInto('upload').values(mine).execute())
    const seen = (id: Uuid) =>
      asParticipant(t.app, id, (tx) => tx.selectFrom('upload').selectAll().where('participant_id', '=', me).execute())
    expect(await seen(me)).toEqual([mine])
    expect(await seen(other)).toEqual([])
    expect(await t.app.selectFrom('upload').selectAll().where('participant_id', '=', me).execute()).toEqual([])
  })

  test('cannot write in the name of another participant', async () => {
    const attempt = asParticipant(t.app, anId(), (tx) => tx.insertInto('upload').values(anUpload(anId())).execute())
    await expect(attempt).rejects.toMatchObject({ code: '42501' })
  })

  test('takes nothing but a UUID near the literal', () => {
    expect(() => asParticipant(t.app, "x'; set role postgres; --", async () => {})).toThrow(TypeError)
  })

  test('a pool is no transaction, and a transaction of one family is none of another', () => {
    const needsTx = (_: Tx): void => {}
    const needsLog = (_: Tx<'log'>): void => {}
    const typesOnly = (db: Db, mine: Tx<'participant'>) => {
      needsTx(mine)
      // @ts-expect-error a Db is no Tx
      needsTx(db)
      // @ts-expect-error the participant's is not the log's
      needsLog(mine)
    }
    expect(typesOnly).toBeTypeOf('function')
  })
})

describe('no row without its record', () => {
  test('a logged change without a record is rolled back', async () => {
    const me = anId()
    await expect(asParticipant(t.app, me, (tx) => acknowledge(tx, me, anId()))).rejects.toThrow('provenance record')
    expect(await acknowledgedBy(me)).toEqual([])
  })

  test('a logged change with its record commits', async () => {
    const [me, event] = [anId(), anId()]
    await asParticipant(t.app, me, async (tx) => {
      await acknowledge(tx, me, event)
      await record(tx, me, event)
    })
    expect(await acknowledgedBy(me)).toHaveLength(1)
  })

  test('raw SQL and a change inside a CTE are seen too', async () => {
    const me = anId()
    const insert = sql`insert into public."feed_ack" (participant_id, feed_id, stage, seq, last_event)
      values (${me}, ${anId()}, 1, 1, ${anId()})`
    await expect(asParticipant(t.app, me, (tx) => insert.execute(tx))).rejects.toThrow('provenance record')
    const cte = sql`with x as (${insert} returning 1) select * from x`
    await expect(asParticipant(t.app, me, (tx) => cte.execute(tx))).rejects.toThrow('provenance record')
    expect(await acknowledgedBy(me)).toEqual([])
  })

  test('holds for control transactions as well', async () => {
    const person = { person_id: anId(), organisation: 'acme', name: 'A', status: 1, last_event: anId() }
    await expect(atControl(t.admin, (tx) => tx.insertInto('person').values(person).execute())).rejects.toThrow(
      'provenance record',
    )
    expect(await t.admin.selectFrom('person').selectAll().execute()).toEqual([])
  })

  test('a change of no row needs no record, and a record of no row is none', async () => {
    const me = anId()
    const touch = (tx: Tx) => tx.updateTable('feed_ack').set({ seq: 9n }).where('participant_id', '=', me).execute()
    await asParticipant(t.app, me, touch)
    const empty = sql`insert into prov_outbox (event_id, participant_id, log_id, at, c, parties)
      select ${anId()}::uuid, ${me}::uuid, 1, ${NOON}::timestamptz, ''::bytea, '' where false`
    const attempt = asParticipant(t.app, me, async (tx) => {
      await acknowledge(tx, me, anId())
      await empty.execute(tx)
    })
    await expect(attempt).rejects.toThrow('provenance record')
  })

  test('no statement may end the transaction under the rule', async () => {
    const me = anId()
    const attempt = asParticipant(t.app, me, async (tx) => {
      await acknowledge(tx, me, anId())
      await sql`commit`.execute(tx)
    })
    await expect(attempt).rejects.toThrow('opener')
    expect(await acknowledgedBy(me)).toEqual([])
  })

  test('two statements in one query are refused', async () => {
    await expect(asParticipant(t.app, anId(), (tx) => sql`select 1; select 2`.execute(tx))).rejects.toMatchObject({
      code: '42601',
    })
  })
})

describe('failure before COMMIT', () => {
  test.for(['40001', '40P01', '55P03'])('%s runs the work again, three times', async (state) => {
    let runs = 0
    const succeed = asParticipant(t.app, anId(), async (tx) => {
      runs += 1
      if (runs <= 3) await raise(tx, state)
      return runs
    })
    expect(await succeed).toBe(4)
    runs = 0
    const fail = asParticipant(t.app, anId(), async (tx) => {
      runs += 1
      await raise(tx, state)
    })
    await expect(fail).rejects.toMatchObject({ code: 'busy' })
    expect(runs).toBe(4)
  })

  test('another error runs nothing again and rolls back', async () => {
    const me = anId()
    let runs = 0
    const attempt = asParticipant(t.app, me, async (tx) => {
      runs += 1
      await tx.insertInto('upload').values(anUpload(me)).execute()
      throw new RangeError('mine')
    })
    await expect(attempt).rejects.toThrow(RangeError)
    expect(runs).toBe(1)
    const rows = await asParticipant(t.app, me, (tx) =>
      tx.selectFrom('upload').selectAll().where('participant_id', '=', me).execute(),
    )
    expect(rows).toEqual([])
  })

  test('a swallowed statement error does not pass for success', async () => {
    const attempt = asParticipant(t.app, anId(), async (tx) => {
      await raise(tx, '23505').catch(() => {})
    })
    await expect(attempt).rejects.toThrow()
  })

  test('timeoutMs ends a slow statement as busy, and does not outlive the transaction', async () => {
    const one = connect({ url: t.url('aldis_app'), max: 1 })
    const slow = asParticipant(one, anId(), (tx) => sql`select pg_sleep(5)`.execute(tx), { timeoutMs: 50 })
    await expect(slow).rejects.toMatchObject({ code: 'busy', cause: { code: '57014' } })
    const after = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(one)
    expect(after.rows[0]?.statement_timeout).toBe('0')
    await one.destroy()
  })

  test('a bad setting is named by the statement after it', async () => {
    const attempt = atLog(t.integrator, 1, async (tx) => sql`select 1`.execute(tx), { timeoutMs: 2 ** 40 })
    await expect(attempt).rejects.toMatchObject({ code: '22023' })
  })

  test('a connection lost before COMMIT is busy: nothing has happened', async () => {
    const me = anId()
    const wire = await wireTo(t.url('aldis_app'))
    const db = connect({ url: wire.url, max: 1 })
    wire.cutAt('into "upload"', 'after')
    await expect(
      asParticipant(db, me, (tx) => tx.insertInto('upload').values(anUpload(me)).execute()),
    ).rejects.toMatchObject({ code: 'busy' })
    await db.destroy()
    await wire.close()
  })

  test('a server that cannot be reached is busy', async () => {
    const db = connect({ url: 'postgres://aldis_app@127.0.0.1:1/none', max: 1 })
    await expect(atFeed(db, anId(), async (tx) => sql`select 1`.execute(tx))).rejects.toMatchObject({ code: 'busy' })
    await db.destroy()
  })
})

describe('COMMIT', () => {
  test.for([
    { when: 'before', rows: 0 },
    { when: 'after', rows: 1 },
  ] as const)('cut $when the server sees it: outcome-unknown, and $rows row', async ({ when, rows }) => {
    const me = anId()
    const wire = await wireTo(t.url('aldis_app'))
    const db = connect({ url: wire.url, max: 1 })
    wire.cutAt('commit', when)
    await expect(
      asParticipant(db, me, (tx) => tx.insertInto('upload').values(anUpload(me)).execute()),
    ).rejects.toMatchObject({ code: 'outcome-unknown', status: 503 })
    // Whatever the server heard of it is over once its end of the connection is closed.
    await wire.over()
    const left = () =>
      asParticipant(t.app, me, (tx) => tx.selectFrom('upload').selectAll().where('participant_id', '=', me).execute())
    await expect.poll(left).toHaveLength(rows)
    await db.destroy()
    await wire.close()
  })

  test('an error that COMMIT itself answers is told, and never repeated', async () => {
    await sql`create table late (n int)`.execute(t.owner)
    await sql`grant insert on late to aldis_app`.execute(t.owner)
    await sql
      .raw(`create function fail() returns trigger language plpgsql as
      $$ begin raise exception 'late' using errcode = '40001'; end $$`)
      .execute(t.owner)
    await sql`create constraint trigger fails after insert on late deferrable initially deferred
      for each row execute function fail()`.execute(t.owner)
    let runs = 0
    const attempt = asParticipant(t.app, anId(), async (tx) => {
      runs += 1
      await sql`insert into late values (1)`.execute(tx)
    })
    await expect(attempt).rejects.toMatchObject({ code: 'busy', cause: { code: '40001' } })
    expect(runs).toBe(1)
  })

  test.for<[what: string, turns: number, work: (tx: Tx, me: Uuid) => Promise<unknown>]>([
    ['a statement', 2, (tx) => sql`select 1`.execute(tx)],
    ['two, asked for together', 2, (tx) => Promise.all([sql`select 1`.execute(tx), sql`select 2`.execute(tx)])],
    ['two, one after the other', 3, async (tx) => [await sql`select 1`.execute(tx), await sql`select 2`.execute(tx)]],
    ['an insert that nobody waits for', 1, (tx, me) => uploaded(tx, me)],
    ['a statement, and such an insert', 2, async (tx, me) => [await sql`select 1`.execute(tx), await uploaded(tx, me)]],
  ])('of %s, with its participant and its timeout, costs %i round trips', async ([, turns, work]) => {
    const wire = await wireTo(t.url('aldis_app'))
    const db = connect({ url: wire.url, max: 1 })
    const done = (me = anId()) => asParticipant(db, me, (tx) => work(tx, me), { timeoutMs: 60_000 })
    await done()
    wire.reset()
    await done()
    expect(wire.turns()).toBe(turns)
    await db.destroy()
    await wire.close()
  })

  describe('that takes an insert with it', () => {
    const stored = (me: Uuid) =>
      asParticipant(t.app, me, (tx) => tx.selectFrom('upload').selectAll().where('participant_id', '=', me).execute())

    test('makes both durable, in their order', async () => {
      const me = anId()
      const [first, second] = [anId(), anId()]
      await asParticipant(t.app, me, async (tx) => {
        await uploaded(tx, me, first)
        expect(await tx.selectFrom('upload').select('upload_id').execute()).toEqual([{ upload_id: first }])
        await uploaded(tx, me, second)
      })
      expect((await stored(me)).map(({ upload_id }) => upload_id)).toEqual([first, second])
    })
    test('tells of its failure, and has not happened', async () => {
      const [me, twice] = [anId(), anId()]
      let runs = 0
      const attempt = asParticipant(t.app, me, async (tx) => {
        runs += 1
        await tx.insertInto('upload').values(anUpload(me, twice)).execute()
        await uploaded(tx, me, twice)
      })
      await expect(attempt).rejects.toMatchObject({ code: '23505' })
      expect([runs, await stored(me)]).toEqual([1, []])
    })
    test('tells of its failure at the statement that follows it', async () => {
      const [me, twice] = [anId(), anId()]
      const attempt = asParticipant(t.app, me, async (tx) => {
        await uploaded(tx, me, twice)
        await uploaded(tx, me, twice)
        await sql`select 1`.execute(tx)
        expect.fail('went on')
      })
      await expect(attempt).rejects.toMatchObject({ code: '23505' })
    })
    test('is tried again with everything before it where it met a deadlock', async () => {
      let runs = 0
      const attempt = asParticipant(t.app, anId(), async (tx) => {
        runs += 1
        await executeKept(tx, raising('40P01'))
      })
      await expect(attempt).rejects.toMatchObject({ code: 'busy', cause: { code: '40P01' } })
      expect(runs).toBe(4)
    })
    test('is busy, and has not happened, where it takes too long', async () => {
      const one = connect({ url: t.url('aldis_app'), max: 1 })
      const slow = asParticipant(one, anId(), (tx) => executeKept(tx, sql`select pg_sleep(5)`), { timeoutMs: 50 })
      await expect(slow).rejects.toMatchObject({ code: 'busy', cause: { code: '57014' } })
      expect((await sql`select 1 as one`.execute(one)).rows).toEqual([{ one: 1 }])
      await one.destroy()
    })
    test('is unknown, and its connection is not used again, where a server that has stopped does not answer', async () => {
      const one = connect({ url: t.url('aldis_app'), max: 1, commitTimeoutMs: 100 })
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(one)
      const pid = rows[0]?.pid ?? expect.fail('no process')
      const me = anId()
      process.kill(pid, 'SIGSTOP')
      onTestFinished(async () => {
        process.kill(pid, 'SIGCONT')
        await one.destroy()
      })
      const attempt = asParticipant(one, me, (tx) => uploaded(tx, me), { timeoutMs: 100 })
      await expect(attempt).rejects.toMatchObject({ code: 'outcome-unknown' })
      expect((await sql`select 1 as one`.execute(one)).rows).toEqual([{ one: 1 }])
    })
    test('is not sent where its work fails after it', async () => {
      const me = anId()
      const attempt = asParticipant(t.app, me, async (tx) => {
        await sql`select 1`.execute(tx)
        await uploaded(tx, me)
        throw new RangeError('mine')
      })
      await expect(attempt).rejects.toThrow(RangeError)
      expect(await stored(me)).toEqual([])
    })
    test.for([
      { when: 'before', rows: 0 },
      { when: 'after', rows: 1 },
    ] as const)('and is cut $when the server sees it is unknown, with $rows row', async ({ when, rows }) => {
      const me = anId()
      const wire = await wireTo(t.url('aldis_app'))
      const db = connect({ url: wire.url, max: 1 })
      wire.cutAt('into upload', when)
      await expect(asParticipant(db, me, (tx) => uploaded(tx, me))).rejects.toMatchObject({ code: 'outcome-unknown' })
      await wire.over()
      await expect.poll(() => stored(me)).toHaveLength(rows)
      await db.destroy()
      await wire.close()
    })
  })
})

describe('COMMIT that waits for a standby', () => {
  let server: EmbeddedPostgres
  let dataDir: string
  let admin: Db

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'aldis-test-'))
    server = await startEmbedded({ dataDir, settings: { synchronous_standby_names: 'nobody' } })
    admin = connect({ url: server.url('postgres', 'postgres'), max: 2 })
    await admin.transaction().execute(async (tx) => {
      await sql`set local synchronous_commit = 'local'`.execute(tx)
      await sql`create table feed_ack (n int)`.execute(tx)
      await sql`create table upload (n int)`.execute(tx)
    })
  })
  afterAll(async () => {
    await admin.destroy()
    await server.destroy()
    await rm(dataDir, { recursive: true, force: true })
  })

  test('and is cancelled is unknown, though PostgreSQL reports success', async () => {
    const db = connect({ url: server.url('postgres', 'postgres'), max: 1 })
    const attempt = asParticipant(db, anId(), (tx) => sql`insert into upload values (1)`.execute(tx))
    const outcome = expect(attempt).rejects.toMatchObject({ code: 'outcome-unknown' })
    const cancel = sql<{ hit: boolean }>`
      select pg_cancel_backend(pid) as hit from pg_stat_activity where wait_event = 'SyncRep'`
    while ((await cancel.execute(admin)).rows.length === 0) await delay(20)
    await outcome
    expect((await sql`select n from upload where n = 1`.execute(admin)).rows).toHaveLength(1)
    await db.destroy()
  })

  test('longer than the deadline is unknown, and its connection is not used again', async () => {
    const db = connect({ url: server.url('postgres', 'postgres'), max: 1, commitTimeoutMs: 200 })
    const attempt = asParticipant(db, anId(), (tx) => sql`insert into upload values (2)`.execute(tx))
    await expect(attempt).rejects.toMatchObject({ code: 'outcome-unknown' })
    expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }])
    await db.destroy()
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`.execute(admin)
  })
})
