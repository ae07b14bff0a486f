import type { Tx } from '../db/as-participant.ts'
import { concat, fromBase64Url, toBase64Url, u64, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { derivedId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import type { NewEvent } from './events.ts'
import * as journalStore from './journal-store.ts'
import { commitmentsIn, keptUnlessLost, partsIn, partsUnlessLost, type ReadParts } from './kept-read.ts'
import { leafHash, treeHash } from './merkle.ts'
import { sourceRoot } from './readset.ts'
import { monthOf } from './record.ts'
import { READS_IN_BATCH } from './schema.ts'

export interface BatchOptions {
  clock: Clock
  keys: KeyService
  origin: string
  record(tx: Tx, event: NewEvent): Promise<unknown>
}

/** Rows of one batch, rows that are opened at once. */
const ROWS_IN_BATCH = 4_096
const ROWS_AT_ONCE = 64
/** As many as an auditor's receipt, which opens all, holds of the longest names and numbers in its 60,000 characters. */
export const SOURCES_IN_BATCH = 59

/** What became an entry: its reads, and the links it is. */
export interface Flushed {
  reads: number
  links: number
  /** Of these reads, those whose sources nobody can tell. */
  lost: number
  /** Whether there was more than one batch takes. */
  more: boolean
}

/** Turns what one participant read since the last time into one log event; within the lock of its read head. */
export async function flushReads(
  tx: Tx,
  options: BatchOptions,
  by: { participant: Uuid; slug: string },
): Promise<Flushed> {
  const { clock, origin } = options
  const batch_no = (await journalStore.lockReadHead(tx, by.participant)) + 1n
  const { rows, n, leaves, parts, first, last, lost, more } = await gather(tx, options, by.participant)
  if (first === undefined || last === undefined) return { reads: 0, links: 0, lost: 0, more: false }
  const root = treeHash(sha256, leaves)
  const event_id = batchEvent(origin, by.participant, batch_no)
  const sources = [...parts].map(([party, sets]) => ({
    party,
    reader: by.slug,
    reads: sets.length,
    items: sets.reduce((sum, set) => sum + set.n, 0),
    root: toBase64Url(sourceRoot(sha256, sets)),
  }))
  await journalStore.insertReadBatch(tx, {
    participant_id: by.participant,
    batch_no,
    event_id,
    n,
    root: Buffer.from(root),
    rows,
  })
  const fields = { reader: by.slug, n, root: toBase64Url(root), from: first.toISOString(), to: last.toISOString() }
  await options.record(tx, {
    kind: 'read.batch',
    event_id,
    participant_id: by.participant,
    at: clock(),
    actor: by.slug,
    fields,
    sources,
  })
  return { reads: n, links: new Set([by.slug, ...parts.keys()]).size, lost, more }
}

/** What goes into one batch. */
interface Gathered {
  rows: { journal_id: Uuid; day: string; batch_at: number }[]
  n: number
  leaves: Uint8Array[]
  parts: Map<string, SourceSets>
  first?: Date
  last?: Date
  /** Reads whose month's key is lost. */
  lost: number
  /** Whether reads are left that did not fit. */
  more: boolean
}

/** Per source: which reads of the batch gave out something of it, with their set roots. */
type SourceSets = { read: number; n: number; root: Uint8Array }[]

/** As many rows as fit into one batch, opened few at a time; the first always does. */
async function gather(tx: Tx, options: BatchOptions, participant: Uuid): Promise<Gathered> {
  const batch: Gathered = { rows: [], n: 0, leaves: [], parts: new Map(), lost: 0, more: false }
  for (let after = FIRST; ; ) {
    const some = await journalStore.pendingRows(tx, participant, { after, limit: ROWS_AT_ONCE })
    const told = await partsOf(tx, options, { participant, rows: some })
    for (const [i, row] of some.entries()) {
      const parts = sourceParts(told[i], batch.n)
      if (batch.n > 0 && !fits(batch, row.n, parts)) return { ...batch, more: true }
      add(batch, row, parts)
      batch.lost += lostOf(row, told[i])
      after = row.journal_id
    }
    if (some.length < ROWS_AT_ONCE) return batch
  }
}

const lostOf = ({ n }: Pending, told: ReadParts | undefined): number => (told === undefined ? n : 0)

type Pending = Awaited<ReturnType<typeof journalStore.pendingRows>>[number]

/** Sealed under the month's first key: where the journal's row was sealed again, under a later one, it alone is read. */
const besides = ({ parts, epoch }: Pending): Buffer | null => (epoch === monthOf(epoch) ? parts : null)

/**
 * Of each row what its sources are given. What the release before wrote is read from the journal. Undefined where the month's
 * key is lost: then nobody can tell, the entry holds the commitments alone, and no reader waits for it.
 */
async function partsOf(
  tx: Tx,
  { keys }: BatchOptions,
  { participant, rows }: { participant: Uuid; rows: readonly Pending[] },
): Promise<(ReadParts | undefined)[]> {
  const without = rows.filter((row) => besides(row) === null)
  const kept = without.length === 0 ? [] : await journalStore.journalBodies(tx, participant, without)
  const bodies = new Map(kept.map((row) => [row.journal_id, keptUnlessLost(keys, row)]))
  return rows.map((row) => {
    const parts = besides(row)
    if (parts !== null) return partsUnlessLost(keys, { ...row, parts })
    if (!bodies.has(row.journal_id)) throw new Error(`the read ${row.journal_id} is not in the journal`)
    const reads = bodies.get(row.journal_id)
    return reads && partsIn(reads)
  })
}

/** Before every row. */
const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

function add(
  batch: Gathered,
  row: { journal_id: Uuid; day: string; at: Date; n: number; c: Buffer },
  parts: ReadonlyMap<string, SourceSets>,
): void {
  batch.rows.push({ journal_id: row.journal_id, day: row.day, batch_at: batch.n })
  batch.n += row.n
  batch.leaves.push(...commitmentsIn(row.c).map((c) => leafHash(sha256, c)))
  for (const [party, sets] of parts) {
    const known = batch.parts.get(party)
    if (known === undefined) batch.parts.set(party, sets)
    else known.push(...sets)
  }
  batch.first ??= row.at
  batch.last = row.at
}

function fits({ rows, n, parts }: Gathered, reads: number, further: ReadonlyMap<string, unknown>): boolean {
  if (rows.length === ROWS_IN_BATCH || n + reads > READS_IN_BATCH) return false
  return parts.size + [...further.keys()].filter((party) => !parts.has(party)).length <= SOURCES_IN_BATCH
}

/** What the reads of one row gave out by source; their places in the batch begin at `from`. */
function sourceParts(reads: ReadParts | undefined, from: number): Map<string, SourceSets> {
  const parts = new Map<string, SourceSets>()
  for (const [i, sources] of (reads ?? []).entries()) {
    for (const { party, n, root } of sources) {
      const own = parts.get(party) ?? []
      own.push({ read: from + i, n, root: fromBase64Url(root) ?? new Uint8Array(0) })
      parts.set(party, own)
    }
  }
  return parts
}

/** A second flush of the same batch names the same event, which the log takes once. */
const batchEvent = (origin: string, participant: Uuid, batch_no: bigint): Uuid =>
  derivedId(sha256(concat(utf8(`prov-batch/v1\n${origin}\n${participant}\n`), u64(batch_no))))
