import { sql } from 'kysely'
import { inject } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { openWhole, type WholeDatabase } from '../../src/db/open.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { RestoreOptions } from '../../src/operations/refill.ts'
import { logStandings, recompute } from '../../src/provenance/standing.ts'

/** A database that is not there yet, on the tests' server. */
export interface Unmade {
  url: string
  /** As `openWhole` finds it now; `drop` closes it. */
  open(): Promise<WholeDatabase>
  drop(): Promise<void>
}

let made = 0

export function unmade(): Unmade {
  const { url: server } = inject('postgres')
  made += 1
  const name = `aldis_target_${process.pid}_${made}`
  const url = new URL(server)
  url.pathname = `/${name}`
  const opened: WholeDatabase[] = []
  return {
    url: url.href,
    open: async () => {
      const whole = await openWhole({ databaseUrl: url.href, dataDir: '/nonexistent' }, systemClock)
      opened.push(whole)
      return whole
    },
    drop: async () => {
      for (const whole of opened) await whole.close()
      const admin = connect({ url: server, max: 1 })
      await sql`drop database if exists ${sql.id(name)} with (force)`.execute(admin).finally(() => admin.destroy())
    },
  }
}

export const restoring = (target: WholeDatabase): RestoreOptions => ({
  ...{ target, newest: migrations.length, standings: logStandings, recompute, onTable: () => {}, onOdd: () => {} },
})

/** A digest of every row of every table, whatever the order; what a copy must have in common with its original. */
export async function digests(db: Db): Promise<Record<string, string>> {
  const { rows: tables } = await sql<{ name: string }>`
    select relname::text as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname`.execute(db)
  const found: Record<string, string> = {}
  for (const { name } of tables) {
    if (name === 'schema_state') continue
    const { rows } = await sql<{ sum: string }>`
      select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text collate "C")), '') as sum
      from ${sql.table(name)} t`.execute(db)
    found[name] = rows[0]?.sum ?? ''
  }
  return found
}
