import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/**
 * What is read is no more than what is needed. Parts of a batch come without the rest of it: hashes and salts hardly shrink, and
 * what is packed is read from its beginning. And a batch of reads is made of what sources are given of each read, sealed
 * beside the queue, without opening the journal; null where the release before wrote the row.
 */
export async function slices(db: Kysely<unknown>): Promise<void> {
  await run(db, [
    'alter table log_batch alter column data set storage external',
    'alter table read_pending add column parts bytea',
  ])
}
