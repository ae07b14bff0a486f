import type { Db } from '../db/connect.ts'
import type { DescribedEntry } from '../provenance/explore.ts'
import { factRows } from './facts.ts'
import * as store from './facts-store.ts'

export interface AnewOptions {
  projector: Db
  logId: number
  /** Entries with what their records say, at least one if there is one. */
  described(at: { from: bigint; limit: number }): Promise<{ entries: readonly DescribedEntry[] }>
}

/** Opens every entry again, from the first, and says in sentences which kept facts are other than what it tells. */
export async function factsAnew(options: AnewOptions): Promise<string[]> {
  const { projector, logId } = options
  const upto = await store.factsUpto(projector, logId)
  const differences: string[] = []
  for (let from = 0n; from < upto; ) {
    const kept = await store.factsFrom(projector, logId, from)
    if (kept === undefined) return [...differences, `facts: no row begins with entry ${from}`]
    const end = from + BigInt(kept.n)
    const fault = faultOf(kept, factRows(await between(options, { from, to: end })))
    if (fault !== undefined) differences.push(`facts: entries ${from} to ${end - 1n} ${fault}`)
    from = end
  }
  return differences
}

async function between(
  { described }: AnewOptions,
  { from, to }: { from: bigint; to: bigint },
): Promise<readonly DescribedEntry[]> {
  const all: DescribedEntry[] = []
  for (let at = from; at < to; ) {
    const { entries } = await described({ from: at, limit: Number(to - at) })
    if (entries.length === 0) break
    for (const entry of entries) all.push(entry)
    at += BigInt(entries.length)
  }
  return all
}

function faultOf(kept: store.FactsRow, made: readonly store.FactsRow[]): string | undefined {
  const sealed = made.reduce((sum, row) => sum + row.sealed, 0)
  if (sealed > kept.sealed) return `cannot be compared: of ${sealed} of them nothing can be read any more`
  const [one] = made
  const same = made.length === 1 && one?.facts === kept.facts && one.n === kept.n && sealed === kept.sealed
  return same ? undefined : 'say something else than the log'
}
