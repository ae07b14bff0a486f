import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** A record is about 2.4 KB of what cannot be compressed, and hardly ever changed: in one place it is written and read at once. */
export async function recordsInLine(db: Kysely<unknown>): Promise<void> {
  await run(db, ['alter table prov_record set (toast_tuple_target = 8160)'])
}
