import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** The revision that was decided on; the release before writes none. */
export async function decidedRevisions(db: Kysely<unknown>): Promise<void> {
  await run(db, ['alter table decision add column revision integer check (revision >= 1)'])
}
