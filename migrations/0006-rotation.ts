import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** A log that was closed ends at its newest signed size; entries beyond it were moved on to the next log. */
const ROTATION: readonly string[] = [
  'alter table log_head add column closed_size bigint',
  'grant update (closed_size) on log_head to aldis_admin',
  // To lock the row, which no change of it is.
  'grant update (at) on log_signed to aldis_admin',
  'grant select on log_batch to aldis_admin',
  'grant select on log_head to aldis_projector',
]

export const rotation = (db: Kysely<unknown>): Promise<void> => run(db, ROTATION)
