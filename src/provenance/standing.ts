import type { Db } from '../db/connect.ts'
import { equal } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { LogHalted } from './anchor.ts'
import { decodeEntry } from './batch.ts'
import { emptyRange, rangeRoot } from './merkle.ts'
import { readBack } from './read-back.ts'
import * as recordStore from './record-store.ts'
import * as signStore from './sign-store.ts'
import * as store from './store.ts'

/** How far one log has come: indexed, committed for good, signed. */
export interface LogStanding {
  log_id: number
  origin: string
  size: bigint
  root: Uint8Array
  /** Where the log ended; what is behind it counts no more. Null for the one that is written. */
  closed_size: bigint | null
  fenced: bigint
  signed: bigint
  signed_root: Uint8Array
  /** When the newest entry was recorded; undefined in an empty log. */
  newest: Date | undefined
}

/** Every log of a database, the oldest first. For the operator's copies, whose role sees all rows. */
export async function logStandings(db: Db): Promise<LogStanding[]> {
  const standings: LogStanding[] = []
  for (const row of await signStore.standings(db)) standings.push({ ...row, newest: await newestOf(db, row) })
  return standings
}

/** As `logStandings`, for a role that sees no records. */
export const treesOf = (db: Db): Promise<Omit<LogStanding, 'newest'>[]> => signStore.standings(db)

async function newestOf(db: Db, { log_id, size }: { log_id: number; size: bigint }): Promise<Date | undefined> {
  const batch = size === 0n ? undefined : await store.batchAt(db, log_id, size - 1n)
  if (batch === undefined) return undefined
  const { participant_id, event_id } = decodeEntry(batch.data, Number(size - 1n - batch.first_idx))
  return (await recordStore.recordOf(db, participant_id, event_id))?.at
}

/** Recomputes a log's tree from its entries, from the first one on. Throws `LogHalted` where it is not the one that it names. */
export async function recompute(
  db: Db,
  { log_id, size, root, signed, signed_root }: Omit<LogStanding, 'newest'>,
): Promise<void> {
  const atSigned = await readBack(db, log_id, { range: emptyRange, to: signed })
  if (!equal(rangeRoot(sha256, atSigned), signed_root))
    throw new LogHalted('root-differs', `the entries of size ${signed} make another root than was signed`)
  const atHead = await readBack(db, log_id, { range: atSigned, to: size })
  if (!equal(rangeRoot(sha256, atHead), root))
    throw new LogHalted('root-differs', `the entries of size ${size} make another root`)
}
