import { sql, type Transaction } from 'kysely'
import { StartRefused } from '../kernel/errors.ts'
import type { Db } from './connect.ts'
import type { Sink } from './copy-stream.ts'
import { sessionOf } from './driver.ts'
import { LOGIN_ROLES } from './roles.ts'
import type { Database } from './tables.ts'

/** A whole table as it is copied: by name, so that neither side depends on the order in which columns were added. */
export interface TableShape {
  table: string
  columns: readonly string[]
}

/** A transaction that sees and fills every row, whosever it is. */
export type WholeTx = Transaction<Database>

/** The migrator's own, which says of what version the rows are. */
const NOT_COPIED = ['schema_state']
/** What a migration fills itself; a copy replaces it. */
const SEEDED: ReadonlySet<string> = new Set(['authority_epoch'])
/** One table may take hours, and a disk that is slow is no client that has gone. */
const NO_LIMITS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout']

/** One moment of the whole database, while others write on. */
export const atOneMoment = <T>(db: Db, fn: (tx: WholeTx) => Promise<T>): Promise<T> =>
  db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      await seeAll(tx)
      return fn(tx)
    })

/** Fills a whole database, or leaves it as it was. */
export const inOneStep = <T>(db: Db, fn: (tx: WholeTx) => Promise<T>): Promise<T> =>
  db.transaction().execute(async (tx) => {
    await seeAll(tx)
    return fn(tx)
  })

/** With `row_security` off a row that is not shown is an error; without, a copy would lack it and nobody would know. */
async function seeAll(tx: WholeTx): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select name from pg_settings where name = any(${NO_LIMITS})`.execute(tx)
  for (const { name } of rows) await sql.raw(`set local ${name} = 0`).execute(tx)
  await sql`set local row_security = off`.execute(tx)
  const { rows: roles } = await sql<{ all: boolean }>`
    select rolsuper or rolbypassrls as all from pg_roles where rolname = current_user`.execute(tx)
  if (roles[0]?.all !== true)
    throw new StartRefused(
      'the role of DATABASE_URL does not see every row: it needs to be a superuser, or have BYPASSRLS and be a member of aldis_owner',
    )
}

/** Every table that holds rows of ours; what another refers to comes before it. */
export async function tablesInOrder(tx: WholeTx): Promise<TableShape[]> {
  const { rows: shapes } = await sql<{ table: string; columns: string[] }>`
    select c.relname::text as table,
      array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attname) as columns
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and c.relname <> all(${NOT_COPIED})
    order by c.relname`.execute(tx)
  const { rows: links } = await sql<{ from: string; to: string }>`
    select distinct f.relname::text as from, t.relname::text as to
    from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
    where k.contype = 'f' and f.relnamespace = 'public'::regnamespace`.execute(tx)
  return inOrder(shapes, links)
}

/** Each table behind those it refers to; a circle could not be filled row by row. */
export function inOrder(shapes: readonly TableShape[], links: readonly { from: string; to: string }[]): TableShape[] {
  const ordered: TableShape[] = []
  let waiting = [...shapes]
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ table }) => table))
    const ready = waiting.filter(
      ({ table }) => !links.some(({ from, to }) => from === table && to !== table && names.has(to)),
    )
    if (ready.length === 0) throw new Error(`tables refer to each other in a circle: ${[...names].join(', ')}`)
    ordered.push(...ready)
    waiting = waiting.filter((shape) => !ready.includes(shape))
  }
  return ordered
}

/** Tables that hold rows, apart from what a migration put there. */
export async function filledTables(tx: WholeTx, shapes: readonly TableShape[]): Promise<string[]> {
  const filled: string[] = []
  for (const { table } of shapes) {
    if (SEEDED.has(table)) continue
    const { rows } = await sql<{ some: boolean }>`select exists (select from ${sql.table(table)}) as some`.execute(tx)
    if (rows[0]?.some === true) filled.push(table)
  }
  return filled
}

/** Connections of a node's roles to this database: whether one runs on it. */
export async function nodeConnections(tx: WholeTx): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from pg_stat_activity
    where datname = current_database() and usename = any(${[...LOGIN_ROLES]})`.execute(tx)
  return rows[0]?.n ?? 0
}

/** Every row, in PostgreSQL's binary form, which is the same on every machine and version served; how many. */
export const copyTableOut = (tx: WholeTx, { table, columns }: TableShape, sink: Sink): Promise<number> =>
  session(tx, (on) =>
    on.copyTo(`copy (select ${listed(columns)} from ${quoted(table)}) to stdout (format binary)`, sink),
  )

/** Takes what `copyTableOut` gave, into a table of the same shape; how many rows. */
export async function copyTableIn(
  tx: WholeTx,
  { table, columns }: TableShape,
  source: AsyncIterable<Uint8Array>,
): Promise<number> {
  if (SEEDED.has(table)) await sql`delete from ${sql.table(table)}`.execute(tx)
  return session(tx, (on) =>
    on.copyFrom(`copy ${quoted(table)} (${listed(columns)}) from stdin (format binary)`, source),
  )
}

export async function countRows(tx: WholeTx, table: string): Promise<number> {
  const { rows } = await sql<{ n: bigint }>`select count(*) as n from ${sql.table(table)}`.execute(tx)
  return Number(rows[0]?.n ?? 0)
}

/** The planner knows nothing of rows that have just come. */
export const analyse = async (db: Db): Promise<void> => void (await sql`analyze`.execute(db))

const session = <T>(tx: WholeTx, work: (on: ReturnType<typeof sessionOf>) => Promise<T>): Promise<T> =>
  tx.getExecutor().provideConnection((connection) => work(sessionOf(connection)))

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const listed = (columns: readonly string[]): string => columns.map(quoted).join(', ')
