import { sql } from 'kysely'
import { inject } from 'vitest'
import { collectSql, connect, type Db } from '../../src/db/connect.ts'
import { LOGIN_ROLES, type LoginRole } from '../../src/db/roles.ts'
import './postgres.ts'

export interface TestDatabase {
  app: Db
  ledger: Db
  integrator: Db
  signer: Db
  projector: Db
  admin: Db
  /** The server's superuser, whom row-level security does not bind: for looking and for setting up, never for proof. */
  owner: Db
  /** A URL of this database for another pool; close that pool before `drop`. */
  url(role: LoginRole | 'owner'): string
  /** Closes the pools and deletes the database. Fails if a connection that was opened elsewhere is still there. */
  drop(): Promise<void>
}

let made = 0

/** A migrated database of its own for one test file, copied from the template. Pools open with their first use. */
export async function freshDatabase({ max = 4 }: { max?: number } = {}): Promise<TestDatabase> {
  collectSql()
  const { url: server, template } = inject('postgres')
  made += 1
  const name = `aldis_test_${process.pid}_${Date.now().toString(36)}_${made}`
  await onServer(server, (db) => sql`create database ${sql.id(name)} template ${sql.id(template)}`.execute(db))
  const url = (role: LoginRole | 'owner'): string => urlOf(server, name, role)
  const pool = (role: LoginRole | 'owner'): Db => connect({ url: url(role), max, keepsStatements: true })
  const pools = {
    app: pool('aldis_app'),
    ledger: pool('aldis_ledger'),
    integrator: pool('aldis_integrator'),
    signer: pool('aldis_signer'),
    projector: pool('aldis_projector'),
    admin: pool('aldis_admin'),
    owner: pool('owner'),
  }
  return {
    ...pools,
    url,
    drop: async () => {
      await Promise.all(Object.values(pools).map((db) => db.destroy()))
      // PostgreSQL itself waits five seconds for sessions that are just ending, then names the fault.
      await onServer(server, (db) => sql`drop database ${sql.id(name)}`.execute(db))
    },
  }
}

async function onServer(url: string, work: (db: Db) => Promise<unknown>): Promise<void> {
  const db = connect({ url, max: 1 })
  await work(db).finally(() => db.destroy())
}

function urlOf(server: string, database: string, role: LoginRole | 'owner'): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  if (LOGIN_ROLES.some((login) => login === role)) url.username = role
  return url.href
}
