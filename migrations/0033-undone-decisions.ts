import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** The decision that an entry says is undone. */
export async function undoneDecisions(db: Kysely<unknown>): Promise<void> {
  await run(db, ['create index decision_ended on decision (participant_id, last_event) where ended_at is not null'])
}
