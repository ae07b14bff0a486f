import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** The request by which two persons placed a hold; absent where recipients or the source did, and the release before writes none. */
export async function heldByRequest(db: Kysely<unknown>): Promise<void> {
  await run(db, ['alter table signal_hold add column request uuid'])
}
