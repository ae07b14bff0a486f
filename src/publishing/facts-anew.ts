import type { Db } from '../db/connect.ts'
import type { DescribedEntry } from '../provenance/explore.ts'
import { factRows } from './facts.ts'
import * as store from './facts-store.ts'

export interface AnewOptions {
  projector: Db
  logId: number
  /** Entries with what their records say. */
  described(at: { from: bigint; limit: number }): Promise<readonly DescribedEntry[]>
}

/** Opens every entry again, from the first, and says in sentences which kept facts are other than what it tells. */
export async function factsAnew({ projector, logId, described }: AnewOptions): Promise<string[]> {
  const upto = await store.factsUpto(projector, logId)
  const differences: string[] = []
  for (let from = 0n; from < upto; ) {
    const kept = await store.factsFrom(projector, logId, from)
    if (kept === undefined) return [...differences, `facts: no row begins with entry ${from}`]
    const entries = await described({ from, limit: kept.n })
    const end = from + BigInt(kept.n)
    const made = factRows(entries)
    const [one] = made
    const same = made.length === 1 && one?.facts === kept.facts && one.n === kept.n && one.sealed === kept.sealed
    if (!same) differences.push(`facts: entries ${from} to ${end - 1n} say something else than the log`)
    from = end
  }
  return differences
}
