import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { belowOf, type PageAsked } from '../kernel/page.ts'

// Requests of authorities.

export interface GovernmentRow {
  request_id: Uuid
  country: string
  kind: string
  asked: number
  basis: string
  reference: string
  received_at: Date
  opened_by: Uuid
  outcome: string | null
  disclosed: number | null
  closed_at: Date | null
  last_event: Uuid
}

const COLUMNS = [
  ...(['request_id', 'country', 'kind', 'asked', 'basis', 'reference', 'received_at', 'opened_by', 'outcome'] as const),
  ...(['disclosed', 'closed_at', 'last_event'] as const),
] as const

export async function insertGovernment(tx: Tx, row: GovernmentRow): Promise<void> {
  await tx.insertInto('government_request').values(row).execute()
}

/** The newest first. */
export const governmentRequests = (db: Db, limit: number): Promise<GovernmentRow[]> =>
  db
    .selectFrom('government_request')
    .select(COLUMNS)
    .orderBy('received_at', 'desc')
    .orderBy('request_id', 'desc')
    .limit(limit)
    .execute()

/** In the order in which they were entered, the last first. */
export const governmentRequestsFrom = (db: Db, asked: PageAsked): Promise<GovernmentRow[]> =>
  db
    .selectFrom('government_request')
    .select(COLUMNS)
    .where('request_id', '<', belowOf(asked))
    .orderBy('request_id', 'desc')
    .limit(asked.limit)
    .execute()

export const openGovernment = (tx: Tx, request_id: Uuid): Promise<GovernmentRow | undefined> =>
  tx
    .selectFrom('government_request')
    .select(COLUMNS)
    .where('request_id', '=', request_id)
    .where('closed_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()

export async function closeGovernment(
  tx: Tx,
  request_id: Uuid,
  set: { outcome: string; disclosed: number; closed_at: Date; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('government_request').set(set).where('request_id', '=', request_id).execute()
}
