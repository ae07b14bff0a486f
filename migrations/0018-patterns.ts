import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** Patterns and tactics are read in the console by whoever they are shared with; they are few among what is looked up. */
const INDEXES: readonly string[] = [
  'create index shared_signal_words on shared_signal (signal_id, origin) where type = 9 or type = 11',
]

export async function patterns(db: Kysely<unknown>): Promise<void> {
  await run(db, INDEXES)
}
