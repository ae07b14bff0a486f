import { setTimeout as delay } from 'node:timers/promises'
import { type Kysely, sql } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import { StartRefused } from '../kernel/errors.ts'
import type { Db } from './connect.ts'
import { sqlState } from './failure.ts'
import { LOGIN_ROLES, OWNER_ROLE } from './roles.ts'

/** One step of the schema. Its version is its place in the list, from 1. */
export interface Migration {
  name: string
  /** The oldest version of the code that still runs on the schema after this step; unchanged if absent. */
  compatibleFrom?: number
  /** Runs in one transaction as `aldis_owner`, one statement a query. */
  up(db: Kysely<unknown>): Promise<void>
}

interface SchemaState {
  version: number
  compatible_from: number
}

/** "ALDS". Advisory locks are the migrator's alone: it has a direct connection. */
const LOCK = 0x41_4c_44_53
const LOCK_WAIT_MS = 120_000
const LOCK_POLL_MS = 100
const DDL_TRIES = 10
const DDL_PAUSE_MS = 500

/**
 * Brings the schema up to the code: forward only, one migration a transaction, one migrator at a time. `adminDb` is a
 * direct connection (no transaction pooler) that may act as `aldis_owner`. Refuses a database newer than the code.
 * Returns the names applied.
 */
export const migrate = (adminDb: Db, migrations: readonly Migration[], clock: Clock): Promise<string[]> =>
  adminDb.connection().execute(async (db) => {
    await lock(db)
    try {
      await prepare(db)
      const known = await history(db)
      assertSameHistory(known, migrations)
      const applied: string[] = []
      let from = known.at(-1)?.compatible_from ?? 1
      for (const [at, migration] of migrations.entries()) {
        if (at < known.length) continue
        from = migration.compatibleFrom ?? from
        await apply(db, migration, { version: at + 1, compatible_from: from }, clock)
        applied.push(migration.name)
      }
      return applied
    } finally {
      // If the connection is what broke, the lock went with it, and the first error matters more.
      await sql`select pg_advisory_unlock(${LOCK})`.execute(db).catch(() => {})
    }
  })

/** Refuses to serve a database that lacks migrations, or that no longer admits this version of the code. */
export async function assertSchema(db: Db, migrations: readonly Migration[]): Promise<void> {
  const state = (await exists(db)) ? (await history(db)).at(-1) : undefined
  if (state === undefined || state.version < migrations.length) {
    throw new StartRefused('the database schema is older than this version of Aldis: run aldis migrate')
  }
  if (migrations.length < state.compatible_from) {
    throw new StartRefused('the database schema no longer admits this version of Aldis: install the newer release')
  }
}

/** The version of the schema that is there; 0 without one. */
export const schemaVersion = async (db: Db): Promise<number> =>
  (await exists(db)) ? ((await history(db)).at(-1)?.version ?? 0) : 0

async function lock(db: Db): Promise<void> {
  const until = performance.now() + LOCK_WAIT_MS
  for (;;) {
    const { rows } = await sql<{ got: boolean }>`select pg_try_advisory_lock(${LOCK}) as got`.execute(db)
    if (rows[0]?.got === true) return
    if (performance.now() > until) throw new StartRefused('another migration is still running')
    await delay(LOCK_POLL_MS)
  }
}

async function prepare(db: Db): Promise<void> {
  const { rows } = await sql<{ may: boolean }>`
    select has_schema_privilege(${OWNER_ROLE}, 'public', 'create') as may`.execute(db)
  if (rows[0]?.may !== true) await sql.raw(`grant create, usage on schema public to ${OWNER_ROLE}`).execute(db)
  if (await exists(db)) return
  await asOwner(db, async (tx) => {
    await sql`create table public.schema_state (
      version integer primary key,
      compatible_from integer not null check (compatible_from between 1 and version),
      name text not null,
      applied_at timestamptz not null)`.execute(tx)
    await sql.raw(`grant select on public.schema_state to ${LOGIN_ROLES.join(', ')}`).execute(tx)
  })
}

async function exists(db: Db): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select to_regclass('public.schema_state') is not null as found`.execute(db)
  return rows[0]?.found === true
}

async function history(db: Db): Promise<(SchemaState & { name: string })[]> {
  const { rows } = await sql<SchemaState & { name: string }>`
    select version, compatible_from, name from public.schema_state order by version`.execute(db)
  return rows
}

function assertSameHistory(known: readonly { name: string }[], migrations: readonly Migration[]): void {
  if (known.length > migrations.length) {
    throw new StartRefused('the database schema is newer than this version of Aldis; there is no way back')
  }
  const other = known.findIndex(({ name }, at) => name !== migrations[at]?.name)
  if (other >= 0) throw new StartRefused(`the database has another migration ${other + 1} than this version of Aldis`)
}

async function apply(db: Db, { name, up }: Migration, state: SchemaState, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await asOwner(db, async (tx) => {
        await up(tx)
        await sql`insert into public.schema_state (version, compatible_from, name, applied_at)
          values (${state.version}, ${state.compatible_from}, ${name}, ${clock()})`.execute(tx)
      })
      return
    } catch (error) {
      if (sqlState(error) !== '55P03' || attempt === DDL_TRIES) throw error
      await delay(DDL_PAUSE_MS)
    }
  }
}

/** A short `lock_timeout`, so that a waiting `alter table` does not hold up everybody behind it. */
const asOwner = (db: Db, fn: (tx: Kysely<unknown>) => Promise<void>): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await sql`set local lock_timeout = '3s'`.execute(tx)
    await sql.raw(`set local role ${OWNER_ROLE}`).execute(tx)
    await fn(tx as unknown as Kysely<unknown>)
  })
