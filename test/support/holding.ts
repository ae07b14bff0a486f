import { sql } from 'kysely'
import type { Db } from '../../src/db/connect.ts'
import { toBase64Url, utf8 } from '../../src/kernel/bytes.ts'

/** Part of what a text is in base64url, wherever it begins in what is written so. */
const within = (text: string): string[] =>
  [0, 1, 2].map((before) => toBase64Url(utf8(`${'x'.repeat(before)}${text}`)).slice(before + 1, -2))

/**
 * The columns of all tables, as `table.column`, in which bytes stand: as they are, in hex, in base64url, or in hex within what is
 * in base64url. `db` logs in as the owner.
 */
export async function columnsHolding(db: Db, bytes: Buffer): Promise<string[]> {
  const texts = [bytes.toString('hex'), toBase64Url(bytes), ...within(bytes.toString('hex'))]
  const raw = [bytes, ...texts.map((text) => Buffer.from(text))]
  const { rows } = await sql<{ table: string; column: string; type: string }>`
    select c.relname as table, a.attname as column, t.typname as type
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_type t on t.oid = a.atttypid
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
      and t.typname in ('bytea', '_bytea', 'text', '_text', 'varchar', 'json', 'jsonb')
    order by 1, 2`.execute(db)
  const found: string[] = []
  for (const { table, column, type } of rows) {
    const at = sql.ref(column)
    const holds =
      type === 'bytea'
        ? raw.map((one) => sql<boolean>`position(${one}::bytea in ${at}) > 0`)
        : texts.map((one) => sql<boolean>`position(${one} in ${at}::text) > 0`)
    const { rows: there } =
      await sql`select 1 from ${sql.table(table)} where ${sql.join(holds, sql` or `)} limit 1`.execute(db)
    if (there.length > 0) found.push(`${table}.${column}`)
  }
  return found
}
