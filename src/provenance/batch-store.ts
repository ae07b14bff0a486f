import { type RawBuilder, sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { type BatchEntry, type BatchRun, decodeRun } from './batch.ts'

// Entries of the log by their indices, out of the batches that hold up to thousands of them.

/** Indices from `from` up to and without `to`. */
interface Range {
  from: bigint
  to: bigint
}

interface PlacedRun extends BatchRun {
  first_idx: bigint
}

/** Of column `data` the place at which entry `at` of the batch begins. */
const placeOf = (at: 'lo' | 'hi'): RawBuilder<number> =>
  sql`('x' || encode(substring(part.data from 4 * part.${sql.ref(at)} + 1 for 4), 'hex'))::bit(32)::int`

/** The entries of ranges that rise and do not meet: of each batch no more is read than stands in one of them. */
export async function batchRuns(db: Db | Tx, logId: number, ranges: readonly Range[]): Promise<PlacedRun[]> {
  if (ranges.length === 0) return []
  const [low, high] = [ranges.map(({ from }) => from), ranges.map(({ to }) => to)].map(plainArray)
  const { rows } = await sql<PlacedRun>`
    select run.first_idx + run.lo as first_idx,
      substring(run.data from 4 * run.lo + 1 for 4 * (run.hi - run.lo)) as offsets,
      substring(run.data from run.begins + 1 for run.ends - run.begins) as entries
    from (
      select part.first_idx, part.data, part.lo, part.hi, ${placeOf('lo')} as begins,
        case when part.hi = part.n then octet_length(part.data) else ${placeOf('hi')} end as ends
      from (
        select b.first_idx, b.n, b.data, greatest(r.low - b.first_idx, 0)::int as lo,
          least(r.high - b.first_idx, b.n)::int as hi
        from unnest(${low}::bigint[], ${high}::bigint[]) as r(low, high)
        join log_batch b on b.log_id = ${logId} and b.first_idx < r.high and b.first_idx >= coalesce(
          (select max(m.first_idx) from log_batch m where m.log_id = ${logId} and m.first_idx <= r.low), r.low)
      ) as part
    ) as run
    where run.hi > run.lo
    order by 1`.execute(db)
  return rows
}

/** The entries at some indices; none where there is none. */
export async function entriesAt(
  db: Db | Tx,
  logId: number,
  indices: readonly bigint[],
): Promise<Map<bigint, BatchEntry>> {
  const runs = await batchRuns(db, logId, rangesOf(indices))
  return new Map(runs.flatMap((run) => decodeRun(run).map((entry, i) => [run.first_idx + BigInt(i), entry] as const)))
}

/** Neighbours together, each once. */
function rangesOf(indices: readonly bigint[]): Range[] {
  const ranges: Range[] = []
  for (const index of indices.toSorted((a, b) => (a < b ? -1 : 1))) {
    const last = ranges.at(-1)
    if (last !== undefined && index <= last.to) last.to = index < last.to ? last.to : index + 1n
    else ranges.push({ from: index, to: index + 1n })
  }
  return ranges
}
