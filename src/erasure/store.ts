import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { belowOf, type PageAsked } from '../kernel/page.ts'

export interface ErasureRow {
  participant_id: Uuid
  event_id: Uuid
  request_id: Uuid
  at: Date
  basis: string
  notified: number
}

export async function insertErasure(tx: Tx, row: ErasureRow): Promise<void> {
  await tx.insertInto('erasure').values(row).execute()
}

export async function insertNotice(tx: Tx, holder: Uuid, event_id: Uuid): Promise<void> {
  await tx.insertInto('erasure_notice').values({ participant_id: holder, event_id }).execute()
}

/** The erasures of one source's signals, the newest first. */
export const erasuresOf = (tx: Tx, participant_id: Uuid, asked: PageAsked): Promise<ErasureRow[]> =>
  tx
    .selectFrom('erasure')
    .select(['participant_id', 'event_id', 'request_id', 'at', 'basis', 'notified'])
    .where('participant_id', '=', participant_id)
    .where('event_id', '<', belowOf(asked))
    .orderBy('event_id', 'desc')
    .limit(asked.limit)
    .execute()

export async function isAsked(tx: Tx, holder: Uuid, event_id: Uuid): Promise<boolean> {
  const row = await tx
    .selectFrom('erasure_notice')
    .select('event_id')
    .where('participant_id', '=', holder)
    .where('event_id', '=', event_id)
    .executeTakeFirst()
  return row !== undefined
}

/** The erasures that ask one holder to remove something. */
export async function noticesOf(tx: Tx, holder: Uuid): Promise<Set<Uuid>> {
  const rows = await tx.selectFrom('erasure_notice').select('event_id').where('participant_id', '=', holder).execute()
  return new Set(rows.map(({ event_id }) => event_id))
}
