import type { RawBuilder } from 'kysely'
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
