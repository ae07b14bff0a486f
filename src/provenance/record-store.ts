import { sql } from 'kysely'
import { bytesArray, jsonTexts, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { executeKept } from '../db/kept.ts'
import { askTogether, type Events, type Some } from '../db/participants-at-once.ts'
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
  const plain = <K extends 'event_id' | 'log_id' | 'kind' | 'epoch'>(key: K): string =>
    plainArray(rows.map((row) => row[key]))
  // Neither a kind nor the names of parties hold a comma, and a record has always a party.
  const statement = sql`
    with r as (
      select * from unnest(
        ${plain('event_id')}::uuid[], ${plain('log_id')}::int[],
        ${plain('kind')}::text[], ${plainArray(rows.map(({ at }) => at.toISOString()))}::timestamptz[],
        string_to_array(${jsonTexts(rows.map(({ payload }) => payload))}, E'\\x1f'),
        ${bytesArray(rows.map(({ c }) => c))}::bytea[], ${bytesArray(rows.map(({ body }) => body))}::bytea[],
        ${plain('epoch')}::int[], string_to_array(${rows.map(({ parties }) => parties).join(',')}, ','),
        ${plainArray(rows.map(({ after }) => after ?? 'NULL'))}::uuid[]
      ) as r(event_id, log_id, kind, at, payload, c, body, epoch, parties, after)
    ), records as (
      insert into prov_record (participant_id, event_id, log_id, kind, at, payload, c, body, epoch)
      select ${participant_id}::uuid, event_id, log_id, kind, at, payload, c, body, epoch from r
    )
    insert into prov_outbox (event_id, participant_id, log_id, at, c, parties, after)
    select event_id, ${participant_id}::uuid, log_id, at, c, parties, after from r`
  await executeKept(tx, statement)
}

export const recordOf = (db: Db, participant_id: Uuid, event_id: Uuid) =>
  db
    .selectFrom('prov_record')
    .select(['kind', 'at', 'payload', 'c', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where('event_id', '=', event_id)
    .executeTakeFirst()

const found = async <T extends { event_id: Uuid }>(
  events: Events,
  ask: (some: Some) => Promise<T[]>,
): Promise<Map<Uuid, T>> => new Map((await askTogether(events, ask)).map((row) => [row.event_id, row]))

const records = (db: Db, { participants, events }: Some) =>
  db
    .selectFrom('prov_record')
    .where(sql<boolean>`participant_id = any(${participants}::uuid[])`)
    .where(sql<boolean>`event_id = any(${events}::uuid[])`)

/** Records by event id. */
export const recordsOf = (db: Db, events: Events) =>
  found(events, (some) => records(db, some).select(['event_id', 'payload', 'c', 'body', 'epoch']).execute())

/** What is opened of records, without what is held against the log. */
export const sealedOf = (db: Db, events: Events) =>
  found(events, (some) => records(db, some).select(['event_id', 'c', 'body', 'epoch']).execute())

/** Kind and time of records. */
export const kindsOf = (db: Db, events: Events) =>
  found(events, (some) => records(db, some).select(['event_id', 'kind', 'at']).execute())
