import type { Db } from '../../src/db/connect.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { decodeBatch } from '../../src/provenance/batch.ts'
import { parseCheckpoint } from '../../src/provenance/checkpoint.ts'
import { parseNote } from '../../src/provenance/note.ts'
import { aHistory, type Found, faultsOf, type Head, type History, readFound } from '../faults/history.ts'

type Leaf = Found['leaves'][number]

/** One log of the database. */
export interface Tree {
  leaves: readonly Leaf[]
  /** Where it was closed. */
  end: number | undefined
  heads: readonly Head[]
}

export async function readTree(db: Db, log_id: number): Promise<Tree> {
  const batches = await db
    .selectFrom('log_batch')
    .select(['first_idx', 'n', 'data'])
    .where('log_id', '=', log_id)
    .orderBy('first_idx')
    .execute()
  const leaves: Leaf[] = []
  for (const { first_idx, n, data } of batches) {
    if (first_idx !== BigInt(leaves.length)) throw new Error(`log ${log_id} is not dense at ${leaves.length}`)
    leaves.push(...decodeBatch(data, n).map(({ event_id, c, entry }) => ({ event: event_id, c: toHex(c), entry })))
  }
  const head = db.selectFrom('log_head').select(['size', 'closed_size']).where('log_id', '=', log_id)
  const { size, closed_size } = await head.executeTakeFirstOrThrow()
  if (size !== BigInt(leaves.length)) throw new Error(`log ${log_id} of ${size} has ${leaves.length} entries`)
  const notes = await db.selectFrom('log_checkpoint').select('note').where('log_id', '=', log_id).execute()
  const heads = notes.map(({ note }) => {
    const checkpoint = parseCheckpoint(parseNote(note)?.text ?? '')
    if (checkpoint === undefined) throw new Error('a stored checkpoint is malformed')
    return checkpoint
  })
  return { leaves, end: closed_size === null ? undefined : Number(closed_size), heads }
}

/** Sizes of which more than one root was signed, in any of these. */
export function secondRoots(heads: readonly Head[]): bigint[] {
  const roots = new Map<bigint, Set<string>>()
  for (const { size, root } of heads) roots.set(size, (roots.get(size) ?? new Set()).add(toHex(root)))
  return [...roots].filter(([, of]) => of.size > 1).map(([size]) => size)
}

/** Sizes of the heads that are of no prefix of the entries. */
export function forks(heads: readonly Head[], leaves: readonly Leaf[]): string[] {
  const found = { revisions: [], submissions: [], records: [], leaves, waiting: [], checkpoints: heads, feed: [] }
  return faultsOf(aHistory(), found).flatMap(({ code, at }) => (code === 'fork' ? [at] : []))
}

/** What contradicts the promises in a database whose first log was closed and whose second goes on; feeds by their rows. */
export async function faultsAcross(db: Db, history: History): Promise<string[]> {
  const [first, second] = [await readTree(db, 1), await readTree(db, 2)]
  const leaves = [...first.leaves.slice(0, first.end), ...second.leaves]
  const rows = await db
    .selectFrom('feed_entry')
    .select(['seq', 'signal_id', 'revision', 'submission_id'])
    .orderBy('seq')
    .execute()
  const feed = rows.map(({ seq, signal_id, revision, submission_id }) => ({
    ...{ seq, signal: signal_id, revision, event: submission_id },
  }))
  const found = { ...(await readFound(db, 'apple')), leaves, checkpoints: [], feed }
  const unsigned = second.leaves.length - Math.max(0, ...second.heads.map(({ size }) => Number(size)))
  return [
    ...faultsOf({ ...history, heads: [] }, found).map(({ code, at }) => `${code} ${at}`),
    ...(unsigned > 0 ? [`unsigned ${unsigned}`] : []),
    ...forks(second.heads, second.leaves).map((size) => `fork ${size}`),
  ]
}
