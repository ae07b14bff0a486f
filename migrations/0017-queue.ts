import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** What the console asks of cases beside the queue's own order. */
const INDEXES: readonly string[] = [
  // Cases that are parked, wait for a second person or are in their grace are few among those that are closed.
  'create index review_case_state on review_case (participant_id, state, case_id) where state <> 1',
  'create index review_case_opened on review_case (participant_id, opened_at) where state = 1',
  'create index review_lease_holder on review_lease (participant_id, holder, expires_at)',
  'create index case_trigger_at on case_trigger (participant_id, at)',
  'create index decision_at on decision (participant_id, decided_at)',
]

export async function queue(db: Kysely<unknown>): Promise<void> {
  await run(db, INDEXES)
}
