import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { executeKept } from '../db/kept.ts'
import type { Uuid } from '../kernel/ids.ts'

// The journal of reads, and the batches that they are gathered into.

export interface JournalRow {
  participant_id: Uuid
  day: string
  journal_id: Uuid
  at: Date
  n: number
  c: Buffer
  body: Buffer
  epoch: number
  /** What sources are given of its reads, sealed; for the queue alone. */
  parts: Buffer
}

/** The journal row and its place in the queue of the next batch, in one statement. */
export async function insertJournal(tx: Tx, row: JournalRow): Promise<void> {
  const statement = sql`
    with j as (
      insert into read_journal (participant_id, day, journal_id, at, n, c, body, epoch)
      values (${row.participant_id}, ${row.day}, ${row.journal_id}, ${row.at}, ${row.n}, ${row.c}, ${row.body}, ${row.epoch})
    )
    insert into read_pending (participant_id, journal_id, day, parts)
    values (${row.participant_id}, ${row.journal_id}, ${row.day}, ${row.parts})`
  await executeKept(tx, statement)
}

/** Participants with unflushed reads. */
export const participantsPending = (db: Db) =>
  db.selectFrom('read_pending').select('participant_id').distinct().execute()

/** The participant's batch counter, locked and made if absent. */
export async function lockReadHead(tx: Tx, participant_id: Uuid): Promise<bigint> {
  await tx
    .insertInto('read_head')
    .values({ participant_id, batch_no: 0n, expired_no: 0n, gone_no: 0n, gone_until: null })
    .onConflict((oc) => oc.doNothing())
    .execute()
  const row = await tx
    .selectFrom('read_head')
    .select('batch_no')
    .where('participant_id', '=', participant_id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return row.batch_no
}

export const pendingRows = (tx: Tx, participant_id: Uuid, { after, limit }: { after: Uuid; limit: number }) =>
  tx
    .selectFrom('read_pending as p')
    .innerJoin('read_journal as j', (join) =>
      join
        .onRef('j.participant_id', '=', 'p.participant_id')
        .onRef('j.day', '=', 'p.day')
        .onRef('j.journal_id', '=', 'p.journal_id'),
    )
    .select(['j.journal_id', 'j.day', 'j.at', 'j.n', 'j.c', 'j.epoch', 'p.parts'])
    .where('p.participant_id', '=', participant_id)
    .where('p.journal_id', '>', after)
    .orderBy('p.journal_id')
    .limit(limit)
    .execute()

export interface Flushed {
  participant_id: Uuid
  batch_no: bigint
  event_id: Uuid
  n: number
  root: Buffer
  rows: readonly { journal_id: Uuid; day: string; batch_at: number }[]
}

export async function insertReadBatch(tx: Tx, flushed: Flushed): Promise<void> {
  const { participant_id, batch_no, event_id, n, root, rows } = flushed
  const ids = rows.map((row) => row.journal_id)
  await tx.insertInto('read_batch').values({ participant_id, batch_no, event_id, n, root, expired_by: null }).execute()
  await sql`
    update read_journal j set batch_no = ${batch_no}, batch_at = f.batch_at
    from unnest(${ids}::uuid[], ${rows.map((row) => row.day)}::date[], ${rows.map((row) => row.batch_at)}::int[])
      as f(journal_id, day, batch_at)
    where j.participant_id = ${participant_id} and j.day = f.day and j.journal_id = f.journal_id`.execute(tx)
  await sql`delete from read_pending where participant_id = ${participant_id} and journal_id = any(${ids}::uuid[])`.execute(
    tx,
  )
  await tx.updateTable('read_head').set({ batch_no }).where('participant_id', '=', participant_id).execute()
}

/** One journal row of a participant, by its id. */
export const journalRow = (db: Db, participant_id: Uuid, journal_id: Uuid) =>
  db
    .selectFrom('read_journal')
    .select(['day', 'journal_id', 'at', 'n', 'c', 'body', 'epoch', 'batch_no', 'batch_at'])
    .where('participant_id', '=', participant_id)
    .where('journal_id', '=', journal_id)
    .executeTakeFirst()

export const readBatch = (db: Db, participant_id: Uuid, batch_no: bigint) =>
  db
    .selectFrom('read_batch')
    .select(['event_id', 'n', 'root'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '=', batch_no)
    .executeTakeFirst()

/** Whether an entry names the batch of an event as over: its reads may be gone. */
export const expiredBatch = (db: Db, participant_id: Uuid, event_id: Uuid) =>
  db
    .selectFrom('read_batch')
    .select('expired_by')
    .where('participant_id', '=', participant_id)
    .where('event_id', '=', event_id)
    .where('expired_by', 'is not', null)
    .executeTakeFirst()

/** The commitments of a whole read batch, in its order. */
export const batchCommitments = (db: Db, participant_id: Uuid, batch_no: bigint) =>
  db
    .selectFrom('read_journal')
    .select(['c', 'batch_at', 'journal_id'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '=', batch_no)
    .orderBy('batch_at')
    .execute()

/** Batches whose first row was journaled between two ids of one day. */
export async function batchesBeginning(
  db: Db,
  participant_id: Uuid,
  { day, least, next }: { day: string; least: Uuid; next: Uuid },
): Promise<bigint[]> {
  const rows = await db
    .selectFrom('read_journal')
    .select('batch_no')
    .where('participant_id', '=', participant_id)
    .where('day', '=', day)
    .where('journal_id', '>=', least)
    .where('journal_id', '<', next)
    .where('batch_at', '=', 0)
    .execute()
  return rows.flatMap(({ batch_no }) => (batch_no === null ? [] : [batch_no]))
}

/** Where each row of a batch stands, in its order. */
export const batchRows = (db: Db, participant_id: Uuid, batch_no: bigint) =>
  db
    .selectFrom('read_journal')
    .select(['journal_id', 'day', 'batch_at'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '=', batch_no)
    .orderBy('batch_at')
    .execute()

/** What some rows keep. */
export const journalBodies = (db: Db | Tx, participant_id: Uuid, rows: readonly { journal_id: Uuid; day: string }[]) =>
  db
    .selectFrom('read_journal')
    .select(['journal_id', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`day = any(${rows.map(({ day }) => day)}::date[])`)
    .where(sql<boolean>`journal_id = any(${rows.map(({ journal_id }) => journal_id)}::uuid[])`)
    .execute()

/** One participant's batches of reads after a number, in order. */
export const readBatchesAfter = (db: Db, participant_id: Uuid, { after, limit }: { after: bigint; limit: number }) =>
  db
    .selectFrom('read_batch')
    .select(['batch_no', 'event_id', 'n', 'root'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '>', after)
    .orderBy('batch_no')
    .limit(limit)
    .execute()
