import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

// Transparency reports: drafts, and those that were published.

export interface ReportRow {
  digest: Buffer
  period_from: Date
  period_to: Date
  log_size: bigint
  made_by: Uuid
  made_at: Date
  published_at: Date | null
  published_event: Uuid | null
}

const COLUMNS = [
  ...(['digest', 'period_from', 'period_to', 'log_size', 'made_by', 'made_at', 'published_at'] as const),
  'published_event',
] as const

/** The very same report is kept once. */
export async function insertReport(
  db: Db,
  row: Omit<ReportRow, 'published_at' | 'published_event'> & { body: string },
): Promise<void> {
  await db
    .insertInto('report')
    .values({ ...row, published_at: null, published_event: null })
    .onConflict((conflict) => conflict.column('digest').doNothing())
    .execute()
}

/** The newest first. */
export const reports = (db: Db, limit: number): Promise<ReportRow[]> =>
  db.selectFrom('report').select(COLUMNS).orderBy('made_at', 'desc').orderBy('digest').limit(limit).execute()

export const publishedReports = (db: Db): Promise<ReportRow[]> =>
  db
    .selectFrom('report')
    .select(COLUMNS)
    .where('published_at', 'is not', null)
    .orderBy('published_at', 'desc')
    .orderBy('digest')
    .execute()

export const reportOf = (db: Db, digest: Buffer): Promise<(ReportRow & { body: string }) | undefined> =>
  db
    .selectFrom('report')
    .select([...COLUMNS, 'body'])
    .where('digest', '=', digest)
    .executeTakeFirst()

/** Of a report that is kept here; of any other its maker keeps the file. */
export async function markPublished(tx: Tx, digest: Buffer, { at, event }: { at: Date; event: Uuid }): Promise<void> {
  await tx
    .updateTable('report')
    .set({ published_at: at, published_event: event })
    .where('digest', '=', digest)
    .where('published_at', 'is', null)
    .execute()
}
