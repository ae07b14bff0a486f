import { sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export interface RecordRow {
  participant_id: Uuid
  event_id: Uuid
  log_id: number
  kind: string
  at: Date
  payload: string
  c: Buffer
  body: Buffer
  epoch: number
  parties: string
  after: Uuid | null
}

/** Record and outbox row in one statement; the transaction of the change is the caller's. */
export async function insertRecords(tx: Tx, rows: readonly RecordRow[]): Promise<void> {
  for (const [participant_id, own] of Map.groupBy(rows, (row) => row.participant_id)) {
    await insertOwnRecords(tx, participant_id, own)
  }
}

async function insertOwnRecords(tx: Tx, participant_id: Uuid, rows: readonly RecordRow[]): Promise<void> {
  const column = <K extends keyof RecordRow>(key: K): RecordRow[K][] => rows.map((row) => row[key])
  await sql`
    with r as (
      select * from unnest(
        ${column('event_id')}::uuid[], ${column('log_id')}::int[],
        ${column('kind')}::text[], ${column('at')}::timestamptz[], ${column('payload')}::text[],
        ${column('c')}::bytea[], ${column('body')}::bytea[], ${column('epoch')}::int[],
        ${column('parties')}::text[], ${column('after')}::uuid[]
      ) as r(event_id, log_id, kind, at, payload, c, body, epoch, parties, after)
    ), records as (
      insert into prov_record (participant_id, event_id, log_id, kind, at, payload, c, body, epoch)
      select ${participant_id}::uuid, event_id, log_id, kind, at, payload, c, body, epoch from r
    )
    insert into prov_outbox (event_id, participant_id, log_id, at, c, parties, after)
    select event_id, ${participant_id}::uuid, log_id, at, c, parties, after from r`.execute(tx)
}

// ---- the integrator's

export interface OutboxRow {
  event_id: Uuid
  participant_id: Uuid
  /** The log that it was recorded under. */
  log_id: number
  at: Date
  c: Buffer
  parties: string
  after: Uuid | null
}

export interface LogHead {
  origin: string
  size: bigint
  root: Buffer
  edges: Buffer
  closed_size: bigint | null
}

/** The head, locked; undefined when another integrator has it. */
export async function lockHead(tx: Tx, logId: number): Promise<LogHead | undefined> {
  return tx
    .selectFrom('log_head')
    .select(['origin', 'size', 'root', 'edges', 'closed_size'])
    .where('log_id', '=', logId)
    .forUpdate()
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

/** Also what was recorded under a log that is closed now; only what belongs to this one alone while it is empty. */
export const outbox = (tx: Tx, logId: number, { limit, own }: { limit: number; own: boolean }): Promise<OutboxRow[]> =>
  tx
    .selectFrom('prov_outbox')
    .select(['event_id', 'participant_id', 'log_id', 'at', 'c', 'parties', 'after'])
    .where('log_id', own ? '=' : '<=', logId)
    .orderBy('event_id')
    .limit(limit)
    .execute()

/** Changes that have no index yet. */
export async function waiting(db: Db, logId: number): Promise<number> {
  const { n } = await db
    .selectFrom('prov_outbox')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('log_id', '<=', logId)
    .executeTakeFirstOrThrow()
  return Number(n)
}

/** Which of the events are in the log already, or in one before it: not beyond the end of a log that was closed. */
export async function knownEvents(tx: Tx, logId: number, ids: readonly Uuid[]): Promise<Set<Uuid>> {
  if (ids.length === 0) return new Set()
  const rows = await tx
    .selectFrom('log_event as e')
    .innerJoin('log_head as h', 'h.log_id', 'e.log_id')
    .select('e.event_id')
    .where('e.log_id', '<=', logId)
    .where(sql<boolean>`e.event_id = any(${plainArray(ids)}::uuid[])`)
    .where(sql<boolean>`(h.closed_size is null or e.idx < h.closed_size)`)
    .execute()
  return new Set(rows.map((row) => row.event_id))
}

export async function chainHeads(tx: Tx, logId: number, parties: readonly string[]) {
  return tx
    .selectFrom('log_chain')
    .select(['party', 'seq', 'link'])
    .where('log_id', '=', logId)
    .where(sql<boolean>`party = any(${parties}::text[])`)
    .execute()
}

export interface Integrated {
  log_id: number
  first_idx: bigint
  n: number
  data: Uint8Array
  tiles: readonly { level: number; n: bigint; data: Uint8Array }[]
  chains: readonly { party: string; seq: bigint; link: Uint8Array; first_seq: bigint; n: number; segment: Uint8Array }[]
  head: { size: bigint; root: Uint8Array; edges: Uint8Array }
}

/** The places of events, from `first_idx` on. */
export async function insertEvents(
  tx: Tx,
  { log_id, first_idx, ids }: { log_id: number; first_idx: bigint; ids: readonly Uuid[] },
): Promise<void> {
  await sql`
    insert into log_event (log_id, event_id, idx)
    select ${log_id}::int, e.id, ${first_idx}::bigint + e.place - 1
    from unnest(${plainArray(ids)}::uuid[]) with ordinality as e(id, place)`.execute(tx)
}

/** Writes what one integrated batch makes of its events: the batch, chain segments, full tiles, chains, head. */
export async function insertBatch(tx: Tx, batch: Integrated): Promise<void> {
  const { log_id, first_idx, n, chains, tiles, head } = batch
  await tx
    .insertInto('log_batch')
    .values({ log_id, first_idx, n, data: Buffer.from(batch.data) })
    .execute()
  if (tiles.length > 0) {
    await tx
      .insertInto('log_tile')
      .values(tiles.map(({ level, n, data }) => ({ log_id, level, n, data: Buffer.from(data) })))
      .execute()
  }
  if (chains.length > 0) {
    await tx
      .insertInto('log_chain_seg')
      .values(
        chains.map(({ party, first_seq, n, segment }) => ({ log_id, party, first_seq, n, data: Buffer.from(segment) })),
      )
      .execute()
    await tx
      .insertInto('log_chain')
      .values(chains.map(({ party, seq, link }) => ({ log_id, party, seq, link: Buffer.from(link) })))
      .onConflict((oc) =>
        oc
          .columns(['log_id', 'party'])
          .doUpdateSet((eb) => ({ seq: eb.ref('excluded.seq'), link: eb.ref('excluded.link') })),
      )
      .execute()
  }
  await tx
    .updateTable('log_head')
    .set({ size: head.size, root: Buffer.from(head.root), edges: Buffer.from(head.edges) })
    .where('log_id', '=', log_id)
    .execute()
}

/**
 * Clears only what has its place: in a log that was closed meanwhile, or in a database that is an older one now, it has none.
 * Under the very head that gave the places all have them; under another each is looked up.
 */
export async function clearOutbox(
  tx: Tx,
  logId: number,
  { ids, size, root }: { ids: readonly Uuid[]; size: bigint; root: Uint8Array },
): Promise<void> {
  // Whoever closes the log comes before or after.
  const head = await tx
    .selectFrom('log_head')
    .select(['size', 'root', 'closed_size'])
    .where('log_id', '=', logId)
    .forUpdate()
    .executeTakeFirst()
  const same = head !== undefined && head.closed_size === null && head.size === size && head.root.equals(root)
  const placed = same ? ids : [...(await knownEvents(tx, logId, ids))]
  await sql`delete from prov_outbox where event_id = any(${plainArray(placed)}::uuid[]) and log_id <= ${logId}`.execute(
    tx,
  )
}

export async function moveFence(tx: Tx, logId: number, size: bigint, root: Uint8Array): Promise<void> {
  await tx
    .updateTable('log_fence')
    .set({ size, root: Buffer.from(root) })
    .where('log_id', '=', logId)
    .where('size', '<=', size)
    .execute()
}

/** Opens a log of size 0; done once by `aldis init`. */
export async function openLog(
  tx: Tx,
  log: { log_id: number; origin: string; root: Uint8Array; edges: Uint8Array; range: Uint8Array; at: Date },
): Promise<void> {
  const { log_id, origin, at } = log
  const root = Buffer.from(log.root)
  await tx
    .insertInto('log_head')
    .values({ log_id, origin, size: 0n, root, edges: Buffer.from(log.edges) })
    .execute()
  await tx.insertInto('log_fence').values({ log_id, size: 0n, root }).execute()
  await tx
    .insertInto('log_signed')
    .values({ log_id, size: 0n, root, range: Buffer.from(log.range), at })
    .execute()
}

// ---- the signer's and the readers'

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

export const fence = (db: Db | Tx, logId: number) =>
  db.selectFrom('log_fence').select(['size', 'root']).where('log_id', '=', logId).executeTakeFirst()

export const lockSigned = (tx: Tx, logId: number) =>
  tx
    .selectFrom('log_signed')
    .select(['size', 'root', 'range', 'at'])
    .where('log_id', '=', logId)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()

export const signed = (db: Db | Tx, logId: number) =>
  db.selectFrom('log_signed').select(['size', 'root']).where('log_id', '=', logId).executeTakeFirst()

/** Ends a log at its newest signed size, once; answers where it ends. */
export async function closeLog(tx: Tx, logId: number): Promise<bigint | undefined> {
  // A signer that is about to write a checkpoint comes first, or finds the log closed.
  const signed = await tx
    .selectFrom('log_signed')
    .select('size')
    .where('log_id', '=', logId)
    .forUpdate()
    .executeTakeFirst()
  if (signed === undefined) return undefined
  await tx
    .updateTable('log_head')
    .set({ closed_size: signed.size })
    .where('log_id', '=', logId)
    .where('closed_size', 'is', null)
    .execute()
  const head = await tx.selectFrom('log_head').select('closed_size').where('log_id', '=', logId).executeTakeFirst()
  return head?.closed_size ?? undefined
}

/** Entries that a closed log ends before wait for the next one, in the time of their records. */
export async function waitAgain(
  tx: Tx,
  logId: number,
  entries: readonly { event_id: Uuid; participant_id: Uuid; c: Uint8Array; parties: string }[],
): Promise<void> {
  for (const [participant_id, own] of Map.groupBy(entries, (entry) => entry.participant_id)) {
    await sql`
      insert into prov_outbox (event_id, participant_id, log_id, at, c, parties, after)
      select r.event_id, r.participant_id, ${logId}::int, r.at, r.c, e.parties, null
      from unnest(${own.map(({ event_id }) => event_id)}::uuid[], ${own.map(({ parties }) => parties)}::text[])
        as e(event_id, parties)
      join prov_record r on r.participant_id = ${participant_id}::uuid and r.event_id = e.event_id
      on conflict do nothing`.execute(tx)
  }
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

export async function insertCheckpoint(
  tx: Tx,
  checkpoint: { log_id: number; size: bigint; root: Uint8Array; range: Uint8Array; at: Date; note: string },
): Promise<void> {
  const { log_id, size, at, note } = checkpoint
  await tx.insertInto('log_checkpoint').values({ log_id, size, at, note }).execute()
  await tx
    .updateTable('log_signed')
    .set({ size, root: Buffer.from(checkpoint.root), range: Buffer.from(checkpoint.range), at })
    .where('log_id', '=', log_id)
    .execute()
}

/** A checkpoint of exactly that size. */
export const checkpointOf = (tx: Tx, logId: number, size: bigint) =>
  tx
    .selectFrom('log_checkpoint')
    .select('note')
    .where('log_id', '=', logId)
    .where('size', '=', size)
    .limit(1)
    .executeTakeFirst()

export const latestCheckpoint = (db: Db, logId: number) =>
  db
    .selectFrom('log_checkpoint')
    .select(['size', 'at', 'note'])
    .where('log_id', '=', logId)
    .orderBy('size', 'desc')
    .orderBy('at', 'desc')
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

export const recordOf = (db: Db, participant_id: Uuid, event_id: Uuid) =>
  db
    .selectFrom('prov_record')
    .select(['kind', 'at', 'payload', 'c', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where('event_id', '=', event_id)
    .executeTakeFirst()

/** Records by event id, asked for one participant at a time: each lives in its own shard. */
export async function recordsOf(
  db: Db,
  events: readonly { event_id: Uuid; participant_id: Uuid }[],
): Promise<Map<Uuid, { payload: string; c: Buffer; body: Buffer; epoch: number }>> {
  const records = new Map<Uuid, { payload: string; c: Buffer; body: Buffer; epoch: number }>()
  for (const [participant_id, own] of Map.groupBy(events, (event) => event.participant_id)) {
    const rows = await db
      .selectFrom('prov_record')
      .select(['event_id', 'payload', 'c', 'body', 'epoch'])
      .where('participant_id', '=', participant_id)
      .where(sql<boolean>`event_id = any(${own.map(({ event_id }) => event_id)}::uuid[])`)
      .execute()
    for (const { event_id, ...record } of rows) records.set(event_id, record)
  }
  return records
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

// ---- the read journal's

export interface JournalRow {
  participant_id: Uuid
  day: string
  journal_id: Uuid
  at: Date
  n: number
  c: Buffer
  body: Buffer
  epoch: number
}

/** The journal row and its place in the queue of the next batch, in one statement. */
export async function insertJournal(tx: Tx, row: JournalRow): Promise<void> {
  await sql`
    with j as (
      insert into read_journal (participant_id, day, journal_id, at, n, c, body, epoch)
      values (${row.participant_id}, ${row.day}, ${row.journal_id}, ${row.at}, ${row.n}, ${row.c}, ${row.body}, ${row.epoch})
    )
    insert into read_pending (participant_id, journal_id, day)
    values (${row.participant_id}, ${row.journal_id}, ${row.day})`.execute(tx)
}

/** Participants with unflushed reads. */
export const participantsPending = (db: Db) =>
  db.selectFrom('read_pending').select('participant_id').distinct().execute()

/** The participant's batch counter, locked and made if absent. */
export async function lockReadHead(tx: Tx, participant_id: Uuid): Promise<bigint> {
  await tx
    .insertInto('read_head')
    .values({ participant_id, batch_no: 0n })
    .onConflict((oc) => oc.doNothing())
    .execute()
  const row = await tx
    .selectFrom('read_head')
    .select('batch_no')
    .where('participant_id', '=', participant_id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  return row.batch_no
}

export const pendingRows = (tx: Tx, participant_id: Uuid, { after, limit }: { after: Uuid; limit: number }) =>
  tx
    .selectFrom('read_pending as p')
    .innerJoin('read_journal as j', (join) =>
      join
        .onRef('j.participant_id', '=', 'p.participant_id')
        .onRef('j.day', '=', 'p.day')
        .onRef('j.journal_id', '=', 'p.journal_id'),
    )
    .select(['j.journal_id', 'j.day', 'j.at', 'j.n', 'j.c', 'j.body', 'j.epoch'])
    .where('p.participant_id', '=', participant_id)
    .where('p.journal_id', '>', after)
    .orderBy('p.journal_id')
    .limit(limit)
    .execute()

export interface Flushed {
  participant_id: Uuid
  batch_no: bigint
  event_id: Uuid
  n: number
  root: Buffer
  rows: readonly { journal_id: Uuid; day: string; batch_at: number }[]
}

export async function insertReadBatch(tx: Tx, flushed: Flushed): Promise<void> {
  const { participant_id, batch_no, event_id, n, root, rows } = flushed
  const ids = rows.map((row) => row.journal_id)
  await tx.insertInto('read_batch').values({ participant_id, batch_no, event_id, n, root }).execute()
  await sql`
    update read_journal j set batch_no = ${batch_no}, batch_at = f.batch_at
    from unnest(${ids}::uuid[], ${rows.map((row) => row.day)}::date[], ${rows.map((row) => row.batch_at)}::int[])
      as f(journal_id, day, batch_at)
    where j.participant_id = ${participant_id} and j.day = f.day and j.journal_id = f.journal_id`.execute(tx)
  await sql`delete from read_pending where participant_id = ${participant_id} and journal_id = any(${ids}::uuid[])`.execute(
    tx,
  )
  await tx.updateTable('read_head').set({ batch_no }).where('participant_id', '=', participant_id).execute()
}

/** One journal row of a participant, by its id. */
export const journalRow = (db: Db, participant_id: Uuid, journal_id: Uuid) =>
  db
    .selectFrom('read_journal')
    .select(['day', 'journal_id', 'at', 'n', 'c', 'body', 'epoch', 'batch_no', 'batch_at'])
    .where('participant_id', '=', participant_id)
    .where('journal_id', '=', journal_id)
    .executeTakeFirst()

export const readBatch = (db: Db, participant_id: Uuid, batch_no: bigint) =>
  db
    .selectFrom('read_batch')
    .select(['event_id', 'n', 'root'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '=', batch_no)
    .executeTakeFirst()

/** The commitments of a whole read batch, in its order. */
export const batchCommitments = (db: Db, participant_id: Uuid, batch_no: bigint) =>
  db
    .selectFrom('read_journal')
    .select(['c', 'batch_at', 'journal_id'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '=', batch_no)
    .orderBy('batch_at')
    .execute()

/** Batches whose first row was journaled between two ids of one day. */
export async function batchesBeginning(
  db: Db,
  participant_id: Uuid,
  { day, least, next }: { day: string; least: Uuid; next: Uuid },
): Promise<bigint[]> {
  const rows = await db
    .selectFrom('read_journal')
    .select('batch_no')
    .where('participant_id', '=', participant_id)
    .where('day', '=', day)
    .where('journal_id', '>=', least)
    .where('journal_id', '<', next)
    .where('batch_at', '=', 0)
    .execute()
  return rows.flatMap(({ batch_no }) => (batch_no === null ? [] : [batch_no]))
}

/** Where each row of a batch stands, in its order. */
export const batchRows = (db: Db, participant_id: Uuid, batch_no: bigint) =>
  db
    .selectFrom('read_journal')
    .select(['journal_id', 'day', 'batch_at'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '=', batch_no)
    .orderBy('batch_at')
    .execute()

/** What some rows keep. */
export const journalBodies = (db: Db, participant_id: Uuid, rows: readonly { journal_id: Uuid; day: string }[]) =>
  db
    .selectFrom('read_journal')
    .select(['journal_id', 'body', 'epoch'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`day = any(${rows.map(({ day }) => day)}::date[])`)
    .where(sql<boolean>`journal_id = any(${rows.map(({ journal_id }) => journal_id)}::uuid[])`)
    .execute()

/** Kind and time of records, asked for one participant at a time: each lives in its own shard. */
export async function kindsOf(
  db: Db,
  events: readonly { event_id: Uuid; participant_id: Uuid }[],
): Promise<Map<Uuid, { kind: string; at: Date }>> {
  const kinds = new Map<Uuid, { kind: string; at: Date }>()
  for (const [participant_id, own] of Map.groupBy(events, (event) => event.participant_id)) {
    const rows = await db
      .selectFrom('prov_record')
      .select(['event_id', 'kind', 'at'])
      .where('participant_id', '=', participant_id)
      .where(sql<boolean>`event_id = any(${own.map(({ event_id }) => event_id)}::uuid[])`)
      .execute()
    for (const { event_id, kind, at } of rows) kinds.set(event_id, { kind, at })
  }
  return kinds
}

/** Every log of the database as far as it has come, the oldest first; for whoever sees all rows. */
export const standings = (db: Db | Tx) =>
  db
    .selectFrom('log_head as h')
    .innerJoin('log_fence as f', 'f.log_id', 'h.log_id')
    .innerJoin('log_signed as s', 's.log_id', 'h.log_id')
    .select([
      'h.log_id',
      'h.origin',
      'h.size',
      'h.root',
      'f.size as fenced',
      's.size as signed',
      's.root as signed_root',
    ])
    .orderBy('h.log_id')
    .execute()

// ---- the auditor's

/** Of changes without an index, the events; at most `limit`. */
export const waitingEvents = async (db: Db, logId: number, limit: number): Promise<Uuid[]> => {
  const rows = await db
    .selectFrom('prov_outbox')
    .select('event_id')
    .where('log_id', '=', logId)
    .orderBy('event_id')
    .limit(limit)
    .execute()
  return rows.map(({ event_id }) => event_id)
}

/** One participant's batches of reads after a number, in order. */
export const readBatchesAfter = (db: Db, participant_id: Uuid, { after, limit }: { after: bigint; limit: number }) =>
  db
    .selectFrom('read_batch')
    .select(['batch_no', 'event_id', 'n', 'root'])
    .where('participant_id', '=', participant_id)
    .where('batch_no', '>', after)
    .orderBy('batch_no')
    .limit(limit)
    .execute()
