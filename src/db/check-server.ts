import { sql } from 'kysely'
import { StartRefused } from '../kernel/errors.ts'
import type { Db } from './connect.ts'

const OLDEST = 15
const NEWEST = 18
const WATCHED = ['server_version_num', 'fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums'] as const

/**
 * Refuses a server on which an acknowledged write may be lost, or of a version that is not tried: PostgreSQL 15-18,
 * `fsync`, `full_page_writes`, `synchronous_commit`; on the embedded one data checksums too. Asked as the role that will
 * write, since `synchronous_commit` may differ by role.
 */
export async function checkServer(db: Db, { embedded = false }: { embedded?: boolean } = {}): Promise<void> {
  const { rows } = await sql<{ name: string; setting: string; role: string }>`
    select name, setting, current_user::text as role from pg_settings where name = any(${[...WATCHED]})`.execute(db)
  const faults = serverFaults(new Map(rows.map(({ name, setting }) => [name, setting])), embedded)
  if (faults.length > 0)
    throw new StartRefused(`the database server is refused as it serves ${rows[0]?.role}: ${faults.join('; ')}`)
}

/** What is wrong with a server of these settings, each fault named by its setting. */
export function serverFaults(settings: ReadonlyMap<string, string>, embedded: boolean): string[] {
  const major = Math.floor(Number(settings.get('server_version_num')) / 10_000)
  const on = embedded ? ['fsync', 'full_page_writes', 'data_checksums'] : ['fsync', 'full_page_writes']
  return [
    ...(major >= OLDEST && major <= NEWEST ? [] : [`server_version is not ${OLDEST} to ${NEWEST}`]),
    ...on.filter((name) => settings.get(name) !== 'on').map((name) => `${name} must be on`),
    ...((settings.get('synchronous_commit') ?? 'off') === 'off' ? ['synchronous_commit must not be off'] : []),
  ]
}
