import type { Kysely } from 'kysely'
import { readAll, run } from '../src/db/ddl.ts'

/** The request by which two persons placed a hold; absent where recipients or the source did, and the release before writes none. */
export async function heldByRequest(db: Kysely<unknown>): Promise<void> {
  await run(db, [
    'alter table signal_hold add column request uuid',
    // What is disputed stays held where two persons let the rest go.
    ...readAll('dispute_received', 'aldis_admin'),
    ...readAll('dispute_answer', 'aldis_admin'),
  ])
}
