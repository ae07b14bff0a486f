import { sql } from 'kysely'
import { jsonTexts, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'

// What reports are made of, beside the log.

/** Facts of `n` entries from `first_idx` on; of `sealed` of them nothing could be read. */
export interface FactsRow {
  first_idx: bigint
  n: number
  sealed: number
  /** A JSON array; see `packFact`. */
  facts: string
}

const COLUMNS = ['first_idx', 'n', 'sealed', 'facts'] as const

/** Entries whose facts are kept: all below it. */
export async function factsUpto(db: Db | Tx, log_id: number): Promise<bigint> {
  const row = await db
    .selectFrom('report_facts')
    .select(['first_idx', 'n'])
    .where('log_id', '=', log_id)
    .orderBy('first_idx', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? 0n : row.first_idx + BigInt(row.n)
}

export async function insertFacts(tx: Tx, log_id: number, rows: readonly FactsRow[]): Promise<void> {
  const plain = <K extends 'first_idx' | 'n' | 'sealed'>(key: K): string => plainArray(rows.map((row) => row[key]))
  await sql`
    insert into report_facts (log_id, first_idx, n, sealed, facts)
    select ${log_id}::int, u.* from unnest(
      ${plain('first_idx')}::bigint[], ${plain('n')}::int[], ${plain('sealed')}::int[],
      string_to_array(${jsonTexts(rows.map(({ facts }) => facts))}, E'\\x1f')
    ) as u(first_idx, n, sealed, facts)`.execute(tx)
}

/** The row that begins with the entry at `first_idx`. */
export const factsFrom = (db: Db | Tx, log_id: number, first_idx: bigint): Promise<FactsRow | undefined> =>
  db
    .selectFrom('report_facts')
    .select(COLUMNS)
    .where('log_id', '=', log_id)
    .where('first_idx', '=', first_idx)
    .executeTakeFirst()
