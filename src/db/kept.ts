import type { Compilable, RawBuilder } from 'kysely'
import type { Tx } from './as-participant.ts'
import { sessionOf } from './driver.ts'

/**
 * Carries out a statement of unchanging text that each connection keeps prepared, where connections are kept (see `connect`):
 * half of what a small one costs is to be parsed and planned. For inserts of what is given, whose plan hangs on no table's
 * size: one that reads a table would stay the one for the size that it had at first. It is on its way with whatever the
 * transaction sends next, which tells of its failure: the last of them costs no round trip beside COMMIT's.
 */
export async function executeKept(tx: Tx, statement: RawBuilder<unknown>): Promise<void> {
  const query = statement.compile(tx)
  await tx.getExecutor().provideConnection(async (connection) => sessionOf(connection).hold(query))
}

/** One plan for any values, which reads no table from end to end while an index leads to the rows: good for tables of any size. */
const BY_INDEX = ['set local enable_seqscan = off', 'set local plan_cache_mode = force_generic_plan']

/**
 * The rows that a question of unchanging text finds by the whole of a key (decision 0084). Planned once by each connection, where
 * connections are kept: planning a small one takes longer than answering it. The rest of the transaction is planned by the same settings.
 */
export async function askKept<Row>(tx: Tx, question: Compilable<Row> | RawBuilder<Row>): Promise<Row[]> {
  const query = question.compile(tx)
  const { rows } = await tx
    .getExecutor()
    .provideConnection(async (connection) => sessionOf(connection).ask<Row>(query, BY_INDEX))
  return rows
}
