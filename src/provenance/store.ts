import { sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { placeOf } from './origin.ts'

// A log as it is integrated and read: head, batches, chains, tiles.

export interface LogHead {
  origin: string
  size: bigint
  root: Buffer
  edges: Buffer
  closed_size: bigint | null
}

/** The head, locked against other integrators and who closes the log; undefined when one of them has it. */
export async function lockHead(tx: Tx, logId: number): Promise<LogHead | undefined> {
  return tx
    .selectFrom('log_head')
    .select(['origin', 'size', 'root', 'edges', 'closed_size'])
    .where('log_id', '=', logId)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst()
}

export const head = (db: Db | Tx, logId: number): Promise<LogHead | undefined> =>
  db
    .selectFrom('log_head')
    .select(['origin', 'size', 'root', 'edges', 'closed_size'])
    .where('log_id', '=', logId)
    .executeTakeFirst()

/** Every log of the node, the present one last. */
export const logs = (db: Db) =>
  db.selectFrom('log_head').select(['log_id', 'origin', 'closed_size']).orderBy('log_id').execute()

export async function chainHeads(tx: Tx, logId: number, parties: readonly string[]) {
  return tx
    .selectFrom('log_chain')
    .select(['party', 'seq', 'link'])
    .where('log_id', '=', logId)
    .where(sql<boolean>`party = any(${parties}::text[])`)
    .execute()
}

/** What the entries of one batch are made into. */
export interface NewEntries {
  log_id: number
  first_idx: bigint
  n: number
  data: Uint8Array
  chains: readonly { party: string; seq: bigint; link: Uint8Array; first_seq: bigint; n: number; segment: Uint8Array }[]
}

/** The tree that they make: what became full of it, and the new head. */
export interface NewTree {
  log_id: number
  tiles: readonly { level: number; n: bigint; data: Uint8Array }[]
  size: bigint
  root: Uint8Array
  edges: Uint8Array
}

/** The places of events, a `uuidArray`, from `first_idx` on. */
export async function insertEvents(
  tx: Tx,
  { log_id, first_idx, ids }: { log_id: number; first_idx: bigint; ids: Buffer },
): Promise<void> {
  await sql`
    insert into log_event (log_id, event_id, idx)
    select ${log_id}::int, e.id, ${first_idx}::bigint + e.place - 1
    from unnest(${ids}::uuid[]) with ordinality as e(id, place)`.execute(tx)
}

/** One statement after the other on one connection, which none of them waits for. */
export async function insertEntries(tx: Tx, { chains, data, ...batch }: NewEntries): Promise<void> {
  await Promise.all([
    tx
      .insertInto('log_batch')
      .values({ ...batch, data: asBuffer(data) })
      .execute(),
    chains.length > 0 && insertChains(tx, batch.log_id, chains),
  ])
}

/** The same of the tree, which is what the log is from then on. */
export async function insertTree(tx: Tx, { log_id, tiles, size, root, edges }: NewTree): Promise<void> {
  await Promise.all([
    tiles.length > 0 && insertTiles(tx, log_id, tiles),
    tx
      .updateTable('log_head')
      .set({ size, root: Buffer.from(root), edges: Buffer.from(edges) })
      .where('log_id', '=', log_id)
      .execute(),
  ])
}

const insertTiles = (tx: Tx, log_id: number, tiles: NewTree['tiles']) =>
  tx
    .insertInto('log_tile')
    .values(tiles.map(({ level, n, data }) => ({ log_id, level, n, data: asBuffer(data) })))
    .execute()

const insertChains = (tx: Tx, log_id: number, chains: NewEntries['chains']) =>
  Promise.all([
    tx
      .insertInto('log_chain_seg')
      .values(
        chains.map(({ party, first_seq, n, segment }) => ({ log_id, party, first_seq, n, data: asBuffer(segment) })),
      )
      .execute(),
    tx
      .insertInto('log_chain')
      .values(chains.map(({ party, seq, link }) => ({ log_id, party, seq, link: Buffer.from(link) })))
      .onConflict((oc) =>
        oc
          .columns(['log_id', 'party'])
          .doUpdateSet((eb) => ({ seq: eb.ref('excluded.seq'), link: eb.ref('excluded.link') })),
      )
      .execute(),
  ])

/** The same bytes, not a copy. */
const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length)

export async function moveFence(tx: Tx, logId: number, size: bigint, root: Uint8Array): Promise<void> {
  await tx
    .updateTable('log_fence')
    .set({ size, root: Buffer.from(root) })
    .where('log_id', '=', logId)
    .where('size', '<=', size)
    .execute()
}

/** Up to where the log's entries may be carried on: the fence, and not beyond the end of a closed log. */
export async function carriable(db: Db, logId: number): Promise<bigint> {
  const row = await db
    .selectFrom('log_fence as f')
    .innerJoin('log_head as h', 'h.log_id', 'f.log_id')
    .select(['f.size', 'h.closed_size'])
    .where('f.log_id', '=', logId)
    .executeTakeFirst()
  if (row === undefined) return 0n
  return row.closed_size === null || row.size < row.closed_size ? row.size : row.closed_size
}

/** Batches from `from` (a batch's first index) up to `to`, in order. */
export const batches = (db: Db | Tx, logId: number, range: { from: bigint; to: bigint; limit: number }) =>
  db
    .selectFrom('log_batch')
    .select(['first_idx', 'n', 'data'])
    .where('log_id', '=', logId)
    .where('first_idx', '>=', range.from)
    .where('first_idx', '<', range.to)
    .orderBy('first_idx')
    .limit(range.limit)
    .execute()

/** The batch that holds the entry at `idx`. */
export const batchAt = (db: Db | Tx, logId: number, idx: bigint) =>
  db
    .selectFrom('log_batch')
    .select(['first_idx', 'n', 'data'])
    .where('log_id', '=', logId)
    .where('first_idx', '<=', idx)
    .orderBy('first_idx', 'desc')
    .limit(1)
    .executeTakeFirst()

export const tile = (db: Db, logId: number, level: number, n: bigint) =>
  db
    .selectFrom('log_tile')
    .select('data')
    .where('log_id', '=', logId)
    .where('level', '=', level)
    .where('n', '=', n)
    .executeTakeFirst()

/** Several full tiles, of any level. */
export async function tiles(db: Db, logId: number, wanted: readonly { level: number; n: bigint }[]) {
  const levels = [...Map.groupBy(wanted, ({ level }) => level)]
  const found = await Promise.all(
    levels.map(([level, own]) =>
      db
        .selectFrom('log_tile')
        .select(['level', 'n', 'data'])
        .where('log_id', '=', logId)
        .where('level', '=', level)
        .where(sql<boolean>`n = any(${plainArray(own.map(({ n }) => n))}::bigint[])`)
        .execute(),
    ),
  )
  return found.flat()
}

/** Undefined also beyond the end of a log that was closed: then it is in the next one. */
export const eventIndex = (db: Db, logId: number, event_id: Uuid) =>
  db
    .selectFrom('log_event as e')
    .innerJoin('log_head as h', 'h.log_id', 'e.log_id')
    .select('e.idx')
    .where('e.log_id', '=', logId)
    .where('e.event_id', '=', event_id)
    .where(sql<boolean>`(h.closed_size is null or e.idx < h.closed_size)`)
    .executeTakeFirst()

/** Where an event stands in the order over this log and those before it; undefined where none of them has it. */
export async function eventPlace(db: Db, logId: number, event_id: Uuid): Promise<bigint | undefined> {
  for (let log = logId; log > 0; log--) {
    const found = await eventIndex(db, log, event_id)
    if (found !== undefined) return placeOf(log, found.idx)
  }
  return undefined
}

/** Runs of a party's links from the one that may hold the link after `after` on. */
export const chainSegments = (db: Db, of: { logId: number; party: string; after: bigint; limit: number }) =>
  db
    .selectFrom('log_chain_seg')
    .select(['first_seq', 'n', 'data'])
    .where('log_id', '=', of.logId)
    .where('party', '=', of.party)
    .where((eb) =>
      eb(
        'first_seq',
        '>=',
        sql<bigint>`coalesce((select max(s.first_seq) from log_chain_seg s where s.log_id = ${of.logId}
          and s.party = ${of.party} and s.first_seq <= ${of.after + 1n}::bigint), 0)`,
      ),
    )
    .orderBy('first_seq')
    .limit(of.limit)
    .execute()

export const projected = (tx: Db | Tx, logId: number) =>
  tx
    .selectFrom('projector')
    .select('next_idx')
    .where('log_id', '=', logId)
    .where('name', '=', 'feeds')
    .executeTakeFirst()
