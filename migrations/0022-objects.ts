import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/**
 * When an entry came into its feed, in microseconds; 0 of those before. The index tells whether something was said of a signal later; of
 * plain columns, since row-level security lets no expression be looked up before its own conditions.
 */
const OBJECTS: readonly string[] = [
  'alter table feed_entry add column added_us bigint not null default 0',
  'create index feed_entry_signal on feed_entry (feed_id, signal_id, seq)',
]

export async function objects(db: Kysely<unknown>): Promise<void> {
  await run(db, OBJECTS)
}
