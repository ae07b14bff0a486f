import { once } from 'node:events'
import type pg from 'pg'
import { from, to } from 'pg-copy-streams'

/** What one round of the measured path wrote: its entries of the log and its part of the feed. */
export interface Range {
  log: { from: bigint; to: bigint }
  feed: { from: bigint; to: bigint }
}

/** Rows of each table as COPY wrote them out. */
export type Rows = ReadonlyMap<string, readonly Buffer[]>

export interface CopyReference {
  /** Copies of the same rows, in memory. */
  take(range: Range): Promise<Rows>
  /** Puts them into the identical tables, one COPY a table, each its own commit. */
  put(rows: Rows): Promise<void>
  drop(): Promise<void>
}

const EVENTS = (r: Range): string =>
  `select event_id from public.log_event where log_id = 1 and idx >= ${r.log.from} and idx < ${r.log.to}`
const SEQS = (r: Range): string => `seq >= ${r.feed.from} and seq < ${r.feed.to}`

/**
 * Every table that the path from the stream to the feed writes rows to, with the rows of a round. Single rows that it only
 * moves on (heads, the fence, the projector's place) have no COPY, and sealed segments are made after the row is visible:
 * neither burdens the reference.
 */
const TABLES: Readonly<Record<string, (range: Range) => string>> = {
  submission: (r) => `select t.* from public.submission t where submission_id in (${EVENTS(r)})`,
  signal: (r) => `select t.* from public.signal t where last_event in (${EVENTS(r)})`,
  signal_revision: (r) => `select t.* from public.signal_revision t where submission_id in (${EVENTS(r)})`,
  upload: () => missing('upload', 'participant_id', 'upload_id'),
  prov_record: (r) => `select t.* from public.prov_record t where event_id in (${EVENTS(r)})`,
  // Emptied meanwhile by the integrator; made again from the records.
  prov_outbox: (r) =>
    `select event_id, participant_id, log_id, at, c, (select slug from public.participant p where p.participant_id = t.participant_id), null
     from public.prov_record t where event_id in (${EVENTS(r)}) and kind = 'signal.submitted'`,
  log_event: (r) =>
    `select t.* from public.log_event t where log_id = 1 and idx >= ${r.log.from} and idx < ${r.log.to}`,
  log_batch: (r) =>
    `select t.* from public.log_batch t where log_id = 1 and first_idx >= ${r.log.from} and first_idx < ${r.log.to}`,
  log_tile: () => missing('log_tile', 'log_id', 'level', 'n'),
  log_chain: () => missing('log_chain', 'log_id', 'party'),
  log_chain_seg: () => missing('log_chain_seg', 'log_id', 'party', 'first_seq'),
  log_checkpoint: () => missing('log_checkpoint', 'log_id', 'size', 'at'),
  feed_submission: (r) => `select t.* from public.feed_submission t where submission_id in (${EVENTS(r)})`,
  feed_entry: (r) => `select t.* from public.feed_entry t where ${SEQS(r)}`,
  shared_signal: (r) => `select t.* from public.shared_signal t where ${SEQS(r)}`,
}

/** Small tables: whatever the reference does not hold yet. */
const missing = (table: string, ...key: string[]): string =>
  `select t.* from public.${table} t where not exists (select 1 from reference.${table} r where ${key
    .map((column) => `r.${column} = t.${column}`)
    .join(' and ')})`

/** Tables of the same columns, checks and indexes in a schema of their own. */
export async function createCopyReference(db: pg.Client): Promise<CopyReference> {
  await db.query('create schema reference')
  const given = new Map<string, readonly string[]>()
  for (const table of Object.keys(TABLES)) {
    await db.query(`create table reference.${table} (like public.${table} including all)`)
    given.set(table, await givenColumns(db, table))
  }
  const columnsOf = (table: string, of = ''): string => (given.get(table) ?? []).map((name) => of + name).join(', ')
  return {
    take: async (range) => {
      const rows = new Map<string, Buffer[]>()
      for (const [table, select] of Object.entries(TABLES)) {
        const chunks: Buffer[] = []
        const query = select(range).replace('t.*', columnsOf(table, 't.'))
        for await (const chunk of db.query(to(`copy (${query}) to stdout`))) chunks.push(chunk as Buffer)
        rows.set(table, chunks)
      }
      return rows
    },
    put: async (rows) => {
      for (const [table, chunks] of rows) {
        const copy = db.query(from(`copy reference.${table} (${columnsOf(table)}) from stdin`))
        const done = once(copy, 'finish')
        for (const chunk of chunks) if (!copy.write(chunk)) await once(copy, 'drain')
        copy.end()
        await done
      }
    },
    drop: async () => void (await db.query('drop schema reference cascade')),
  }
}

/** Columns in their order, without those that the table computes itself, there as here. */
async function givenColumns(db: pg.Client, table: string): Promise<readonly string[]> {
  const { rows } = await db.query<{ attname: string }>(
    `select attname from pg_attribute
     where attrelid = 'public.${table}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
     order by attnum`,
  )
  return rows.map(({ attname }) => attname)
}
