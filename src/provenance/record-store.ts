import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

// Records, each in the shard of who wrote it.

export interface RecordRow {
  participant_id: Uuid
  event_id: Uuid
  log_id: number
  kind: string
  at: Date
  payload: string
  c: Buffer
  body: Buffer
  epoch: number
  parties: string
  after: Uuid | null
}

/** Record and outbox row in one statement; the transaction of the change is the caller's. */
export async function insertRecords(tx: Tx, rows: readonly RecordRow[]): Promise<void> {
  for (const [participant_id, own] of Map.groupBy(rows, (row) => row.participant_id)) {
    await insertOwnRecords(tx, participant_id, own)
  }
}

async function insertOwnRecords(tx: Tx, participant_id: Uuid, rows: readonly RecordRow[]): Promise<void> {
  const column = <K extends keyof RecordRow>(key: K): RecordRow[K][] => rows.map((row) => row[key])
  await sql`
    with r as (
      select * from unnest(
        ${column('event_id')}::uuid[], ${column('log_id')}::int[],
        ${column('kind')}::text[], ${column('at')}::timestamptz[], ${column('payload')}::text[],
        ${column('c')}::bytea[], ${column('body')}::bytea[], ${column('epoch')}::int[],
        ${column('parties')}::text[], ${column('after')}::uuid[]
      ) as r(event_id, log_id, kind, at, payload, c, body, epoch, parties, after)
    ), records as (
      insert into prov_record (participant_id, event_id, log_id, kind, at, payload, c, body, epoch)
      select ${participant_id}::uuid, event_id, log_id, kind, at, payload, c, body, epoch from r
    )
    insert into prov_outbox (event_id, participant_id, log_id, at, c, parties, after)
    select event_id, ${participant_id}::uuid, log_id, at, c, parties, after from r`.execute(tx)
}

export const recordOf = (db: Db, participant_id: Uuid, event_id: Uuid) =>
  db
    .selectFrom('prov_record')
    .select(['kind', 'at', 'payload', 'c', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where('event_id', '=', event_id)
    .executeTakeFirst()

/** Records by event id, asked for one participant at a time: each lives in its own shard. */
export async function recordsOf(
  db: Db,
  events: readonly { event_id: Uuid; participant_id: Uuid }[],
): Promise<Map<Uuid, { payload: string; c: Buffer; body: Buffer; epoch: number }>> {
  const records = new Map<Uuid, { payload: string; c: Buffer; body: Buffer; epoch: number }>()
  for (const [participant_id, own] of Map.groupBy(events, (event) => event.participant_id)) {
    const rows = await db
      .selectFrom('prov_record')
      .select(['event_id', 'payload', 'c', 'body', 'epoch'])
      .where('participant_id', '=', participant_id)
      .where(sql<boolean>`event_id = any(${own.map(({ event_id }) => event_id)}::uuid[])`)
      .execute()
    for (const { event_id, ...record } of rows) records.set(event_id, record)
  }
  return records
}

/** Kind and time of records, asked for one participant at a time: each lives in its own shard. */
export async function kindsOf(
  db: Db,
  events: readonly { event_id: Uuid; participant_id: Uuid }[],
): Promise<Map<Uuid, { kind: string; at: Date }>> {
  const kinds = new Map<Uuid, { kind: string; at: Date }>()
  for (const [participant_id, own] of Map.groupBy(events, (event) => event.participant_id)) {
    const rows = await db
      .selectFrom('prov_record')
      .select(['event_id', 'kind', 'at'])
      .where('participant_id', '=', participant_id)
      .where(sql<boolean>`event_id = any(${own.map(({ event_id }) => event_id)}::uuid[])`)
      .execute()
    for (const { event_id, kind, at } of rows) kinds.set(event_id, { kind, at })
  }
  return kinds
}
