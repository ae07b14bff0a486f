import { sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { dayOf } from '../kernel/day.ts'
import type { Uuid } from '../kernel/ids.ts'
import { belowOf, type PageAsked } from '../kernel/page.ts'
import type { Activity } from './rules.ts'
import { CASE_STATE } from './schema.ts'

// How much each organisation does by the hour, and what was found unusual in it.

export interface HourRow {
  /** The first moment of the hour. */
  hour: Date
  actor: string
  kind: string
  entries: number
  items: number
}

/** Adds to what was counted before; each hour, organisation and kind once. */
export async function addActivity(tx: Tx, log_id: number, rows: readonly HourRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into activity_hour as a (log_id, hour, actor, kind, entries, items)
    select ${log_id}::int, u.hour, u.actor, u.kind, u.entries, u.items
    from unnest(
      ${rows.map(({ hour }) => hour)}::timestamptz[], ${rows.map(({ actor }) => actor)}::text[],
      ${rows.map(({ kind }) => kind)}::text[], ${plainArray(rows.map(({ entries }) => entries))}::int[],
      ${plainArray(rows.map(({ items }) => items))}::bigint[]
    ) as u(hour, actor, kind, entries, items)
    on conflict (log_id, hour, actor, kind) do update set
      entries = a.entries + excluded.entries, items = a.items + excluded.items`.execute(tx)
}

/** From one day up to and without another, of the kinds that are asked for. */
export async function activityBetween(
  db: Db | Tx,
  log_id: number,
  { from, to, kinds }: { from: Date; to: Date; kinds: readonly string[] },
): Promise<Activity[]> {
  const rows = await db
    .selectFrom('activity_hour')
    .select(['hour', 'actor', 'kind', 'entries', 'items'])
    .where('log_id', '=', log_id)
    .where('hour', '>=', from)
    .where('hour', '<', to)
    .where(sql<boolean>`kind = any(${kinds}::text[])`)
    .execute()
  return rows.map(({ hour, items, ...row }) => ({
    ...row,
    ...{ day: dayOf(hour), hour: hour.getUTCHours(), items: Number(items) },
  }))
}

/** The first hour that was counted; undefined before anything was. */
export const firstHour = (db: Db | Tx, log_id: number): Promise<{ hour: Date } | undefined> =>
  db.selectFrom('activity_hour').select('hour').where('log_id', '=', log_id).orderBy('hour').limit(1).executeTakeFirst()

export interface CaseRow {
  case_id: Uuid
  rule: string
  subject: string
  day: string
  measured: number
  baseline: number
  threshold: number
  state: number
  opened_at: Date
  moved_by: Uuid | null
  moved_at: Date | null
  reason: string | null
  note: string | null
  last_event: Uuid
}

const COLUMNS = [
  ...(['case_id', 'rule', 'subject', 'day', 'measured', 'baseline', 'threshold', 'state', 'opened_at'] as const),
  ...(['moved_by', 'moved_at', 'reason', 'note', 'last_event'] as const),
] as const

/** The cases of a day by `<rule> <subject>`: what was told once that day is not told again. */
export async function casesOfDay(tx: Tx, day: string): Promise<Set<string>> {
  const rows = await tx.selectFrom('anomaly_case').select(['rule', 'subject']).where('day', '=', day).execute()
  return new Set(rows.map(({ rule, subject }) => `${rule} ${subject}`))
}

/** False where another process has just opened the same. */
export async function insertCase(tx: Tx, row: CaseRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto('anomaly_case')
    .values(row)
    .onConflict((conflict) => conflict.columns(['rule', 'subject', 'day']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}

/** Open ones first, then the newest. */
export const cases = (db: Db, limit: number): Promise<CaseRow[]> =>
  db.selectFrom('anomaly_case').select(COLUMNS).orderBy('state').orderBy('case_id', 'desc').limit(limit).execute()

/** The newest first, whatever became of them. */
export const casesFrom = (db: Db, asked: PageAsked): Promise<CaseRow[]> =>
  db
    .selectFrom('anomaly_case')
    .select(COLUMNS)
    .where('case_id', '<', belowOf(asked))
    .orderBy('case_id', 'desc')
    .limit(asked.limit)
    .execute()

export const caseForUpdate = (tx: Tx, case_id: Uuid): Promise<CaseRow | undefined> =>
  tx.selectFrom('anomaly_case').select(COLUMNS).where('case_id', '=', case_id).forUpdate().executeTakeFirst()

export async function moveCase(
  tx: Tx,
  case_id: Uuid,
  set: Pick<CaseRow, 'state' | 'moved_by' | 'moved_at' | 'reason' | 'note' | 'last_event'>,
): Promise<void> {
  await tx.updateTable('anomaly_case').set(set).where('case_id', '=', case_id).execute()
}

export async function openCases(db: Db): Promise<number> {
  const { n } = await db
    .selectFrom('anomaly_case')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('state', '=', CASE_STATE.open)
    .executeTakeFirstOrThrow()
  return Number(n)
}
