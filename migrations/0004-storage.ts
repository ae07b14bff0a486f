import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** Digests and ciphertext do not shrink: PostgreSQL would try on each row, and keep them as they are. */
const INCOMPRESSIBLE = [
  ['prov_record', 'body'],
  ['read_journal', 'c'],
  ['read_journal', 'body'],
  ['log_batch', 'data'],
  ['log_chain_seg', 'data'],
  ['log_tile', 'data'],
  ['submission', 'leaves'],
] as const

export const storage = (db: Kysely<unknown>): Promise<void> =>
  run(
    db,
    INCOMPRESSIBLE.map(([table, column]) => `alter table ${table} alter column ${column} set storage external`),
  )
