import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** What of a case is another once it is opened again or handed on; the release before writes neither. */
export async function dueAndHanded(db: Kysely<unknown>): Promise<void> {
  await run(db, [
    'alter table decision add column due_at timestamptz',
    'alter table review_case add column handed_event uuid',
    `create index review_case_handed on review_case (participant_id, handed_event desc nulls last, case_id desc)
      where state = 1 and assigned_to is not null`,
    // Figures count the newest of these.
    'create index hit_acted on hit (participant_id, signal_id) where acted_count is not null',
  ])
}
