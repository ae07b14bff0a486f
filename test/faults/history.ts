import { sql } from 'kysely'
import type { Db } from '../../src/db/connect.ts'
import { equal, toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { decodeBatch } from '../../src/provenance/batch.ts'
import { parseCheckpoint } from '../../src/provenance/checkpoint.ts'
import { leafHash, treeHash } from '../../src/provenance/merkle.ts'
import { parseNote } from '../../src/provenance/note.ts'

/** One revision or withdrawal of one signal. */
export interface Step {
  signal: string
  revision: number
}

export interface Head {
  size: bigint
  root: Uint8Array
}

/** What the clients remember, each in the order in which it happened. */
export interface History {
  /** The exact text of every item that was to be stored. */
  sent: (Step & { item: string })[]
  /** What the node said is durable, which is said again when it is asked again. */
  acknowledged: Step[]
  /** Submissions that the node gave a receipt for. */
  submissions: string[]
  /** Signed heads of the log. */
  heads: Head[]
}

export const aHistory = (): History => ({ sent: [], acknowledged: [], submissions: [], heads: [] })

/** What is there once nothing moves any more. */
export interface Found {
  revisions: readonly (Step & { submission: string; item: string })[]
  submissions: readonly string[]
  /** Event ids with their commitments. */
  records: readonly { event: string; c: string }[]
  /** Entries of the log in its order. */
  leaves: readonly { event: string; c: string; entry: Uint8Array }[]
  /** Records that still wait for their place in the log. */
  waiting: readonly string[]
  /** Heads that the node signed. */
  checkpoints: readonly Head[]
  /** What a recipient received, in its order. */
  feed: readonly (Step & { seq: bigint; event: string })[]
}

export type Code =
  | 'acknowledged-lost'
  | 'not-durable'
  | 'stored-twice'
  | 'stored-otherwise'
  | 'receipt-lost'
  | 'no-submission'
  | 'no-record'
  | 'no-leaf'
  | 'two-leaves'
  | 'leaf-without-record'
  | 'waiting'
  | 'feed-gap'
  | 'feed-lost'
  | 'feed-twice'
  | 'feed-order'
  | 'fork'

export interface Fault {
  code: Code
  at: string
}

/** Everything that contradicts the promises; empty if they were kept. Pure. */
export function faultsOf(history: History, found: Found): Fault[] {
  return [...storedFaults(history, found), ...logFaults(history, found), ...feedFaults(history, found)]
}

const named = ({ signal, revision }: Step): string => `${signal} ${revision}`
const each = (code: Code, at: Iterable<string>): Fault[] => [...at].map((one) => ({ code, at: one }))

function countsOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

const missing = (wanted: Iterable<string>, there: { has(name: string): boolean }): string[] =>
  [...new Set(wanted)].filter((name) => !there.has(name))
const repeated = (counts: ReadonlyMap<string, number>): string[] =>
  [...counts].filter(([, n]) => n > 1).map(([name]) => name)

function storedFaults({ sent, acknowledged, submissions }: History, found: Found): Fault[] {
  const stored = countsOf(found.revisions.map(named))
  const items = new Map(sent.map((step) => [named(step), step.item]))
  const known = new Set(found.submissions)
  return [
    ...each('acknowledged-lost', missing(acknowledged.map(named), stored)),
    ...each('not-durable', missing(items.keys(), stored)),
    ...each('stored-twice', repeated(stored)),
    ...each('stored-otherwise', found.revisions.filter((step) => items.get(named(step)) !== step.item).map(named)),
    ...each('receipt-lost', missing(submissions, known)),
    ...each(
      'no-submission',
      missing(
        found.revisions.map(({ submission }) => submission),
        known,
      ),
    ),
  ]
}

function logFaults({ heads }: History, { submissions, records, leaves, waiting, checkpoints }: Found): Fault[] {
  const commitments = new Map(records.map(({ event, c }) => [event, c]))
  const indexed = countsOf(leaves.map(({ event }) => event))
  const hashes = leaves.map(({ entry }) => leafHash(sha256, entry))
  const isPrefix = ({ size, root }: Head): boolean =>
    size <= BigInt(hashes.length) && equal(treeHash(sha256, hashes.slice(0, Number(size))), root)
  return [
    ...each('no-record', missing(submissions, commitments)),
    ...each('no-leaf', missing(commitments.keys(), indexed)),
    ...each('two-leaves', repeated(indexed)),
    ...each(
      'leaf-without-record',
      leaves.filter(({ event, c }) => commitments.get(event) !== c).map(({ event }) => event),
    ),
    ...each('waiting', waiting),
    ...each(
      'fork',
      [...heads, ...checkpoints].filter((head) => !isPrefix(head)).map(({ size }) => `${size}`),
    ),
  ]
}

function feedFaults({ sent }: History, { feed, leaves, revisions }: Found): Fault[] {
  const given = countsOf(feed.map(named))
  const gaps = feed.filter(({ seq }, i) => seq !== BigInt(i + 1)).map(({ seq }) => `${seq}`)
  const place = new Map(leaves.map(({ event }, i) => [event, i]))
  const behind = (a: { event: string } | undefined, b: { event: string }): boolean =>
    a !== undefined && (place.get(a.event) ?? -1) > (place.get(b.event) ?? -1)
  // Whoever sent in one order is read in that order, and whoever is read is read in the log's.
  const order = new Map(sent.map((step, i) => [named(step), i]))
  const sentLater = (a: Step | undefined, b: Step): boolean =>
    a !== undefined && (order.get(named(a)) ?? -1) > (order.get(named(b)) ?? -1)
  return [
    ...each('feed-gap', gaps.slice(0, 1)),
    ...each('feed-lost', missing(revisions.map(named), given)),
    ...each('feed-twice', repeated(given)),
    ...each('feed-order', feed.filter((one, i) => behind(feed[i - 1], one) || sentLater(feed[i - 1], one)).map(named)),
  ]
}

/** Reads the log and what is there of one source, if one is named, through a superuser's eyes. */
export async function readFound(db: Db, slug?: string): Promise<Omit<Found, 'feed'>> {
  const own = slug === undefined ? { revisions: [], submissions: [] } : await readSource(db, slug)
  const records = await db.selectFrom('prov_record').select(['event_id', 'c']).execute()
  const waiting = await db.selectFrom('prov_outbox').select('event_id').execute()
  const batches = await db.selectFrom('log_batch').select(['first_idx', 'n', 'data']).orderBy('first_idx').execute()
  const notes = await db.selectFrom('log_checkpoint').select('note').orderBy('size').execute()
  return {
    ...own,
    records: records.map(({ event_id, c }) => ({ event: event_id, c: toHex(c) })),
    waiting: waiting.map(({ event_id }) => event_id),
    leaves: batches.flatMap(({ n, data }) =>
      decodeBatch(data, n).map(({ event_id, c, entry }) => ({ event: event_id, c: toHex(c), entry })),
    ),
    checkpoints: notes.map(({ note }) => {
      const checkpoint = parseCheckpoint(parseNote(note)?.text ?? '')
      if (checkpoint === undefined) throw new Error('a stored checkpoint is malformed')
      return checkpoint
    }),
  }
}

async function readSource(db: Db, slug: string): Promise<Pick<Found, 'revisions' | 'submissions'>> {
  const participants = db.selectFrom('participant').select('participant_id').where('slug', '=', slug)
  const { participant_id } = await participants.executeTakeFirstOrThrow()
  const revisions = await db
    .selectFrom('signal_revision')
    .select(['signal_id as signal', 'revision', 'submission_id as submission', 'item'])
    .where('participant_id', '=', participant_id)
    .execute()
  const submissions = db.selectFrom('submission').select('submission_id').where('participant_id', '=', participant_id)
  return { revisions, submissions: (await submissions.execute()).map(({ submission_id }) => submission_id) }
}

/** What still moves: empty once everything committed has its place in the log, in feeds and under a signature. */
export async function movingIn(db: Db): Promise<string[]> {
  const { rows } = await sql<{ what: string; n: bigint }>`
    select 'outbox' as what, count(*) as n from prov_outbox
    union all select 'reads', count(*) from read_pending
    union all select 'fence', h.size - f.size from log_head h, log_fence f
    union all select 'signature', h.size - s.size from log_head h, log_signed s
    union all select 'feeds', h.size - coalesce((select next_idx from projector where name = 'feeds'), 0) from log_head h`.execute(
    db,
  )
  return rows.filter(({ n }) => n !== 0n).map(({ what, n }) => `${what} ${n}`)
}
