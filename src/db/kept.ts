import type { CompiledQuery, RawBuilder } from 'kysely'
import { sha256Hex } from '../kernel/sha256.ts'
import type { Tx } from './as-participant.ts'

const kept = new WeakSet<CompiledQuery>()
const names = new Map<string, string>()

/**
 * Carries out a statement of unchanging text that each connection keeps prepared, where connections are kept (see `connect`):
 * half of what a small one costs is to be parsed and planned. For inserts of what is given, whose plan hangs on no table's
 * size: one that reads a table would stay the one for the size that it had at first.
 */
export async function executeKept(tx: Tx, statement: RawBuilder<unknown>): Promise<void> {
  const query = statement.compile(tx)
  kept.add(query)
  await tx.executeQuery(query)
}

/** Under which a connection keeps the statement; undefined for one that is parsed each time. */
export function keptName(query: CompiledQuery): string | undefined {
  if (!kept.has(query)) return undefined
  const known = names.get(query.sql)
  if (known !== undefined) return known
  const name = `kept_${sha256Hex(query.sql).slice(0, 32)}`
  names.set(query.sql, name)
  return name
}
