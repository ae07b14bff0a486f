import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { belowOf, type PageAsked } from '../kernel/page.ts'

// What persons ask by right; who they are is in no row.

export interface SubjectRow {
  request_id: Uuid
  kind: string
  received_at: Date
  due_at: Date
  extension: string | null
  searched_at: Date | null
  outcome: string | null
  closed_at: Date | null
  opened_by: Uuid
  last_event: Uuid
}

const COLUMNS = [
  ...(['request_id', 'kind', 'received_at', 'due_at', 'extension', 'searched_at', 'outcome', 'closed_at'] as const),
  ...(['opened_by', 'last_event'] as const),
] as const

export async function insertRequest(tx: Tx, row: SubjectRow): Promise<void> {
  await tx.insertInto('subject_request').values(row).execute()
}

/** Open ones first, the most urgent before the others. */
export const requests = (db: Db, limit: number): Promise<SubjectRow[]> =>
  db
    .selectFrom('subject_request')
    .select(COLUMNS)
    .orderBy('closed_at', (order) => order.desc().nullsFirst())
    .orderBy('due_at')
    .orderBy('request_id')
    .limit(limit)
    .execute()

/** In the order in which they were entered, the last first. */
export const requestsFrom = (db: Db, asked: PageAsked): Promise<SubjectRow[]> =>
  db
    .selectFrom('subject_request')
    .select(COLUMNS)
    .where('request_id', '<', belowOf(asked))
    .orderBy('request_id', 'desc')
    .limit(asked.limit)
    .execute()

export const request = (db: Db, request_id: Uuid): Promise<SubjectRow | undefined> =>
  db.selectFrom('subject_request').select(COLUMNS).where('request_id', '=', request_id).executeTakeFirst()

export const requestForUpdate = (tx: Tx, request_id: Uuid): Promise<SubjectRow | undefined> =>
  tx.selectFrom('subject_request').select(COLUMNS).where('request_id', '=', request_id).forUpdate().executeTakeFirst()

export async function changeRequest(
  tx: Tx,
  request_id: Uuid,
  set: Partial<Pick<SubjectRow, 'due_at' | 'extension' | 'searched_at' | 'outcome' | 'closed_at' | 'last_event'>>,
): Promise<void> {
  await tx.updateTable('subject_request').set(set).where('request_id', '=', request_id).execute()
}

export interface PartRow {
  request_id: Uuid
  participant_id: Uuid
  signals: string[]
  approval: Uuid | null
}

export const partsOf = (db: Db | Tx, request_id: Uuid): Promise<PartRow[]> =>
  db
    .selectFrom('subject_request_part')
    .select(['request_id', 'participant_id', 'signals', 'approval'])
    .where('request_id', '=', request_id)
    .orderBy('participant_id')
    .execute()

/** What a later search finds more comes to what is there. */
export async function putPart(tx: Tx, row: Omit<PartRow, 'approval'>): Promise<void> {
  await tx
    .insertInto('subject_request_part')
    .values({ ...row, approval: null })
    .onConflict((conflict) => conflict.columns(['request_id', 'participant_id']).doUpdateSet({ signals: row.signals }))
    .execute()
}

export async function setApproval(
  tx: Tx,
  of: { request_id: Uuid; participant_id: Uuid },
  approval: Uuid,
): Promise<void> {
  await tx
    .updateTable('subject_request_part')
    .set({ approval })
    .where('request_id', '=', of.request_id)
    .where('participant_id', '=', of.participant_id)
    .execute()
}
